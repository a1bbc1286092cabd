"""From a message to an answer: paid first, the newest message only, money back in the end."""

from __future__ import annotations

import json

import pytest

from services.planner.recipes.talk import Look
from shared.bus.dispatch import CLAIMS
from shared.errors import Unavailable
from shared.events.clock import TimeTicked
from shared.events.conversation import (
    ConversationStopRequested,
    LookFinished,
    LookRequested,
    MessageReceived,
    TurnFunded,
    TurnRefused,
)
from shared.events.usage import LeaseClosed
from tests.unit.planner.conftest import ASK, LOOK, PROPOSE, REFUSE, SHOP, PlannerDesk


def given_back(desk: PlannerDesk) -> list[str]:
    return [event.lease_id for event in desk.said(LeaseClosed)]


def looked(desk: PlannerDesk, key: str | None) -> LookFinished:
    return LookFinished(
        conversation_id="conv_1", look_id=desk.said(LookRequested)[-1].look_id, result_key=key, problem=""
    )


def test_nothing_is_answered_before_it_is_paid_for(desk: PlannerDesk) -> None:
    desk.says()
    assert desk.works() == 0
    assert desk.engine.seen == []
    assert desk.state() == "thinking"


def test_a_proposal_becomes_plan_and_candidate_and_the_lease_goes_back(desk: PlannerDesk) -> None:
    lease = desk.turns(PROPOSE)
    (plan,) = desk.documents("plans").values()
    (version,) = desk.documents("versions").values()
    assert (desk.state(), desk.conversation["plan_id"]) == ("proposed", plan["id"])
    assert (plan["status"], version["status"], version["number"]) == ("proposed", "candidate", None)
    assert plan["manifest_hash"] == version["manifest_hash"]
    assert len(plan["next_firings"]) == 5
    assert given_back(desk) == [lease]
    assert [kind for kind, _ in desk.entries()] == ["text", "text", "plan"]


def test_a_question_waits_for_the_person_with_the_money_given_back(desk: PlannerDesk) -> None:
    lease = desk.turns(ASK, PROPOSE)
    assert desk.state() == "asking"
    assert given_back(desk) == [lease]
    assert desk.entries()[-1][1]["answered"] is None
    desk.says("msg_2", "", answers={"channel": "inbox"})
    assert desk.entries()[-2][1]["answered"] == {"channel": "inbox"}
    desk.funds("msg_2")
    desk.works()
    assert desk.engine.seen[-1].answers == {"channel": "inbox"}
    assert desk.state() == "proposed"


def test_a_refusal_says_what_would_work(desk: PlannerDesk) -> None:
    desk.turns(REFUSE)
    assert (desk.state(), desk.conversation["problem"]) == ("failed", "그건 아직 못 해요.")
    assert desk.entries()[-1][1]["suggestions"] == ["가게를 살펴봐 줘"]


def test_money_for_an_older_message_goes_straight_back(desk: PlannerDesk) -> None:
    desk.says("msg_1")
    desk.says("msg_2", "그리고 표로")
    late = desk.funds("msg_1")
    assert given_back(desk) == [late]
    assert desk.documents(CLAIMS) == {}
    desk.funds("msg_2")
    desk.works()
    assert desk.engine.seen[0].messages == ("새 상품을 알려 줘", "그리고 표로")


def test_money_that_comes_before_its_message_waits(desk: PlannerDesk) -> None:
    early = TurnFunded(conversation_id="conv_1", message_id="msg_1", lease_id="l", tokens=1, expires_at="")
    assert desk.hears(early).verdict == "retry"
    assert desk.hears(TurnRefused(conversation_id="conv_1", message_id="msg_1", reason="")).verdict == "retry"
    assert desk.hears(ConversationStopRequested(conversation_id="conv_1")).verdict == "retry"


def test_an_answer_that_was_overtaken_is_thrown_away_and_its_money_given_back(desk: PlannerDesk) -> None:
    desk.engine.steps = [ASK, PROPOSE]
    desk.says("msg_1")
    old = desk.funds("msg_1")
    desk.engine.during = lambda: desk.says("msg_2", "아니, 매주로")
    desk.works()
    assert desk.state() == "thinking"
    new = desk.funds("msg_2")
    desk.works()
    assert desk.state() == "proposed"
    assert given_back(desk) == [old, new]


def test_no_money_fails_the_conversation_in_the_ledgers_words(desk: PlannerDesk) -> None:
    desk.says()
    desk.hears(TurnRefused(conversation_id="conv_1", message_id="msg_1", reason="토큰을 다 썼어요."))
    assert (desk.state(), desk.conversation["problem"]) == ("failed", "토큰을 다 썼어요.")


def test_no_money_for_an_older_message_says_nothing_about_the_newest(desk: PlannerDesk) -> None:
    desk.says("msg_1")
    desk.says("msg_2")
    desk.hears(TurnRefused(conversation_id="conv_1", message_id="msg_1", reason="토큰을 다 썼어요."))
    assert desk.state() == "thinking"
    desk.funds("msg_2")
    desk.works()
    assert desk.state() == "proposed"


def test_looking_goes_on_with_what_was_found(desk: PlannerDesk) -> None:
    lease = desk.turns(LOOK, PROPOSE)
    (request,) = desk.said(LookRequested)
    assert request.addresses == (SHOP,)
    assert given_back(desk) == []
    page = {"address": SHOP, "ok": True, "kind": "json-ld", "count": 24, "samples": ["셔츠"]}
    desk.blobs.put("executor/looks/1.json", json.dumps({"addresses": [page]}).encode())
    desk.hears(looked(desk, "executor/looks/1.json"))
    desk.works()
    assert desk.engine.seen[-1].looks[SHOP].count == 24
    assert desk.state() == "proposed"
    assert given_back(desk) == [lease]


@pytest.mark.parametrize("found", [b'{"addresses": []}', b"no JSON", b'{"addresses": [{"address": 7}, "x"]}'])
def test_an_address_that_looking_did_not_answer_counts_as_seen(desk: PlannerDesk, found: bytes) -> None:
    desk.turns(LOOK, PROPOSE)
    desk.blobs.put("executor/looks/1.json", found)
    desk.hears(looked(desk, "executor/looks/1.json"))
    desk.works()
    assert desk.engine.seen[-1].looks[SHOP].problem == "refused"
    assert desk.state() == "proposed"


def test_a_failed_look_counts_as_seen(desk: PlannerDesk) -> None:
    desk.turns(LOOK, PROPOSE)
    desk.hears(looked(desk, None))
    desk.works()
    assert desk.engine.seen[-1].looks[SHOP].problem == "refused"
    assert desk.state() == "proposed"
    assert len(desk.said(LookRequested)) == 1


def test_a_look_that_was_not_awaited_any_more_changes_nothing(desk: PlannerDesk) -> None:
    desk.turns(LOOK, PROPOSE)
    finished = looked(desk, None)
    desk.hears(finished)
    desk.works()
    desk.hears(finished)
    assert desk.works() == 0


def test_a_look_for_an_older_message_starts_no_unpaid_turn(desk: PlannerDesk) -> None:
    desk.turns(LOOK, PROPOSE)
    desk.says("msg_2", "아니, 다른 가게")
    desk.hears(looked(desk, None))
    assert desk.works() == 0
    desk.funds("msg_2")
    assert desk.works() == 1


def test_stop_gives_the_money_back_and_nothing_comes_after_it(desk: PlannerDesk) -> None:
    lease = desk.turns(LOOK, PROPOSE)
    desk.hears(ConversationStopRequested(conversation_id="conv_1"))
    assert desk.state() == "stopped"
    assert given_back(desk) == [lease]
    desk.hears(looked(desk, None))
    assert desk.works() == 0


def test_stop_before_the_money_comes_sends_it_back(desk: PlannerDesk) -> None:
    desk.says()
    desk.hears(ConversationStopRequested(conversation_id="conv_1"))
    lease = desk.funds()
    assert given_back(desk) == [lease]
    assert desk.works() == 0


def test_stop_in_the_middle_of_a_turn_throws_its_answer_away(desk: PlannerDesk) -> None:
    def stop() -> None:
        desk.hears(ConversationStopRequested(conversation_id="conv_1"))

    desk.engine.during = stop
    lease = desk.turns(PROPOSE)
    assert desk.state() == "stopped"
    assert desk.documents("plans") == {}
    assert given_back(desk) == [lease]


def test_stop_changes_nothing_when_there_is_nothing_to_stop(desk: PlannerDesk) -> None:
    desk.turns(REFUSE)
    before = desk.entries()
    desk.hears(ConversationStopRequested(conversation_id="conv_1"))
    assert desk.entries() == before


def test_the_next_message_goes_on_after_a_stop(desk: PlannerDesk) -> None:
    desk.says()
    desk.hears(ConversationStopRequested(conversation_id="conv_1"))
    desk.says("msg_2", "계속해 줘")
    desk.funds("msg_2")
    desk.works()
    assert desk.state() == "proposed"


def test_an_engine_that_does_not_answer_fails_the_conversation_after_its_tries(desk: PlannerDesk) -> None:
    def away() -> None:
        desk.engine.during = away
        raise Unavailable("지금은 답을 받을 수 없어요.")

    desk.engine.during = away
    lease = desk.turns(PROPOSE)
    for _ in range(6):
        desk.clock.advance(seconds=60)
        desk.works()
    assert (desk.state(), desk.conversation["problem"]) == (
        "failed",
        "지금은 답을 받을 수 없어요.",
    )
    assert given_back(desk) == [lease]


def test_a_defect_is_said_in_words_and_not_in_python(desk: PlannerDesk, expect_errors: list[str]) -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    desk.engine.during = broken
    lease = desk.turns(PROPOSE)
    assert desk.state() == "failed"
    assert "division" not in str(desk.conversation["problem"])
    assert "ZeroDivisionError" not in json.dumps(desk.entries())
    assert given_back(desk) == [lease]


@pytest.mark.parametrize(("minutes", "state"), [(9.9, "thinking"), (10, "stopped")])
def test_a_conversation_that_never_gets_an_answer_says_so(
    desk: PlannerDesk, minutes: float, state: str
) -> None:
    desk.says()
    desk.clock.advance(minutes=minutes)
    desk.hears(TimeTicked(at=""))
    assert desk.state() == state


def test_the_same_message_twice_is_one_message(desk: PlannerDesk) -> None:
    event = MessageReceived(conversation_id="conv_1", message_id="msg_1", text="안녕")
    envelope = desk.envelope(event)
    desk.hears_again(envelope)
    desk.hears_again(envelope)
    assert len(desk.entries()) == 1
    assert desk.documents("builds")["conv_1"]["messages"] == ["안녕"]


def test_each_message_looks_for_itself(desk: PlannerDesk) -> None:
    desk.turns(Look((SHOP,)))
    desk.says("msg_2", "다시")
    desk.funds("msg_2")
    desk.works()
    one, other = desk.said(LookRequested)
    assert one.look_id != other.look_id
    assert one.addresses == other.addresses
