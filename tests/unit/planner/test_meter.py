"""A lease is never passed, and every token a server reports is counted once: whatever it reports, however often,
and whoever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.planner import meter as meters
from services.planner.meter import Meter
from services.planner.ports import Usage
from shared.clock import FakeClock, stamp
from shared.errors import Conflict, NotFound, OverBudget
from shared.events.run import RunFunded
from shared.events.usage import LeaseClosed, LeaseRecalled, TokensUsed
from shared.store.port import Cause, Tx
from tests.unit.desk import WORKSPACE, Desk
from tests.unit.planner.spending import PLANNER, WAYS, Spending

CAUSE = Cause(WORKSPACE, "service:planner")
LIMIT_S = 60.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, "planner", PLANNER, lambda desk: None, FakeClock())
    made.hears(funded(made))
    yield made
    made.close()


def funded(desk: Desk, tokens: int = 100, lease_id: str = "lease_1", hours: int = 6) -> RunFunded:
    at = desk.clock.now().replace(hour=desk.clock.now().hour + hours)
    return RunFunded(
        run_id="run_1", lease_id=lease_id, tokens=tokens, expires_at=stamp(at), agent_id="agent_1"
    )


def reserve(desk: Desk, call_id: str, tokens: int, *, turn: str = "", limit_s: float = LIMIT_S) -> None:
    meters.reserve(
        desk.store,
        "lease_1",
        call_id,
        turn=turn or call_id,
        model="claude-haiku-4-5",
        tokens=tokens,
        limit_s=limit_s,
        clock=desk.clock,
    )


def settle(desk: Desk, call_id: str, usage: Usage | None) -> Meter | None:
    return desk.store.transact(lambda tx: meters.settle(tx, "lease_1", call_id, usage), cause=CAUSE)


def meter(desk: Desk) -> Meter:
    found = meters.find_meter(desk.store, "lease_1")
    assert found is not None
    return found


def test_a_run_without_tokens_opens_no_meter(desk: Desk) -> None:
    desk.hears(funded(desk, tokens=0, lease_id="lease_0"))
    assert list(desk.documents(meters.METERS)) == ["lease_1"]


def test_what_is_set_aside_is_nobody_elses_until_it_is_counted(desk: Desk) -> None:
    reserve(desk, "call_1", 60)
    with pytest.raises(OverBudget) as refused:
        reserve(desk, "call_2", 41)
    assert refused.value.code == "lease_full"
    settle(desk, "call_1", Usage(10, 5, cache_read=3, cache_write_1h=2))
    reserve(desk, "call_2", 80)
    (used,) = desk.said(TokensUsed)
    assert (used.input_tokens, used.output_tokens, used.call_id) == (15, 5, "call_1")
    assert (used.agent_id, used.run_id, used.priced) == ("agent_1", "run_1", True)
    # 10 read at $1, 5 written at $5, 3 from the cache at $0.10, 2 kept an hour at $2: 39.3, rounded up
    assert used.cost_usd_micros == 40


def test_unknown_use_is_all_that_was_set_aside(desk: Desk) -> None:
    reserve(desk, "call_1", 60)
    settle(desk, "call_1", None)
    assert meter(desk).left == 40
    assert [(u.input_tokens, u.output_tokens) for u in desk.said(TokensUsed)] == [(60, 0)]


def test_a_refused_call_gives_back_all_of_it(desk: Desk) -> None:
    reserve(desk, "call_1", 60)
    meters.release(desk.store, "lease_1", "call_1")
    assert meter(desk).left == 100
    assert desk.said(TokensUsed) == []


def test_a_call_is_counted_once_however_often_it_is_reported(desk: Desk) -> None:
    reserve(desk, "call_1", 60)
    assert settle(desk, "call_1", Usage(10, 5)) is not None
    assert settle(desk, "call_1", Usage(99, 99)) is None
    assert (meter(desk).spent, len(desk.said(TokensUsed))) == (15, 1)


def test_a_call_that_is_over_pays_for_no_other(desk: Desk) -> None:
    reserve(desk, "call_1", 60)
    reserve(desk, "call_1", 60)
    assert meter(desk).left == 40, "asked again while it is open: nothing more"
    settle(desk, "call_1", Usage(10, 5))
    with pytest.raises(Conflict):
        reserve(desk, "call_1", 60)


def test_the_second_try_of_a_turn_counts_the_first_as_spent(desk: Desk) -> None:
    reserve(desk, "call_1", 60, turn="turn-3")
    reserve(desk, "call_2", 40, turn="turn-3")
    assert (meter(desk).spent, meter(desk).left) == (60, 0)


def test_the_first_counts_as_spent_also_when_the_second_no_longer_fits(desk: Desk) -> None:
    reserve(desk, "call_1", 60, turn="turn-3")
    with pytest.raises(OverBudget):
        reserve(desk, "call_2", 41, turn="turn-3")
    assert (meter(desk).spent, meter(desk).left) == (60, 40)


@pytest.mark.parametrize(("limit_s", "fits"), [(6 * 3600, True), (6 * 3600 + 1, False)])
def test_no_call_begins_that_could_outlive_its_lease(desk: Desk, limit_s: float, fits: bool) -> None:
    if fits:
        reserve(desk, "call_1", 1, limit_s=limit_s)
        return
    with pytest.raises(OverBudget) as refused:
        reserve(desk, "call_1", 1, limit_s=limit_s)
    assert refused.value.code == "lease_late"


def test_without_a_lease_nothing_is_called(desk: Desk) -> None:
    with pytest.raises(NotFound):
        meters.reserve(
            desk.store, "lease_x", "call_1", turn="t", model="m", tokens=1, limit_s=1, clock=desk.clock
        )


def test_a_server_that_reports_more_than_it_was_given_is_believed_and_ends_the_lease(desk: Desk) -> None:
    reserve(desk, "call_1", 60)
    settle(desk, "call_1", Usage(150, 50))
    assert (meter(desk).spent, meter(desk).left) == (200, 0)
    with pytest.raises(OverBudget):
        reserve(desk, "call_2", 1)
    desk.hears(LeaseRecalled(lease_id="lease_1"))
    assert [closed.spent_tokens for closed in desk.said(LeaseClosed)] == [200]


def test_a_lease_asked_back_begins_nothing_and_ends_with_its_last_call(desk: Desk) -> None:
    reserve(desk, "call_1", 30)
    reserve(desk, "call_2", 30)
    desk.hears(LeaseRecalled(lease_id="lease_1"))
    with pytest.raises(OverBudget):
        reserve(desk, "call_3", 1)
    settle(desk, "call_1", Usage(5, 5))
    assert desk.said(LeaseClosed) == []
    settle(desk, "call_2", Usage(1, 1))
    assert [closed.spent_tokens for closed in desk.said(LeaseClosed)] == [12]
    desk.hears(LeaseRecalled(lease_id="lease_1"))
    assert len(desk.said(LeaseClosed)) == 1


def test_a_lease_asked_back_before_anybody_heard_of_it_waits(desk: Desk) -> None:
    assert desk.hears(LeaseRecalled(lease_id="lease_2")).verdict == "retry"


def test_a_call_whose_process_died_is_counted_when_it_cannot_come_back(desk: Desk) -> None:
    reserve(desk, "call_1", 30)
    assert not swept(desk)
    desk.clock.advance(seconds=LIMIT_S + 121)
    assert swept(desk)
    assert (meter(desk).spent, meter(desk).open) == (30, ())
    assert settle(desk, "call_1", Usage(1, 1)) is None, "too late: it is in the record as it was reserved"


def test_what_has_expired_is_closed(desk: Desk) -> None:
    reserve(desk, "call_1", 30)
    desk.clock.advance(hours=6, seconds=1)
    assert swept(desk)
    assert [closed.spent_tokens for closed in desk.said(LeaseClosed)] == [30]
    assert meters.open_meters(desk.store) == []


def swept(desk: Desk) -> bool:
    def sweep(tx: Tx) -> bool:
        found = meters.find_meter(tx, "lease_1")
        return found is not None and meters.sweep(tx, found, desk.clock.now())

    return desk.store.transact(sweep, cause=CAUSE)


def told(spending: Spending) -> int:
    return sum(entry["input_tokens"] + entry["output_tokens"] for entry in spending.entries())


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_eight_at_once_against_a_server_that_reports_what_it_likes(seed: int) -> None:
    with TemporaryDirectory() as folder:
        spending = Spending(Path(folder), seed, month=12_000, day=6_000, run=3_000)
        for _ in range(2):
            spending.go(calls=40)
        spending.end()
        counted = sum(spending.reported.tokens.values())
        (month,) = spending.budgets()
        assert told(spending) == counted == month.spent_tokens + month.over_tokens
        assert month.spent_tokens <= month.cap_tokens
        assert {lease.status for lease in spending.leases()} == {"closed"}
        assert month.leased_tokens == 0
        spending.close()


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_a_server_that_stays_within_what_it_was_given_never_passes_any_cap(seed: int) -> None:
    with TemporaryDirectory() as folder:
        ways = [way for way in WAYS if way != "more"]
        spending = Spending(Path(folder), seed, month=12_000, day=6_000, run=3_000, ways=ways)
        for _ in range(2):
            spending.go(calls=40)
        spending.end()
        counted = sum(spending.reported.tokens.values())
        (month,) = spending.budgets()
        assert month.over_tokens == 0
        assert told(spending) == counted == month.spent_tokens <= month.cap_tokens
        assert all(lease.spent_tokens <= lease.tokens for lease in spending.leases())
        spending.close()
