"""Leases and usage: no order, no repetition and no silence of a holder ever passes a cap or loses a token."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ledger.deps import Deps
from services.ledger.handlers import HANDLERS
from services.ledger.model import TURN_TOKENS, affordable, fits, overdue, period
from shared.bus.port import Received
from shared.clock import FakeClock, stamp
from shared.events.clock import TimeTicked
from shared.events.conversation import MessageReceived, TurnFunded, TurnRefused
from shared.events.envelope import Envelope, Event, payload
from shared.events.run import RunFinished, RunFunded, RunParked, RunRefused, RunRequested
from shared.events.usage import LeaseClosed, LeaseRecalled, TokensUsed
from shared.records.ledger import AgentDay, Budget, Lease
from tests.unit.desk import WORKSPACE, Desk

CAP = 200_000
ACK = Received("ack")


def at(folder: Path, cap: int = CAP, clock: FakeClock | None = None) -> Desk:
    return Desk(folder, "ledger", HANDLERS, lambda desk: Deps(clock=desk.clock, month_tokens=cap), clock)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = at(tmp_path)
    yield made
    made.close()


def message(id: str = "msg_1", language: str = "ko") -> MessageReceived:
    return MessageReceived.model_validate(
        {"conversation_id": "conv_1", "message_id": id, "text": "안녕", "language": language}
    )


def requested(
    id: str = "run_1", tokens: int = 0, agent: str = "agent_1", day: int | None = None
) -> RunRequested:
    return RunRequested(
        run_id=id,
        agent_id=agent,
        tokens_per_day=day,
        version_id="ver_1",
        kind="manual",
        tokens=tokens,
        deadline_at="",
        requested_at="",
    )


def finished(id: str = "run_1", lease_id: str | None = None) -> RunFinished:
    return RunFinished(
        run_id=id,
        agent_id="agent_1",
        version_id="ver_1",
        kind="manual",
        conversation_id=None,
        status="succeeded",
        outcome="delivered",
        lease_id=lease_id,
        wall_ms=1200,
        cpu_ms=300,
    )


def parked(id: str = "run_1", lease_id: str | None = None) -> RunParked:
    return RunParked(
        run_id=id,
        lease_id=lease_id,
        agent_id="agent_1",
        kind="manual",
        conversation_id=None,
        permission_request_id="perm_1",
        sentence="?",
    )


def used(lease_id: str, call_id: str, tokens: int, agent: str | None = None) -> TokensUsed:
    return TokensUsed(
        agent_id=agent,
        lease_id=lease_id,
        call_id=call_id,
        model="m",
        input_tokens=tokens - tokens // 3,
        output_tokens=tokens // 3,
        cost_usd_micros=tokens * 2,
    )


def budget(desk: Desk) -> Budget:
    (found,) = desk.documents("budgets").values()
    return Budget.from_doc(found)


def leases(desk: Desk) -> list[Lease]:
    return [Lease.from_doc(data) for data in desk.documents("leases").values()]


def test_an_answer_is_funded_with_all_a_turn_may_take(desk: Desk) -> None:
    assert desk.hears(message()) == ACK
    (funded,) = desk.said(TurnFunded)
    assert (funded.message_id, funded.tokens) == ("msg_1", TURN_TOKENS)
    assert (budget(desk).leased_tokens, budget(desk).cap_tokens) == (TURN_TOKENS, CAP)


def test_the_last_answer_of_a_month_gets_what_is_left_and_the_next_is_refused_in_its_language(
    tmp_path: Path,
) -> None:
    desk = at(tmp_path, cap=TURN_TOKENS + 10)
    desk.hears(message("msg_1"))
    desk.hears(message("msg_2"))
    desk.hears(message("msg_3"))
    desk.hears(message("msg_4", "en"))
    assert [funded.tokens for funded in desk.said(TurnFunded)] == [TURN_TOKENS, 10]
    korean, english = desk.said(TurnRefused)
    assert "토큰" in korean.reason
    assert "tokens" in english.reason
    desk.close()


def test_a_new_month_has_its_own_budget(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    desk = at(tmp_path, cap=TURN_TOKENS, clock=clock)
    desk.hears(message("msg_1"))
    clock.advance(minutes=2)
    desk.hears(message("msg_2"))
    assert len(desk.said(TurnFunded)) == 2
    first, second = desk.said(TurnFunded)
    desk.hears(LeaseClosed(lease_id=first.lease_id))
    assert {id[-7:]: data["leased_tokens"] for id, data in desk.documents("budgets").items()} == {
        "2026-01": 0,
        "2026-02": TURN_TOKENS,
    }
    assert second.lease_id != first.lease_id
    desk.close()


def test_a_run_gets_all_it_may_spend_or_nothing(desk: Desk) -> None:
    desk.hears(requested("run_1", CAP))
    desk.hears(requested("run_2", 1))
    desk.hears(requested("run_3", 0))
    assert [(f.run_id, f.tokens) for f in desk.said(RunFunded)] == [("run_1", CAP), ("run_3", 0)]
    assert [refused.run_id for refused in desk.said(RunRefused)] == ["run_2"]


def test_nothing_is_held_while_a_person_thinks_and_permission_asks_anew(desk: Desk) -> None:
    desk.hears(requested(tokens=CAP))
    (one,) = desk.said(RunFunded)
    desk.hears(parked(lease_id=one.lease_id))
    assert [recalled.lease_id for recalled in desk.said(LeaseRecalled)] == [one.lease_id]
    desk.hears(LeaseClosed(lease_id=one.lease_id))
    assert budget(desk).leased_tokens == 0
    desk.hears(requested(tokens=CAP))
    _, other = desk.said(RunFunded)
    assert one.lease_id != other.lease_id
    assert budget(desk).leased_tokens == CAP


def test_a_finished_run_gives_back_its_rest_and_stands_in_the_record(desk: Desk) -> None:
    desk.hears(requested(tokens=100))
    (funded,) = desk.said(RunFunded)
    desk.hears(used(funded.lease_id, "call_1", 30))
    desk.hears(finished(lease_id=funded.lease_id))
    assert budget(desk).leased_tokens == 70, "its holder may still be counting"
    assert [recalled.lease_id for recalled in desk.said(LeaseRecalled)] == [funded.lease_id]
    desk.hears(LeaseClosed(lease_id=funded.lease_id, spent_tokens=30))
    assert (budget(desk).leased_tokens, budget(desk).spent_tokens) == (0, 30)
    (line,) = [entry for entry in desk.documents("usage").values() if entry["run_id"] == "run_1"]
    assert (line["wall_ms"], line["cpu_ms"], line["input_tokens"]) == (1200, 300, 0)


def test_a_lease_gives_back_its_rest_once_whoever_closes_it(desk: Desk) -> None:
    desk.hears(requested("run_1", 100))
    desk.hears(requested("run_2", 1000))
    first, _ = desk.said(RunFunded)
    desk.hears(LeaseClosed(lease_id=first.lease_id))
    desk.hears(parked("run_1", first.lease_id))
    desk.hears(finished("run_1", first.lease_id))
    desk.hears(LeaseClosed(lease_id=first.lease_id))
    assert budget(desk).leased_tokens == 1000
    assert desk.said(LeaseRecalled) == []


def test_a_run_without_tokens_has_no_holder_to_ask(desk: Desk) -> None:
    desk.hears(requested())
    (funded,) = desk.said(RunFunded)
    desk.hears(finished(lease_id=funded.lease_id))
    assert desk.said(LeaseRecalled) == []
    assert [lease.status for lease in leases(desk)] == ["closed"]


def test_the_runs_of_an_agent_share_its_day_and_get_all_or_nothing(desk: Desk) -> None:
    desk.hears(requested("run_1", 60, day=100))
    desk.hears(requested("run_2", 60, day=100))
    desk.hears(requested("run_3", 60, agent="agent_2", day=100))
    desk.hears(requested("run_4", 0, day=100))
    assert [funded.run_id for funded in desk.said(RunFunded)] == ["run_1", "run_3", "run_4"]
    (refused,) = desk.said(RunRefused)
    assert refused.run_id == "run_2"
    assert "100" in refused.reason
    assert {"하루", "tomorrow"} <= set(refused.reason.replace(",", " ").split())
    desk.clock.advance(hours=24)
    desk.hears(requested("run_5", 60, day=100))
    assert desk.said(RunFunded)[-1].run_id == "run_5"


def test_a_day_gets_back_what_a_run_did_not_use(desk: Desk) -> None:
    desk.hears(requested("run_1", 100, day=100))
    (funded,) = desk.said(RunFunded)
    desk.hears(used(funded.lease_id, "call_1", 30))
    desk.hears(LeaseClosed(lease_id=funded.lease_id, spent_tokens=30))
    (day,) = desk.documents("agent_days").values()
    assert (day["leased_tokens"], day["spent_tokens"], day["day"]) == (0, 30, "2026-01-05")
    desk.hears(requested("run_2", 71, day=100))
    desk.hears(requested("run_3", 70, day=100))
    assert [funded.run_id for funded in desk.said(RunFunded)] == ["run_1", "run_3"]


def test_a_months_tokens_of_an_agent_are_the_sum_of_its_calls_each_once(desk: Desk) -> None:
    desk.hears(requested("run_1", 100))
    desk.hears(requested("run_2", 100, agent="agent_2"))
    first, second = desk.said(RunFunded)
    for call, lease, tokens in (("call_1", first, 30), ("call_2", second, 5), ("call_3", first, 4)):
        desk.hears(used(lease.lease_id, call, tokens, lease.agent_id))
        desk.hears(used(lease.lease_id, call, tokens, lease.agent_id))
    desk.hears(used(first.lease_id, "call_of_no_agent", 7))
    desk.hears(finished(lease_id=first.lease_id))
    desk.clock.advance(hours=24 * 31)
    desk.hears(used(second.lease_id, "call_4", 1, "agent_1"))
    months = desk.documents("agent_months")
    assert {id: month["tokens"] for id, month in months.items()} == {
        "agent_1-2026-01": 34,
        "agent_2-2026-01": 5,
        "agent_1-2026-02": 1,
    }


def test_a_day_without_tokens_lets_none_be_used(desk: Desk) -> None:
    desk.hears(requested("run_1", 1, day=0))
    assert [refused.run_id for refused in desk.said(RunRefused)] == ["run_1"]


def test_what_a_server_reports_above_a_lease_is_spent_while_there_is_room_and_over_beyond_it(
    tmp_path: Path,
) -> None:
    desk = at(tmp_path, cap=100)
    desk.hears(requested("run_1", 60))
    (funded,) = desk.said(RunFunded)
    desk.hears(used(funded.lease_id, "call_1", 150))
    now = budget(desk)
    assert (now.leased_tokens, now.spent_tokens, now.over_tokens) == (0, 100, 50)
    (line,) = desk.documents("usage").values()
    assert line["input_tokens"] + line["output_tokens"] == 150
    desk.hears(LeaseClosed(lease_id=funded.lease_id, spent_tokens=150))
    desk.hears(requested("run_2", 1))
    assert [refused.run_id for refused in desk.said(RunRefused)] == ["run_2"]
    assert desk.hears(requested("run_3", 0)) == ACK
    assert desk.said(RunFunded)[-1].run_id == "run_3", "what costs nothing goes on"
    desk.close()


def test_what_is_over_counts_before_anything_new_is_granted(tmp_path: Path) -> None:
    desk = at(tmp_path, cap=100)
    desk.hears(requested("run_1", 60))
    desk.hears(requested("run_2", 40))
    first, second = desk.said(RunFunded)
    desk.hears(used(first.lease_id, "call_1", 75))
    assert (budget(desk).spent_tokens, budget(desk).over_tokens) == (60, 15)
    desk.hears(LeaseClosed(lease_id=second.lease_id))
    desk.hears(requested("run_3", 26))
    desk.hears(requested("run_4", 25))
    assert [funded.run_id for funded in desk.said(RunFunded)] == ["run_1", "run_2", "run_4"]
    desk.close()


def test_a_use_without_a_price_is_in_no_cost_and_says_so(desk: Desk) -> None:
    desk.hears(requested("run_1", 100))
    (funded,) = desk.said(RunFunded)
    unpriced = used(funded.lease_id, "call_1", 30).model_copy(update={"cost_usd_micros": 0, "priced": False})
    desk.hears(unpriced)
    desk.hears(used(funded.lease_id, "call_2", 10))
    assert (budget(desk).spent_usd_micros, budget(desk).unpriced_tokens) == (20, 30)
    assert {line["priced"] for line in desk.documents("usage").values()} == {True, False}


def test_a_fact_about_a_lease_nobody_has_heard_of_waits(desk: Desk) -> None:
    assert desk.hears(used("lease_x", "call_1", 5)).verdict == "retry"
    assert desk.hears(LeaseClosed(lease_id="lease_x")).verdict == "retry"
    assert desk.documents("usage") == {}


def test_one_call_is_one_line_however_often_it_is_reported(desk: Desk) -> None:
    desk.hears(message())
    (funded,) = desk.said(TurnFunded)
    for _ in range(3):
        assert desk.hears(used(funded.lease_id, "call_1", 90)) == ACK
    assert len(desk.documents("usage")) == 1
    assert (budget(desk).spent_tokens, budget(desk).spent_usd_micros) == (90, 180)
    assert budget(desk).leased_tokens == TURN_TOKENS - 90


def test_a_lease_stays_open_until_all_its_holder_spent_is_known(desk: Desk) -> None:
    desk.hears(message())
    (funded,) = desk.said(TurnFunded)
    closing = desk.envelope(LeaseClosed(lease_id=funded.lease_id, spent_tokens=90))
    assert desk.hears_again(closing).verdict == "retry"
    desk.hears(used(funded.lease_id, "call_1", 90))
    assert desk.hears_again(closing) == ACK
    assert (budget(desk).leased_tokens, budget(desk).spent_tokens) == (0, 90)


@pytest.mark.parametrize("late_s", [0, 1])
def test_what_a_dead_holder_left_is_free_a_quarter_of_an_hour_after_its_end(desk: Desk, late_s: int) -> None:
    desk.hears(message())
    desk.clock.advance(minutes=30, seconds=late_s)
    desk.hears(TimeTicked(at=""))
    assert budget(desk).leased_tokens == (0 if late_s else TURN_TOKENS)


def test_another_workspace_has_another_cap(desk: Desk) -> None:
    desk.hears(requested("run_1", CAP))
    desk.hears(requested("run_2", CAP), workspace="wsp_two")
    assert len(desk.said(RunFunded)) == 2
    assert {data["workspace_id"] for data in desk.documents("budgets").values()} == {WORKSPACE, "wsp_two"}


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_what_is_affordable_fits(cap: int, leased: int, spent: int, wished: int) -> None:
    now = Budget(
        id="b", workspace_id="w", period="2026-01", cap_tokens=cap, leased_tokens=leased, spent_tokens=spent
    )
    granted = affordable(now, wished)
    assert 0 <= granted <= wished
    if granted:
        assert fits(now, granted)
        assert granted == wished or not fits(now, granted + 1)


def test_the_month_is_counted_in_utc_and_grace_is_not_shortened() -> None:
    assert period(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == "2026-11"
    lease = Lease(
        id="l",
        workspace_id="w",
        holder="run",
        holder_id="r",
        budget_id="b",
        tokens=1,
        expires_at="2026-01-01T00:00:00.000000Z",
        at="",
    )
    assert not overdue(lease, datetime(2026, 1, 1, 0, 15, tzinfo=UTC))
    assert overdue(lease, datetime(2026, 1, 1, 0, 15, 0, 1, tzinfo=UTC))
    assert not overdue(lease.but(status="closed"), datetime(2027, 1, 1, tzinfo=UTC))


@dataclass
class Storm:
    """Holders who spend what they got, and a bus that doubles, delays and shuffles what they say."""

    desk: Desk
    dice: random.Random
    waiting: list[Envelope] = field(default_factory=list)
    calls: int = 0
    spent: int = 0
    runs: int = 0
    greedy: bool = False

    def say(self, event: Event) -> None:
        self.waiting.append(self.desk.envelope(event))

    def asks(self) -> None:
        self.runs += 1
        wished = self.dice.choice([0, 1, 30_000, CAP // 2])
        self.say(
            message(f"msg_{self.runs}")
            if self.dice.random() < 0.5
            else requested(f"run_{self.runs}", wished, day=self.dice.choice([None, CAP // 2]))
        )

    def delivers(self) -> None:
        if not self.waiting:
            return
        envelope = self.dice.choice(self.waiting)
        received = self.desk.hears_again(envelope)
        assert received.verdict != "dead", received.reason
        if received.verdict == "ack" and self.dice.random() < 0.6:
            self.waiting.remove(envelope)
        self.holds()
        for out in self.desk.outgoing():
            self.spends(out)

    def spends(self, out: Envelope) -> None:
        """A holder got its money: some calls, then it is done, dies, or (a run) is parked and asks again."""
        turn = out.type == TurnFunded.type()
        if not turn and out.type != RunFunded.type():
            return
        got = payload(out, TurnFunded) if turn else payload(out, RunFunded)
        total, left = 0, got.tokens
        for _ in range(self.dice.randrange(4) if left else 0):
            tokens = self.dice.randint(0, left)
            more = self.dice.choice([0, 0, 0, left, CAP]) if self.greedy else 0
            self.calls, total, left = self.calls + 1, total + tokens + more, max(0, left - tokens - more)
            tokens += more
            self.say(used(got.lease_id, f"call_{self.calls}", tokens))
        self.spent += total
        if self.dice.random() < 0.8:
            self.say(LeaseClosed(lease_id=got.lease_id, spent_tokens=total))

    def holds(self) -> None:
        for data in self.desk.documents("budgets").values():
            now = Budget.from_doc(data)
            mine = [
                lease for lease in leases(self.desk) if lease.status == "open" and lease.budget_id == now.id
            ]
            assert now.leased_tokens == sum(max(0, lease.tokens - lease.spent_tokens) for lease in mine)
            assert now.leased_tokens + now.spent_tokens <= now.cap_tokens
            assert min(now.leased_tokens, now.spent_tokens) >= 0
        for data in self.desk.documents("agent_days").values():
            day = AgentDay.from_doc(data)
            assert day.leased_tokens + day.spent_tokens <= day.cap_tokens
            assert min(day.leased_tokens, day.spent_tokens) >= 0


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), greedy=st.booleans())
def test_open_leases_and_what_is_spent_never_pass_the_cap_in_any_order(seed: int, greedy: bool) -> None:
    """greedy: servers that report more than anybody granted."""
    with TemporaryDirectory() as folder:
        desk = at(Path(folder))
        storm = Storm(desk, random.Random(seed), greedy=greedy)
        for _ in range(60):
            if storm.dice.random() < 0.4:
                storm.asks()
            storm.delivers()
        for _ in range(2000):
            if not storm.waiting:
                break
            storm.delivers()
        assert storm.waiting == [], "every fact is taken in the end"

        desk.clock.advance(hours=7)
        for _ in leases(desk):
            desk.hears(TimeTicked(at=stamp(desk.clock.now())))
        storm.holds()
        assert {lease.status for lease in leases(desk)} <= {"closed"}
        total = budget(desk)
        lines = desk.documents("usage").values()
        assert total.leased_tokens == 0
        counted = sum(e["input_tokens"] + e["output_tokens"] for e in lines)
        assert total.spent_tokens + total.over_tokens == storm.spent == counted
        assert greedy or total.over_tokens == 0
        assert total.spent_usd_micros == sum(e["cost_usd_micros"] for e in lines)
        assert len(lines) == storm.calls
        desk.close()
