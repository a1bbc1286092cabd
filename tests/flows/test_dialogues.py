"""Twelve dialogues, each from a sentence to an agent whose report arrives: against the scripted Messages server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.llm_script import Asked, Reply, Say
from tests.fakes.messages_server import KEY, MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.dialogues.catalogue import DIALOGUES, PLAIN, WITH_A_KEY_OF_THEIR_OWN
from tests.flows.dialogues.telling import PATIENCE_S, Telling, World
from tests.flows.foreign import foreign_server
from tests.flows.house import House, new_house
from tests.flows.person import Person
from tests.flows.shops import Shops, Sink
from tests.flows.sites.places import Sites
from tests.flows.varying import VARIATIONS, varied

# One conversation is worth several runs of other flows: packages, a rehearsal and live runs.
pytestmark = pytest.mark.slow(seconds=90)


@pytest.fixture
def world(shops: Shops, sink: Sink) -> Iterator[World]:
    sites = Sites()
    yield World(sites, shops, sink)
    sites.close()


@pytest.fixture
def claude() -> Iterator[MessagesServer]:
    with MessagesServer(cache=PromptCache()) as server:
        yield server


@pytest.fixture
def talking(tmp_path: Path, world: World, claude: MessagesServer) -> Iterator[House]:
    house = new_house(tmp_path / "data", open_ports=world.ports)
    house.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
    try:
        yield house.open()
    finally:
        house.close()


@pytest.mark.deployed
@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_ends_in_an_agent_whose_report_arrives(
    name: str, talking: House, world: World, claude: MessagesServer
) -> None:
    dialogue = DIALOGUES[name](world)
    person = talking.person(language=dialogue.language, patience_s=PATIENCE_S)
    if name in WITH_A_KEY_OF_THEIR_OWN:
        connect(person, claude)
    claude.enqueue(*dialogue.replies)
    telling = Telling(person, world, told=lambda: told(claude))

    agent = telling.tell(dialogue)

    assert agent["enabled"]
    assert claude.problems == []
    assert claude.left_over == 0, "the dialogue ended before its script"
    spent(talking, claude)


@pytest.mark.parametrize("name", ["yesterday", "charted", "changed"])
def test_an_agent_that_is_right_is_not_refused_by_what_tries_repairs(
    name: str, talking: House, world: World, claude: MessagesServer
) -> None:
    """These sum, draw, and read a page: other values come out where they can be told, and nothing from nothing."""
    dialogue = DIALOGUES[name](world)
    claude.enqueue(*dialogue.replies)
    person = talking.person(language=dialogue.language, patience_s=PATIENCE_S)
    telling = Telling(person, world)
    telling.tell(dialogue)

    for variation in VARIATIONS:
        again = varied(talking, person, telling.run, variation)
        assert again["same"] is not False, (variation, again["differences"])
        kept = (again["status"], again["outcome"]) == ("succeeded", "pending")
        assert kept == variation.startswith("altered"), (variation, again["reason"])


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_dialogue_on_a_server_that_others_wrote(name: str, tmp_path: Path, world: World) -> None:
    dialogue = DIALOGUES[name](world)
    with foreign_server(dialogue.replies) as server:
        house = House(tmp_path / "data", open_ports=world.ports)
        house.environment |= {"ANTHROPIC_API_KEY": "any", "ANTHROPIC_BASE_URL": server.base_url("anthropic")}
        house.open()
        try:
            person = house.person(language=dialogue.language, patience_s=PATIENCE_S)
            agent = Telling(person, world).tell(dialogue)
        finally:
            house.close()
        assert agent["enabled"]
        assert server.state.scenarios.pending() == []


def connect(person: Person, claude: MessagesServer) -> None:
    """The call that tries the key is the workspace's own affair: no lease, nothing in the ledger."""
    claude.enqueue(Reply((Say("hello"),)))
    person.call("PUT", "/api/v1/connections/claude", {"key": KEY})
    person.wait("/api/v1/connections", lambda found: found["items"][0]["state"] == "working")
    claude.used.clear()


def told(claude: MessagesServer) -> str:
    """The end of what the model was told, for a test that fails."""
    asked = [request for request in claude.requests if not request.path.endswith("count_tokens")]
    return "\n=====\n".join([*claude.problems, *(Asked(r.body).told[:3000] for r in asked[-3:])])


def spent(house: House, claude: MessagesServer) -> None:
    """What the ledger wrote down is what the server counted, to the token, and nothing is held back any more."""
    budget = house.person().wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)
    assert budget["spent_tokens"] == sum(usage.total for usage in claude.used)
