"""Connecting a model over the API: the key goes in and never comes out; only the newest key's test counts."""

from __future__ import annotations

import json

import pytest

from services.gateway.model.access import OWNER_WORKSPACE
from shared.events.connection import ConnectionTested, ConnectionTyped
from shared.records.gateway import Connection
from tests.unit.gateway.conftest import World
from tests.unit.gateway.test_conversations import files_with

KEY = "sk-ant-api03-nobody-may-see-thisABCD"
ID = f"{OWNER_WORKSPACE}-claude"
CLAUDE = "/api/v1/connections/claude"


def stored(world: World) -> Connection:
    found = world.deps.store.get("connections", ID)
    assert found is not None
    return Connection.from_doc(found.data)


def outcome(version: int = 1, **more: object) -> ConnectionTested:
    given = {"connection_id": ID, "version": version, "ok": True, "model": "m", "tokens": 31}
    return ConnectionTested.model_validate({**given, "cost_usd_micros": 120, **more})


def test_a_typed_key_is_sealed_and_announced_without_itself(world: World) -> None:
    answer = world.call("PUT", CLAUDE, json={"key": f" {KEY}\n"})

    assert answer.status_code == 202
    assert world.emitted() == [ConnectionTyped(connection_id=ID, version=1)]
    (line,) = world.call("GET", "/api/v1/connections").json["items"]
    assert (line["state"], line["hint"], line["model"]) == ("testing", "ABCD", world.deps.door.model)
    assert world.deps.vault.open_connection(stored(world)) == KEY
    assert files_with(world.data, KEY) == []
    assert KEY not in json.dumps([line])


def test_what_the_test_said_is_shown_in_the_readers_language(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})
    problem = {"ko": "받아 주지 않아요.", "en": "Not accepted."}

    world.receive(outcome(ok=False, code="key_refused", problem=problem, cost_usd_micros=None), "planner")

    korean = world.call("GET", "/api/v1/connections").json["items"][0]
    english = world.call("GET", "/api/v1/connections", headers={"Accept-Language": "en"}).json["items"][0]
    assert (korean["state"], korean["problem"]) == ("failed", "받아 주지 않아요.")
    assert english["problem"] == "Not accepted."


def test_a_working_connection_says_its_cost_and_changes_the_engine(world: World) -> None:
    assert world.call("GET", "/api/v1/me").json["engine"] == "recipes"
    world.call("PUT", CLAUDE, json={"key": KEY})
    assert world.call("GET", "/api/v1/me").json["engine"] == "recipes"

    world.receive(outcome(), "planner")

    (line,) = world.call("GET", "/api/v1/connections").json["items"]
    assert (line["state"], line["tokens"], line["cost_usd_micros"]) == ("working", 31, 120)
    assert world.call("GET", "/api/v1/me").json["engine"] == "claude"


def test_a_late_word_about_an_older_key_changes_nothing(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})
    world.call("PUT", CLAUDE, json={"key": KEY + "2"})

    world.receive(outcome(version=1), "planner")

    assert stored(world).state == "testing"
    world.receive(outcome(version=2), "planner", id="evt_2")
    assert stored(world).state == "working"


def test_while_a_new_key_is_tested_the_connection_stays_in_use_unless_it_failed(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})
    assert not stored(world).usable
    world.receive(outcome(), "planner")
    world.call("PUT", CLAUDE, json={"key": KEY + "2"})
    assert stored(world).usable

    world.receive(outcome(version=2, ok=False, code="no_credit"), "planner", id="evt_2")
    assert not stored(world).usable
    world.call("PUT", CLAUDE, json={"key": KEY + "3"})
    assert not stored(world).usable


def test_another_model_is_tested_with_the_key_that_is_there(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})
    answer = world.call("PUT", CLAUDE, json={"model": "claude-other-1"})

    assert answer.status_code == 202
    assert (stored(world).version, stored(world).model) == (2, "claude-other-1")
    assert world.deps.vault.open_connection(stored(world)) == KEY


def test_taken_away_the_key_is_gone_and_numbers_go_on(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})
    world.receive(outcome(), "planner")

    assert world.call("DELETE", CLAUDE).status_code == 204
    assert stored(world).sealed == ""
    assert world.call("GET", "/api/v1/connections").json["items"] == []
    assert world.call("GET", "/api/v1/me").json["engine"] == "recipes"
    assert world.call("DELETE", CLAUDE).status_code == 404
    world.receive(outcome(version=2), "planner", id="evt_2")
    assert stored(world).deleted_at is not None
    world.call("PUT", CLAUDE, json={"key": KEY})
    assert (stored(world).version, stored(world).usable) == (3, False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": ""},
        {"key": "with a space"},
        {"key": "키를붙여넣었어요"},
        {"key": "k" * 401},
        {"key": KEY, "model": "no spaces please"},
        {"key": KEY, "base_url": "https://elsewhere.example"},
    ],
)
def test_what_is_no_key_is_refused_with_a_sentence(world: World, body: dict[str, str]) -> None:
    answer = world.call("PUT", CLAUDE, json=body)

    assert answer.status_code == 400
    assert answer.json["detail"]
    assert world.emitted() == []


def test_each_try_costs_a_call_so_they_are_counted(world: World) -> None:
    answers = [world.call("PUT", CLAUDE, json={"key": KEY}).status_code for _ in range(12)]

    assert answers[0] == 202
    assert answers[-1] == 429


def test_a_stranger_sees_and_changes_only_their_own(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})

    assert world.as_charlie("GET", "/api/v1/connections").json["items"] == []
    assert world.as_charlie("DELETE", CLAUDE).status_code == 404
    world.as_charlie("PUT", CLAUDE, json={"key": KEY + "charlie"})
    assert world.deps.vault.open_connection(stored(world)) == KEY


def test_with_the_workspace_its_connection_goes(world: World) -> None:
    world.call("PUT", CLAUDE, json={"key": KEY})
    world.call("DELETE", "/api/v1/workspace", json={"confirm": "삭제"})

    assert stored(world).sealed == ""


class TestWithoutModels:
    @pytest.fixture
    def settings_change(self) -> dict[str, str]:
        return {"planner": "recipes"}

    def test_an_installation_that_works_without_models_says_so(self, world: World) -> None:
        world.call("PUT", CLAUDE, json={"key": KEY})
        world.receive(outcome(), "planner")

        assert world.call("GET", "/api/v1/connections").json["wanted"] is False
        assert world.call("GET", "/api/v1/me").json["engine"] == "recipes"
