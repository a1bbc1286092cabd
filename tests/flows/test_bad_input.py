"""What people and programs get wrong: a sentence that says what to do, in their language, and nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.house import PROFILE, House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, imported
from tests.flows.person import Answered, Json, Person
from tests.flows.siege import at_rest

pytestmark = pytest.mark.deployed


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = new_house(tmp_path_factory.mktemp("desk"))
    try:
        yield made.open()
    finally:
        made.close()


@pytest.fixture(scope="module")
def proposed(desk: House) -> Json:
    """A plan nobody has decided about."""
    return imported(desk.person(patience_s=40), agent_zip(LIVE_ONLY))


@pytest.fixture(scope="module")
def ready(desk: House) -> Json:
    """An agent that can be switched on."""
    return allowed(desk.person(patience_s=40), agent_zip(LIVE_ONLY))


CRON = {"cron": "0 9 * * *", "timezone": "Asia/Seoul"}
SCHEDULES: dict[str, dict[str, Any]] = {
    "30 February": {**CRON, "cron": "0 9 30 2 *"},
    "minute 61": {**CRON, "cron": "61 9 * * *"},
    "an unknown zone": {**CRON, "timezone": "Asia/Pyeongyang-on-sea"},
    "every second": {**CRON, "cron": "* * * * * *"},
    "words": {**CRON, "cron": "every day at nine"},
    "nothing": {**CRON, "cron": ""},
    "an end in the past": {**CRON, "until": "2020-01-01"},
    "a zone like a path": {**CRON, "timezone": "../../etc/passwd"},
    "an unknown policy": {**CRON, "missed": "maybe"},
    "an unknown key": {**CRON, "every": "day"},
}
BODIES: dict[str, tuple[str, str, bytes]] = {
    "empty text": ("POST", "/conversations", b'{"text": ""}'),
    "only blanks": ("POST", "/conversations", '{"text": " \\n\\t　"}'.encode()),
    "100 kB of text": ("POST", "/conversations", json.dumps({"text": "가" * 100_000}).encode()),
    "broken JSON": ("POST", "/conversations", b'{"text": "a'),
    "no JSON": ("POST", "/conversations", b"text=hello"),
    "not a number": ("POST", "/conversations", b'{"text": NaN}'),
    "deep JSON": ("POST", "/conversations", b"[" * 100_000),
    "half a character": ("POST", "/conversations", b'{"text": "\\ud800 hello"}'),
    "bytes that are no text": ("POST", "/conversations", b'{"text": "\xff\xfe"}'),
    "a list for an object": ("POST", "/conversations", b"[]"),
    "a number for text": ("POST", "/conversations", b'{"text": 5}'),
    "null for text": ("POST", "/conversations", b'{"text": null}'),
    "no text": ("POST", "/conversations", b"{}"),
    "an unknown key": ("POST", "/conversations", b'{"text": "hello", "admin": true}'),
    "an unknown agent": ("POST", "/conversations", b'{"text": "hello", "agent_id": "agent_x"}'),
    "an unknown language": ("POST", "/conversations", b'{"text": "hello", "language": "xx"}'),
    "an unknown zone": ("POST", "/conversations", b'{"text": "hello", "timezone": "Mars/Base"}'),
    "a message to nobody": ("POST", "/conversations/conv_x/messages", b'{"text": "hello"}'),
    "a stop of nothing": ("POST", "/conversations/conv_x/stop", b"{}"),
    "a decision about nothing": (
        "POST",
        "/plans/plan_x/decision",
        b'{"decision": "approve", "manifest_hash": "x"}',
    ),
    "a run of nothing": ("POST", "/agents/agent_x/runs", b"{}"),
    "a cancel of nothing": ("POST", "/runs/run_x/cancel", b"{}"),
    "an answer to no question": ("POST", "/permission-requests/prm_x/decision", b'{"decision": "allow"}'),
    "a resend of nothing": ("POST", "/deliveries/dlv_x/resend", b"{}"),
    "a replay of nothing": ("POST", "/dead-letters/dead_x/replay", b"{}"),
    "a practice day before the first": ("PATCH", "/practice", b'{"day": 0}'),
    "a practice day that is a word": ("PATCH", "/practice", b'{"day": "two"}'),
    "a secret under a bad name": ("PUT", "/secrets/..%2fx", b'{"value": "abc", "host": "a.example"}'),
    "a secret without a host": ("PUT", "/secrets/MY_KEY", b'{"value": "abc"}'),
    "an empty secret": ("PUT", "/secrets/MY_KEY", b'{"value": "", "host": "a.example"}'),
    "a secret that is not there": ("DELETE", "/secrets/MY_KEY", b""),
    "a list that begins nowhere": ("GET", "/agents/agent_x/runs?cursor=%00", b""),
    "a list without end": ("GET", "/conversations?limit=100000", b""),
    "a list from a made-up place": ("GET", "/conversations?cursor=AAAA", b""),
    "a word for a number": ("GET", "/conversations?limit=many", b""),
    "an unknown grouping": ("GET", "/usage?by=colour", b""),
    "an address that is none": ("GET", "/nothing-here", b""),
    "a sign-in without a secret": ("POST", "/session", b"{}"),
}


LONG = "/runs/" + "x" * 30_000
if not PROFILE:  # deployed, gunicorn refuses such a line in its own words, before it is a request
    BODIES["an id of 30 kB"] = ("GET", LONG, b"")


def refused(person: Person, method: str, path: str, body: object, **headers: str) -> Json:
    """The problem document; every answer that is none fails the test."""
    with pytest.raises(Answered) as answer:
        person.call(method, "/api/v1" + path, body, headers)
    problem = answer.value.body
    assert 400 <= answer.value.status < 500, problem
    assert set(problem) >= {"type", "title", "status", "detail", "code"}, problem
    assert problem["status"] == answer.value.status
    return problem


def is_korean(text: str) -> bool:
    return bool(re.search("[가-힣]", text))


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("what", sorted(BODIES))
def test_a_problem_says_what_to_do_and_nothing_is_written_when_the_request_has(
    what: str, language: str, desk: House
) -> None:
    method, path, body = BODIES[what]
    before = at_rest(desk)
    problem = refused(desk.person(language=language), method, path, body or None)
    assert is_korean(problem["detail"]) == (language == "ko"), problem
    assert desk.holdings.documents() == before


def test_an_address_that_is_too_long_is_refused_whoever_reads_it(desk: House) -> None:
    with pytest.raises(Answered) as answer:
        desk.person().call("GET", "/api/v1" + LONG)
    assert 400 <= answer.value.status < 500


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("what", sorted(SCHEDULES))
def test_no_plan_and_no_agent_takes_a_schedule_that_can_never_be_when_it_is(
    what: str, language: str, desk: House, proposed: Json, ready: Json
) -> None:
    before = at_rest(desk)
    for path in (f"/plans/{proposed['plan_id']}", f"/agents/{ready['agent_id']}"):
        problem = refused(desk.person(language=language), "PATCH", path, {"schedule": SCHEDULES[what]})
        assert is_korean(problem["detail"]) == (language == "ko"), problem
        assert problem.get("fields"), problem
    assert desk.holdings.documents() == before


def test_a_possible_schedule_is_taken(desk: House, proposed: Json, ready: Json) -> None:
    """The refusals above are about the schedules, not about the routes; and what changes is seen."""
    person = desk.person()
    before = at_rest(desk)
    assert person.call("PATCH", f"/api/v1/agents/{ready['agent_id']}", {"schedule": CRON})["schedule_words"]
    person.call("PATCH", f"/api/v1/plans/{proposed['plan_id']}", {"schedule": {**CRON, "cron": "0 9 29 2 *"}})
    assert desk.holdings.documents() != before


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_decision_about_another_hash_or_with_strange_secrets_is_refused(desk: House, language: str) -> None:
    person = desk.person(language=language, patience_s=40)
    plan = imported(person, agent_zip(LIVE_ONLY, slack=True))["plan"]
    path = f"/plans/{plan['id']}/decision"
    yes = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
    before = at_rest(desk)
    for body in (
        {**yes, "manifest_hash": "0" * 64},
        yes,  # the webhook's address is missing
        {**yes, "secrets": {"SLACK_WEBHOOK_URL": "not an address"}},
        {**yes, "secrets": {"SLACK_WEBHOOK_URL": "https://hooks.example.com/x", "OTHER_KEY": "abc"}},
        {**yes, "decision": "perhaps"},
    ):
        problem = refused(person, "POST", path, body)
        assert is_korean(problem["detail"]) == (language == "ko"), problem
    assert desk.holdings.documents() == before


WEBHOOK = "https://hooks.slack.com/services/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"
PASTED = {
    "a webhook": (f"매일 아침 9시에 연습 가게 신제품을 슬랙 {WEBHOOK} 로 보내줘", WEBHOOK),
    "a key": ("네이버 API 키는 aX9pasted7Qw3Er5Ty6Ui8Op 이고 매일 9시에 알려줘", "aX9pasted7Qw3Er5Ty6Ui8Op"),
    "a known key": (
        "use sk-ant-api03-pastedPASTED0123456789 every day",
        "sk-ant-api03-pastedPASTED0123456789",
    ),
    "a password": ("비밀번호는 hunter2-pasted!9 로 로그인해서 매일 확인해줘", "hunter2-pasted!9"),
    "an address with a password": ("https://me:pasted-pw-77@shop.example.com/new 를 봐줘", "pasted-pw-77"),
}


@pytest.mark.parametrize("what", sorted(PASTED))
def test_nothing_that_is_kept_holds_the_value_when_somebody_pastes(what: str, desk: House) -> None:
    text, value = PASTED[what]
    conversation = desk.person(patience_s=40).says(text)
    spoken = next(m["data"]["text"] for m in conversation["messages"] if m["author"] == "person")
    assert value not in json.dumps(conversation, ensure_ascii=False)
    assert re.search(r"\[(보관함|vault): [A-Z_]+\]", spoken), spoken
    kept = desk.holdings.everything()
    assert conversation["id"].encode() in kept
    assert value.encode() not in kept


def test_a_value_given_as_an_answer_or_later_message_is_kept_in_the_vault_only(desk: House) -> None:
    person = desk.person(patience_s=40)
    conversation = person.says("신제품을 알려줘")
    value = WEBHOOK.replace("PASTED01", "LATER001")
    person.call(
        "POST", f"/api/v1/conversations/{conversation['id']}/messages", {"text": f"웹훅은 {value} 이야"}
    )
    person.wait(
        f"/api/v1/conversations/{conversation['id']}", lambda c: "보관함" in json.dumps(c, ensure_ascii=False)
    )
    assert value.encode() not in desk.holdings.everything()


def test_the_same_key_for_another_request_is_refused_and_for_the_same_gives_the_same_answer(
    desk: House,
) -> None:
    person = desk.person()
    first = person.call("POST", "/api/v1/conversations", {"text": "hello shops"}, {"Idempotency-Key": "k1"})
    again = person.call("POST", "/api/v1/conversations", {"text": "hello shops"}, {"Idempotency-Key": "k1"})
    assert first == again
    refused(person, "POST", "/conversations", {"text": "other"}, **{"Idempotency-Key": "k1"})
