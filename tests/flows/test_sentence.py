"""The sentence the product is about: three shops, every morning, keywords, a chat message."""

from __future__ import annotations

import pytest

from tests.flows.house import House
from tests.flows.person import Person
from tests.flows.shops import Shops, Sink

pytestmark = [
    pytest.mark.deployed,
    pytest.mark.timeout(180),  # a broken day is six runs, each at a polite pace, and emulators are slow
]


def the_sentence(shops: Shops) -> str:
    places = ", ".join(shops.address(shop) for shop in "abc")
    return (
        f"매일 아침 9시에 경쟁사 웹사이트 3곳({places})의 신제품 정보를 긁어와서, "
        "주요 키워드를 분석하고, 그 결과를 슬랙으로 보고해 줘"
    )


def switched_on(person: Person, shops: Shops, sink: Sink) -> str:
    conversation = person.says(the_sentence(shops))
    assert conversation["state"] == "proposed", conversation["problem"]
    ready = person.allows(conversation, {"SLACK_WEBHOOK_URL": sink.address})
    assert ready["state"] == "ready", ready["problem"]
    person.switches(ready["agent_id"], True)
    return str(ready["agent_id"])


def text_of(sink: Sink, position: int = -1) -> str:
    return str(sink.bodies[position]["text"])


def test_the_rehearsal_shows_the_exact_message_and_sends_nothing(
    any_house: House, shops: Shops, sink: Sink
) -> None:
    person = any_house.person()
    conversation = person.says(the_sentence(shops))
    ready = person.allows(conversation, {"SLACK_WEBHOOK_URL": sink.address})

    shown = ready["test_run"]["deliveries"]
    assert [delivery["status"] for delivery in shown] == ["shown"]
    assert sink.bodies == []

    person.switches(ready["agent_id"], True)
    run = any_house.slot_run(person, ready["agent_id"])
    assert (run["status"], run["outcome"]) == ("succeeded", "delivered")
    assert len(sink.bodies) == 1
    for title in ("리넨 셔츠 화이트", "캠핑 랜턴 충전식", "드립백 세트"):
        assert title in shown[0]["text"]
        assert title in text_of(sink)


def test_the_next_day_reports_only_what_is_new_and_an_empty_day_says_so(
    any_house: House, shops: Shops, sink: Sink
) -> None:
    person = any_house.person()
    agent_id = switched_on(person, shops, sink)
    any_house.slot_run(person, agent_id)

    shops.items["b"].append(("b9", "캠핑 테이블 알루미늄", 79000))
    second = any_house.slot_run(person, agent_id)
    assert second["outcome"] == "delivered"
    assert "캠핑 테이블 알루미늄" in text_of(sink)
    assert "리넨 셔츠 화이트" not in text_of(sink)

    third = any_house.slot_run(person, agent_id)
    assert third["outcome"] == "delivered"
    assert "새 상품이 없어요" in text_of(sink)
    assert len(sink.bodies) == 3


def test_a_broken_day_is_said_in_words_and_the_next_good_one_misses_nothing(
    any_house: House, shops: Shops, sink: Sink
) -> None:
    person = any_house.person()
    agent_id = switched_on(person, shops, sink)
    any_house.slot_run(person, agent_id)
    shops.items["a"].append(("a9", "캐시미어 니트 네이비", 129000))

    for trouble in ({"a": "500"}, {"b": "markup"}, {"c": "empty"}, {"a": "500", "b": "markup", "c": "empty"}):
        shops.trouble = trouble
        run = any_house.slot_run(person, agent_id)
        assert run["status"] == "succeeded"
        assert run["outcome"] in ("doubtful", "not_delivered")
        assert "가게" in run["reason"]["text"] or "127.0.0." in run["reason"]["text"]
        assert len(sink.bodies) == 1

    shops.trouble = {}
    run = any_house.slot_run(person, agent_id)
    assert run["outcome"] == "delivered"
    assert "캐시미어 니트 네이비" in text_of(sink)
    assert len(sink.bodies) == 2
