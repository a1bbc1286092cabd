"""One shown write let through: only a rehearsal's, only under a grant that says write, once."""

from __future__ import annotations

from typing import Any

import pytest

from shared.agentfile.model import HostRule
from shared.events.run import RunRequested
from tests.unit.gateway.conftest import World, agent_file

WRITE = {"id": "a" * 32, "method": "POST", "url": "https://shop.example.com/order?n=1", "body": "x"}
PATH = f"/api/v1/runs/run_1/writes/{WRITE['id']}/decision"
SEND = {"decision": "send"}


def shown(world: World, **run: Any) -> None:
    """A rehearsal that is over, of an agent that may write at the shop."""
    effect = run.pop("effect", "write")
    file = agent_file(hosts=(HostRule(host="shop.example.com", effect=effect),))
    world.agent(agent_file=file)
    more = {"kind": "test", "outcome": "pending", "grant_id": "grant_1", "would_send": [WRITE], **run}
    world.run(**more)


def test_a_new_rehearsal_is_asked_for_in_which_that_write_is_let_through(world: World) -> None:
    shown(world, input={"day": 2})

    first, again = world.call("POST", PATH, json=SEND), world.call("POST", PATH, json=SEND)

    assert (first.status_code, again.json) == (202, first.json)
    (asked,) = world.emitted()
    assert isinstance(asked, RunRequested)
    assert (asked.run_id, asked.kind, asked.allowed_writes) == (first.json["id"], "test", (WRITE["id"],))
    assert (asked.version_id, asked.grant_id, asked.input) == ("ver_1", "grant_1", {"day": 2})
    assert asked.conversation_id is None, "it decides nothing about the version"
    read = world.call("GET", f"/api/v1/runs/{first.json['id']}").json
    assert (read["kind"], read["status"]) == ("test", "queued")


@pytest.mark.parametrize(
    ("run", "code"),
    [
        ({"kind": "manual"}, "write_not_now"),
        ({"kind": "replay"}, "write_not_now"),
        ({"status": "running"}, "write_not_now"),
        ({"status": "queued"}, "write_not_now"),
        ({"grant_id": None}, "no_grant"),
        ({"grant_id": "grant_of_another"}, "no_grant"),
        ({"effect": "read"}, "no_grant"),
        ({"would_send": [{**WRITE, "url": "https://shop.example.com.evil.example/order"}]}, "no_grant"),
    ],
)
def test_nothing_is_asked_for_when_it_is_not_a_rehearsals_allowed_write(
    run: dict[str, Any], code: str, world: World
) -> None:
    shown(world, **run)
    answer = world.call("POST", PATH, json=SEND)
    assert (answer.status_code, answer.json["code"]) == (409, code)
    assert world.emitted() == []


def test_strangers_unknown_writes_and_other_words_get_nothing(world: World) -> None:
    shown(world)
    assert world.as_charlie("POST", PATH, json=SEND).status_code == 404
    assert world.call("POST", PATH.replace("a" * 32, "b" * 32), json=SEND).status_code == 404
    assert world.call("POST", PATH.replace("run_1", "run_2"), json=SEND).status_code == 404
    for body in ({}, {"decision": "always"}, {"decision": "send", "more": 1}):
        assert world.call("POST", PATH, json=body).status_code == 400
    assert world.client.post(PATH, json=SEND).status_code == 401
    assert world.emitted() == []
