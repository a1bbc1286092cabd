"""Every dialogue on two Messages servers, ours and one that others wrote; docs/dialogues.md says what came of it.

`python -m tests.prove.dialogues` takes some minutes and goes on where an earlier call stopped; --again starts anew.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.fakes.llm_script import Answer, Asked, Call, Item, Refuse, Reply, Say, Scripted
from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.dialogues.catalogue import DIALOGUES, WITH_A_KEY_OF_THEIR_OWN
from tests.flows.dialogues.telling import PATIENCE_S, Dialogue, Telling, World
from tests.flows.foreign import foreign_server
from tests.flows.house import House
from tests.flows.shops import Shops, Sink
from tests.flows.sites.places import Sites
from tests.prove.record import ROOT, Record, asked

PAGE = ROOT / "docs" / "dialogues.md"
RECORD = Record("dialogues")
_TRIED = Reply((Say("hello"),))


@dataclass(frozen=True)
class Played:
    """ours, theirs: seconds until the agent's report had arrived; 0 where it did not. why: the first thing wrong."""

    name: str
    language: str
    ours: float
    theirs: float
    why: str = ""

    @property
    def held(self) -> bool:
        return bool(self.ours and self.theirs)


def play(name: str) -> Played:
    said: dict[int, Reply] = {}
    language, seconds, why = "", [0.0, 0.0], ""
    try:
        with a_world() as world:
            dialogue = DIALOGUES[name](world)
            language, before = dialogue.language, world.ports
            with MessagesServer() as claude:
                claude.enqueue(
                    *opening(name), *(noted(n, reply, said) for n, reply in enumerate(dialogue.replies))
                )
                seconds[0] = told(name, dialogue, world, claude.url)
                assert not claude.problems, claude.problems
                assert not claude.left_over, "it ended before its script"
        with a_world() as world:
            dialogue = DIALOGUES[name](world)
            replies = [moved(reply, before, world.ports) for _, reply in sorted(said.items())]
            with foreign_server([*opening(name), *replies]) as server:
                seconds[1] = told(name, dialogue, world, server.base_url("anthropic"))
                assert server.state.scenarios.pending() == [], "it ended before its script"
    except Exception as error:  # noqa: BLE001 - whatever it is, the page says so and the others are played
        why = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return Played(name, language, round(seconds[0], 1), 0.0 if why else round(seconds[1], 1), why)


@contextmanager
def a_world() -> Iterator[World]:
    world = World(Sites(), Shops(), Sink())
    try:
        yield world
    finally:
        world.close()


def opening(name: str) -> tuple[Reply, ...]:
    return (_TRIED,) if name in WITH_A_KEY_OF_THEIR_OWN else ()


def told(name: str, dialogue: Dialogue, world: World, server: str) -> float:
    """Seconds from the first sentence until the last report."""
    with tempfile.TemporaryDirectory(prefix="ab-dialogue-") as folder:
        house = House(Path(folder) / "data", open_ports=world.ports)
        house.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server}
        house.open()
        try:
            person = house.person(language=dialogue.language, patience_s=PATIENCE_S)
            if opening(name):
                person.call("PUT", "/api/v1/connections/claude", {"key": KEY})
                person.wait("/api/v1/connections", lambda found: found["items"][0]["state"] == "working")
            begun = time.monotonic()
            agent = Telling(person, world).tell(dialogue)
            assert agent["enabled"], "the agent is not switched on"
            return time.monotonic() - begun
        finally:
            house.close()


def noted(number: int, reply: Scripted, said: dict[int, Reply]) -> Answer:
    """The same reply, and what it came to: a server that cannot read its requests is given that.
    Asked more often than it is sent: counting a request looks at its answer as well."""

    def make(asked: Asked) -> Reply | Refuse:
        made = reply.make(asked) if isinstance(reply, Answer) else reply
        if isinstance(made, Reply):
            said[number] = made
        return made

    return Answer(make, always=isinstance(reply, Answer) and reply.always)


def moved(reply: Reply, before: tuple[int, ...], now: tuple[int, ...]) -> Reply:
    """The places of another world stand at other ports."""

    ports = {str(old): str(new) for old, new in zip(before, now, strict=True)}

    def text(words: str) -> str:
        return re.sub(r"\d+", lambda number: ports.get(number[0], number[0]), words)

    def item(one: Item) -> Item:
        if isinstance(one, Say):
            return replace(one, text=text(one.text))
        if isinstance(one, Call):
            return replace(one, input=json.loads(text(json.dumps(one.input, ensure_ascii=False))))
        return one

    return replace(reply, items=tuple(item(one) for one in reply.items))


def page(found: list[Played]) -> str:
    """What docs/dialogues.md says."""
    held = sum(one.held for one in found)
    lines = [
        "# Twelve dialogues on two servers",
        "",
        "Written by `python -m tests.prove.dialogues`: each begins with a sentence and ends with the report of an",
        "agent that ran in the real sandbox on local sites. The model is a script: our Messages server plays it, then",
        "llmock, which others wrote, says the same. So this proves the platform, not the model. The dialogues are data",
        "under `tests/flows/dialogues`.",
        "",
        f"**{held} of {len(found)} held on both.** Seconds from the first sentence to the last report:",
        "",
        "| dialogue | language | ours | llmock | |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.language} | {one.ours} | {one.theirs} | {one.why.replace('|', ' ')} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    asked(arguments, __doc__, RECORD)
    found = [one for one in (Played(**line) for line in RECORD.known()) if one.held]
    for name in DIALOGUES:
        if name not in {one.name for one in found}:
            one = play(name)
            found.append(one)
            RECORD.note(asdict(one))
            print(f"{name}: {'held' if one.held else one.why}", flush=True)
    PAGE.write_text(page(found))
    held = sum(one.held for one in found)
    print(f"{held} of {len(found)} dialogues held")
    return 0 if held == len(found) == len(DIALOGUES) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
