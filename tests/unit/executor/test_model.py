"""The run's table and what an ended attempt means, case by case."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.model import (
    FINISHED,
    MOVES,
    PARKS_PER_DAY,
    RETRIES_AFTER_LOSS,
    AttemptResult,
    Refusal,
    after_attempt,
    may_move,
    permission_sentence,
    settled_outcome,
)
from services.executor.ports import EndReason
from shared.agentfile.model import Language
from shared.records.executor import CheckOutcome, QueuedDelivery, Run, RunKind, RunStatus

HELD = CheckOutcome(check="rows", says="하나 이상", held=True, text="3개")
BROKEN = CheckOutcome(check="rows", says="하나 이상", held=False, text="0개였어요")
ASKED = Refusal(
    scheme="https", host="api.example.com", port=443, method="GET", path="/x", reason="undeclared_host"
)
WALL = ASKED.model_copy(update={"askable": False, "host": "10.0.0.1", "reason": "address_refused"})
MESSAGE = QueuedDelivery(id="dlv_1", channel="slack", text="x", status="held")
LIVE: list[RunKind] = ["manual", "scheduled", "triggered"]
SHOWN: list[RunKind] = ["test", "replay"]


def run(kind: RunKind = "manual", **more: Any) -> Run:
    return Run.model_validate(
        {
            "id": "run_1",
            "workspace_id": "w",
            "agent_id": "a",
            "version_id": "v",
            "kind": kind,
            "status": "running",
            "attempt": 1,
            "requested_at": "",
            "deadline_at": "",
            **more,
        }
    )


def ended(reason: str = "exited", code: int | None = 0, **more: Any) -> AttemptResult:
    return AttemptResult(
        id="att", run_id="run_1", workspace_id="w", number=1, reason=reason, exit_code=code, **more
    )


def after(of: Run, result: AttemptResult, checks: tuple[CheckOutcome, ...] = (), parks: int = 0) -> Any:
    ending = after_attempt(of, result, checks, parks, "ko")
    assert ending.status in MOVES["running"], "an attempt ends a running run"
    if ending.status in FINISHED:
        assert (ending.again, ending.park) == (False, None)
    if ending.promote:
        assert ending.status == "succeeded"
    return ending


def test_the_table_is_closed_and_what_is_over_stays_over() -> None:
    assert set(MOVES) == set(get_args(RunStatus))
    assert {after for moves in MOVES.values() for after in moves} <= set(MOVES)
    assert {"succeeded", "failed", "cancelled", "timed_out", "refused"} == FINISHED
    for status in FINISHED:
        assert not any(may_move(run(status=status), other) for other in get_args(RunStatus))


def test_every_status_is_reached_from_queued_and_every_one_can_end() -> None:
    def reach(start: RunStatus) -> set[RunStatus]:
        found, ahead = {start}, [start]
        while ahead:
            fresh = MOVES[ahead.pop()] - found
            found |= fresh
            ahead += fresh
        return found

    assert reach("queued") == set(MOVES)
    for status in MOVES:
        assert reach(status) & FINISHED
    assert not any(status in after for status, after in MOVES.items()), "no move leads nowhere"


def test_the_table_in_the_decision_is_the_one_in_the_code() -> None:
    text = (Path(__file__).parents[3] / "docs/decisions/0006-the-run-as-a-state-machine.md").read_text()
    shown: dict[str, set[str]] = {}
    current = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        moves = set(re.findall(r"[a-z_]+", cells[1])) if len(cells) == 3 else set()
        if moves and moves <= set(MOVES):
            current = cells[0] or current
            shown.setdefault(current, set()).update(moves)
    assert shown == {status: set(after) for status, after in MOVES.items() if after}


def test_a_good_run_promotes_and_waits_for_its_messages() -> None:
    ending = after(run(), ended(deliveries=(MESSAGE,)), (HELD,))
    assert (ending.status, ending.outcome, ending.promote) == ("succeeded", "pending", True)


def test_a_good_run_without_messages_has_delivered() -> None:
    ending = after(run(), ended(), (HELD,))
    assert (ending.status, ending.outcome, ending.promote) == ("succeeded", "delivered", True)


@pytest.mark.parametrize("kind", SHOWN)
def test_a_rehearsal_promotes_and_delivers_nothing(kind: RunKind) -> None:
    ending = after(run(kind), ended(deliveries=(MESSAGE,)), (HELD,))
    assert (ending.status, ending.outcome, ending.promote) == ("succeeded", "pending", False)


@pytest.mark.parametrize("kind", LIVE + SHOWN)
def test_a_broken_contract_is_not_delivered_in_the_checks_own_words(kind: RunKind) -> None:
    ending = after(run(kind), ended(deliveries=(MESSAGE,)), (HELD, BROKEN))
    assert (ending.status, ending.outcome, ending.promote) == ("succeeded", "not_delivered", False)
    assert ending.reason.code == "contract"
    assert "하나 이상" in ending.reason.text
    assert "0개였어요" in ending.reason.text


@pytest.mark.parametrize(
    ("result", "status", "code"),
    [
        (ended("stopped", None), "cancelled", "stopped"),
        (ended("wall", None), "timed_out", "wall"),
        (ended("exited", 1), "failed", "crashed"),
        (ended("exited", -9), "failed", "crashed"),
        (ended("exited", 0, problems=("a: link",)), "failed", "bad_output"),
        (ended("something new", None), "failed", "crashed"),
        *((ended(reason, None), "failed", reason) for reason in ("cpu", "memory", "processes", "disk")),
        *((ended(reason, None), "failed", reason) for reason in ("inodes", "files", "output", "unstartable")),
    ],
)
def test_every_way_to_end_has_its_own_name_and_delivers_nothing(
    result: AttemptResult, status: str, code: str
) -> None:
    ending = after(run(), result, (BROKEN,))
    assert (ending.status, ending.outcome, ending.promote) == (status, "not_delivered", False)
    assert ending.reason.code == code


def test_every_reason_a_sandbox_gives_has_a_sentence_in_both_languages() -> None:
    for reason in get_args(EndReason):
        texts = {
            after_attempt(run(attempt=9), ended(reason, 1), (), 0, language).reason
            for language in get_args(Language)
        }
        assert len(texts) == 2, reason


def test_a_crash_shows_its_last_line() -> None:
    ending = after(run(), ended("exited", 1, error_lines=("Traceback", "KeyError: 'price'")))
    assert ending.reason.text.endswith("KeyError: 'price'")
    assert "(exit 3)" in after(run(), ended("exited", 3)).reason.text


@pytest.mark.parametrize("attempt", range(1, RETRIES_AFTER_LOSS + 2))
def test_a_lost_attempt_is_tried_again_a_bounded_number_of_times(attempt: int) -> None:
    ending = after(run(attempt=attempt), ended("lost", None))
    if attempt < RETRIES_AFTER_LOSS:
        assert (ending.status, ending.outcome, ending.again) == ("queued", "pending", True)
    else:
        assert (ending.status, ending.reason.code) == ("failed", "lost")


@pytest.mark.parametrize("kind", LIVE + SHOWN)
def test_a_lost_attempt_that_had_written_is_never_started_again_by_itself(kind: RunKind) -> None:
    """A rehearsal as well: it may have sent the one write that was let through."""
    made = {"method": "POST", "url": "https://shop.example.com/order", "at": "2026-01-05T00:00:00.000000Z"}
    ending = after(run(kind, writes=[made]), ended("lost", None, wrote=True))
    assert (ending.status, ending.reason.code) == ("failed", "wrote_then_lost")
    assert "POST https://shop.example.com/order 2026-01-05T00:00:00Z" in ending.reason.text


@pytest.mark.parametrize("kind", LIVE + SHOWN)
@pytest.mark.parametrize("reason", get_args(EndReason))
def test_a_decoy_ends_every_run_by_its_own_name_when_it_was_seen(kind: RunKind, reason: str) -> None:
    code = 0 if reason == "exited" else None
    result = ended(
        reason, code, decoy="stdout: BACKUP_ADMIN_PASSWORD", deliveries=(MESSAGE,), refusals=(ASKED,)
    )
    ending = after(run(kind), result)
    assert (ending.status, ending.outcome, ending.reason.code) == ("failed", "not_delivered", "decoy")
    assert not ending.promote
    assert ending.reason.text.endswith("(표준 출력: BACKUP_ADMIN_PASSWORD)")


@pytest.mark.parametrize(
    ("where", "korean"),
    [("request to a.example", "a.example에 보낸 요청"), ("file name", "남긴 파일의 이름"), ("new", "new")],
)
def test_where_a_decoy_was_seen_is_told_in_the_runs_language(where: str, korean: str) -> None:
    result = ended("exited", 0, decoy=f"{where}: B")

    told = [after_attempt(run("manual"), result, (), 0, language).reason for language in ("ko", "en")]

    assert [reason.text.rpartition(" (")[2] for reason in told if reason] == [f"{korean}: B)", f"{where}: B)"]


@pytest.mark.parametrize("kind", LIVE)
@pytest.mark.parametrize("result", [ended(refusals=(ASKED,)), ended("exited", 1, refusals=(ASKED, WALL))])
def test_a_live_run_that_reached_for_more_asks(kind: RunKind, result: AttemptResult) -> None:
    ending = after(run(kind), result, (BROKEN,))
    assert (ending.status, ending.outcome, ending.park) == ("parked", "pending", ASKED)
    assert "GET api.example.com/x" in ending.reason.text


@pytest.mark.parametrize(
    ("of", "result", "parks"),
    [
        (run("test"), ended(refusals=(ASKED,)), 0),
        (run("replay"), ended(refusals=(ASKED,)), 0),
        (run(), ended(refusals=(WALL,)), 0),
        (run(), ended(refusals=(ASKED,), wrote=True), 0),
        (run(permission_request_id="perm_1"), ended(refusals=(ASKED,)), 0),
        (run(), ended(refusals=(ASKED,)), PARKS_PER_DAY),
    ],
    ids=["rehearsal", "replay", "nobody-may", "has-written", "asked-already", "too-often"],
)
def test_a_run_that_may_not_ask_fails_and_names_the_place(of: Run, result: AttemptResult, parks: int) -> None:
    ending = after(of, result, (), parks)
    assert (ending.status, ending.outcome, ending.reason.code) == ("failed", "not_delivered", "not_allowed")
    assert result.refusals[0].host in ending.reason.text


def test_a_stop_wins_over_a_question_and_a_loss_over_it_too() -> None:
    assert after(run(), ended("stopped", None, refusals=(ASKED,))).status == "cancelled"
    assert after(run(), ended("lost", None, refusals=(ASKED,))).status == "queued"


reasons = st.sampled_from([*get_args(EndReason), "unheard of"])
results = st.builds(
    ended,
    reasons,
    st.sampled_from([None, 0, 1, -9]),
    refusals=st.sampled_from([(), (ASKED,), (WALL,), (ASKED, WALL)]),
    wrote=st.booleans(),
    problems=st.sampled_from([(), ("a: link",)]),
    deliveries=st.sampled_from([(), (MESSAGE,)]),
)
runs = st.builds(
    run,
    st.sampled_from(LIVE + SHOWN),
    attempt=st.integers(1, 5),
    permission_request_id=st.sampled_from([None, "perm_1"]),
)


@given(runs, results, st.sampled_from([(), (HELD,), (HELD, BROKEN)]), st.integers(0, 5))
def test_whatever_happens_nothing_is_promoted_or_sent_that_did_not_hold(
    of: Run, result: AttemptResult, checks: tuple[CheckOutcome, ...], parks: int
) -> None:
    ending = after(of, result, checks, parks)
    clean = (
        result.reason == "exited" and result.exit_code == 0 and not result.refusals and not result.problems
    )
    holds = all(check.held for check in checks)
    assert (ending.status == "succeeded") == clean
    assert ending.promote == (clean and holds and of.kind in LIVE)
    assert (ending.outcome == "delivered") <= ending.promote
    assert (ending.outcome == "not_delivered") == (ending.reason is not None and ending.park is None)
    if of.kind in LIVE and result.wrote:
        assert not ending.again
        assert ending.park is None


def with_ends(*statuses: str) -> Run:
    return run(
        status="succeeded",
        deliveries=[
            {"id": str(n), "channel": "slack", "text": "x", "status": status}
            for n, status in enumerate(statuses)
        ],
    )


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        (("sent",), "delivered"),
        (("sent", "sent"), "delivered"),
        (("failed",), "not_delivered"),
        (("failed", "failed"), "not_delivered"),
        (("unknown",), "doubtful"),
        (("sent", "failed"), "doubtful"),
        (("failed", "unknown"), "doubtful"),
        (("sent", "requested"), None),
        (("failed", "requested"), None),
        ((), "delivered"),
    ],
)
def test_the_outcome_is_known_when_every_message_has_an_end(
    ends: tuple[str, ...], outcome: str | None
) -> None:
    assert settled_outcome(with_ends(*ends)) == outcome


@pytest.mark.parametrize(("port", "shown"), [(443, "api.example.com "), (8443, "api.example.com:8443 ")])
def test_a_question_names_agent_and_place_in_the_platforms_words(port: int, shown: str) -> None:
    refusal = ASKED.model_copy(update={"port": port})
    assert shown in permission_sentence(refusal, "새 상품 봇", "ko")
    assert "새 상품 봇" in permission_sentence(refusal, "새 상품 봇", "ko")
    assert shown.strip() in permission_sentence(refusal, "bot", "en")
