"""Facts about runs become notices and lines of the workspace's feed."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from services.gateway.model.access import OWNER_WORKSPACE, Link, Session
from services.gateway.model.documents import ChangeFeed, ChangeKind
from services.gateway.repository.changes import KEPT, changes_after, note_changes
from shared.events.clock import TimeTicked
from shared.events.run import RunFinished, RunParked, RunSettled, RunStarted
from shared.store.port import Cause, Query, Tx
from tests.unit.gateway.conftest import World
from tests.unit.gateway.test_conversations import frames


def finished(**more: Any) -> RunFinished:
    return RunFinished.model_validate(
        {
            "run_id": "run_1",
            "agent_id": "agent_1",
            "version_id": "ver_1",
            "kind": "scheduled",
            "conversation_id": None,
            "status": "succeeded",
            "outcome": "pending",
            "deliveries": 1,
            **more,
        }
    )


def notices(world: World) -> list[tuple[str, str]]:
    items = world.call("GET", "/api/v1/notices").json["items"]
    return [(item["kind"], item["text"]) for item in items]


def test_a_failed_run_is_noticed_with_its_reason_once(world: World) -> None:
    world.agent()
    event = finished(status="failed", outcome="not_delivered", reason_text="가게가 500으로 답했어요.")

    for id in ("e1", "e1", "e2"):
        assert world.receive(event, "executor", id=id).verdict == "ack"

    assert notices(world) == [("failed", "신제품 봇: 실행이 끝까지 가지 못했어요. 가게가 500으로 답했어요.")]


@pytest.mark.parametrize("kind", ["test", "replay"])
def test_what_is_watched_in_the_studio_is_no_notice(world: World, kind: str) -> None:
    world.agent()

    world.receive(finished(kind=kind, status="failed", reason_text="x"), "executor")

    assert notices(world) == []


@pytest.mark.parametrize("outcome", ["not_delivered", "doubtful"])
def test_an_unproven_run_is_noticed_when_finished_without_deliveries_or_when_settled(
    world: World, outcome: str
) -> None:
    world.agent()
    settled = RunSettled(
        run_id="run_2",
        agent_id="agent_1",
        kind="scheduled",
        status="succeeded",
        outcome=outcome,
        text="왜냐하면",
    )

    world.receive(finished(outcome=outcome, deliveries=0, reason_text="비었어요"), "executor", id="e1")
    world.receive(settled, "executor", id="e2")

    assert sorted(kind for kind, _ in notices(world)) == [outcome, outcome]


def test_a_good_run_is_no_notice(world: World) -> None:
    world.agent()
    world.receive(finished(), "executor", id="e1")
    world.receive(
        RunSettled(
            run_id="run_1", agent_id="agent_1", kind="scheduled", status="succeeded", outcome="delivered"
        ),
        "executor",
        id="e2",
    )

    assert notices(world) == []


def test_a_parked_run_asks(world: World) -> None:
    world.agent()
    parked = RunParked(
        run_id="run_1",
        agent_id="agent_1",
        kind="scheduled",
        conversation_id=None,
        permission_request_id="perm_1",
        sentence="가도 될까요?",
    )

    world.receive(parked, "executor")

    (item,) = world.call("GET", "/api/v1/notices").json["items"]
    assert (item["kind"], item["needs_decision"], item["text"]) == ("parked", True, "가도 될까요?")


def test_facts_of_an_unknown_agent_are_kept_without_a_name(world: World) -> None:
    assert world.receive(finished(status="failed", agent_id="agent_gone"), "executor").verdict == "ack"
    assert notices(world)[0][0] == "failed"


def test_the_feed_tells_what_changed_and_resumes(world: World) -> None:
    world.agent()
    answer = world.call("GET", "/api/v1/events", buffered=False)
    stream = iter(answer.response)
    next(stream)

    world.receive(RunStarted(run_id="run_1", agent_id="agent_1", kind="scheduled", attempt=1), "executor")
    live = next(stream).decode().split("\n\n")
    answer.close()
    resumed = frames(world, "/api/v1/events", 1, last_id="1")

    assert '"kind":"run","id":"run_1","seq":1' in live[0]
    assert '"kind":"agent","id":"agent_1","seq":2' in live[1]
    assert json.loads(resumed[0]["data"])["seq"] == 2


def test_the_feed_of_another_workspace_stays_silent(world: World) -> None:
    world.agent()
    answer = world.as_charlie("GET", "/api/v1/events", headers={"Last-Event-ID": "0"}, buffered=False)
    stream = iter(answer.response)
    next(stream)

    started = RunStarted(run_id="run_1", agent_id="agent_1", kind="scheduled", attempt=1)
    world.receive(started, "executor")
    world.receive(
        started.model_copy(update={"run_id": "run_c"}), "executor", id="e2", workspace="wsp_charlie"
    )

    assert '"id":"run_c","seq":1' in next(stream).decode()
    answer.close()


def test_the_feed_keeps_the_newest_lines_and_goes_on_after_what_is_gone(world: World) -> None:
    def note_all(first: int, last: int) -> None:
        for start in range(first, last, 50):
            lines: list[tuple[ChangeKind, str]] = [
                ("run", f"run_{number}") for number in range(start, start + 50)
            ]
            cause = Cause(OWNER_WORKSPACE, "test")
            world.deps.store.transact(partial(note_changes_of, world.deps.now(), lines), cause=cause)

    store = world.deps.store
    note_all(1, KEPT)
    assert changes_after(store, OWNER_WORKSPACE, 0, 1)[0][0].seq == 1
    note_all(KEPT + 1, KEPT + 1000)

    found, looked = changes_after(store, OWNER_WORKSPACE, 0, 500)
    assert (found[-1].seq, looked) == (1400, 1400)
    kept = store.query(Query("changes", limit=2 * KEPT))
    assert KEPT <= len(kept) <= KEPT + 100
    resumed = frames(world, "/api/v1/events", 1, last_id="1")
    assert json.loads(resumed[0]["data"])["id"] == found[0].about


def note_changes_of(at: str, lines: list[tuple[ChangeKind, str]], tx: Tx) -> None:
    note_changes(tx, at, *lines)


def test_a_screen_is_told_of_what_follows_a_long_gap(world: World) -> None:
    """Lines may be gone from the middle, too: an older installation took them away by their time."""
    store = world.deps.store
    feed = ChangeFeed(id=OWNER_WORKSPACE, workspace_id=OWNER_WORKSPACE, next_seq=1501)
    world.put("gateway", "change_feeds", feed)
    world.receive(RunStarted(run_id="run_1", agent_id="agent_1", kind="scheduled", attempt=1), "executor")

    resumed = frames(world, "/api/v1/events", 1, last_id="3")

    assert json.loads(resumed[0]["data"])["seq"] == 1501
    assert changes_after(store, OWNER_WORKSPACE, 1600, 10) == ([], 1600), (
        "it was shown lines of a feed that is gone"
    )


def test_the_tick_takes_away_what_is_over_and_nothing_else(world: World) -> None:
    old, fresh = world.sign_in(), None
    world.clock.advance(days=2)
    fresh = world.sign_in()
    link = Link(id="l", workspace_id=OWNER_WORKSPACE, user_id="u", expires_at=world.deps.now())
    world.put("gateway", "links", link)
    world.clock.advance(seconds=1)

    for _ in range(2):
        assert world.receive(TimeTicked(at=world.deps.now()), "clock", workspace="").verdict == "ack"

    sessions = [Session.from_doc(d.data) for d in world.deps.store.query(everything("sessions"))]
    assert len(sessions) == 1
    assert old != fresh
    assert world.deps.store.query(everything("links")) == []


def everything(collection: str) -> Query:
    return Query(collection, limit=100)
