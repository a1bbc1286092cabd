"""Talking over the API: what is asked is readable at once, emitted once, and hides what is secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.gateway.model.access import OWNER_WORKSPACE
from shared.events.conversation import ConversationStopRequested, MessageReceived
from shared.records.planner import ConversationEntry
from tests.unit.gateway.conftest import World

HOOK = "http://127.0.0.1:9123/services/T000/B000/aVerySecretTail"


def entry(seq: int, **more: object) -> ConversationEntry:
    return ConversationEntry.model_validate(
        {
            "id": f"conv_1-{seq:08d}",
            "workspace_id": OWNER_WORKSPACE,
            "conversation_id": "conv_1",
            "seq": seq,
            "kind": "text",
            "author": "builder",
            "at": "2026-11-22T09:00:00.000000Z",
            "data": {"text": f"말 {seq}"},
            **more,
        }
    )


def test_a_new_conversation_is_readable_before_the_planner_knows_it(world: World) -> None:
    answer = world.call("POST", "/api/v1/conversations", json={"text": "매일 아침 9시에 알려 줘"})

    assert answer.status_code == 202
    read = world.call("GET", f"/api/v1/conversations/{answer.json['id']}")
    assert read.status_code == 200
    assert read.json["state"] == "thinking"
    assert read.json["language"] == "ko"
    assert read.json["messages"] == []
    (event,) = world.emitted()
    assert isinstance(event, MessageReceived)
    assert event.text == "매일 아침 9시에 알려 줘"
    assert event.timezone == "Asia/Seoul"


def test_the_planners_conversation_is_shown_with_its_entries_and_plan(world: World) -> None:
    plan = world.plan()
    world.conversation(plan_id=plan.id, agent_id=plan.agent_id, next_seq=3)
    for seq in (1, 2, 3):  # the third is written by a commit that came after the conversation was read
        world.put("planner", "conversation_entries", entry(seq))

    read = world.call("GET", "/api/v1/conversations/conv_1").json

    assert [message["seq"] for message in read["messages"]] == [1, 2]
    assert read["plan"]["manifest_hash"] == plan.manifest_hash
    assert world.call("GET", "/api/v1/conversations").json["items"][0]["id"] == "conv_1"


def test_lists_go_on_where_the_cursor_says(world: World) -> None:
    for n in range(5):
        world.clock.advance(seconds=1)
        world.conversation(f"conv_{n}")

    first = world.call("GET", "/api/v1/conversations?limit=3").json
    second = world.call("GET", f"/api/v1/conversations?limit=3&cursor={first['next_cursor']}").json

    assert [c["id"] for c in first["items"]] == ["conv_4", "conv_3", "conv_2"]
    assert [c["id"] for c in second["items"]] == ["conv_1", "conv_0"]
    assert second["next_cursor"] is None
    assert world.call("GET", "/api/v1/conversations?cursor=!!").json["code"] == "bad_cursor"


def test_a_stranger_sees_and_writes_nothing_of_a_conversation(world: World) -> None:
    world.plan()
    before = len(world.emitted())

    for method, path, body in (
        ("GET", "/api/v1/conversations/conv_1", None),
        ("GET", "/api/v1/conversations/conv_1/events", None),
        ("POST", "/api/v1/conversations/conv_1/messages", {"text": "hi"}),
        ("POST", "/api/v1/conversations/conv_1/stop", None),
    ):
        assert world.as_charlie(method, path, json=body).status_code == 404, path

    assert world.as_charlie("GET", "/api/v1/conversations").json["items"] == []
    assert len(world.emitted()) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "   "}, "empty_message"),
        ({"text": "가" * 20_001}, "long_message"),
        ({"text": "hi", "timezone": "Mars/Olympus"}, "bad_timezone"),
        ({"text": "hi", "timezone": "../../etc/passwd"}, "bad_timezone"),
        ({"text": "hi", "agent_id": "agent_unknown"}, "no_agent"),
        ({"text": 7}, "bad_fields"),
        ({"text": "hi", "colour": "red"}, "bad_fields"),
        ([1], "bad_request"),
    ],
)
def test_a_message_that_makes_no_sense_is_told_what_to_do(world: World, body: object, code: str) -> None:
    answer = world.call("POST", "/api/v1/conversations", json=body)

    assert answer.status_code in (400, 404)
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert len(answer.json["detail"]) > 10
    assert world.emitted() == []


@pytest.mark.parametrize("raw", [b'{"text": ', b'{"text": NaN}', b"[" * 200_000, b'{"text": "\\ud800"}'])
def test_broken_json_gets_a_problem_and_writes_nothing(world: World, raw: bytes) -> None:
    answer = world.call("POST", "/api/v1/conversations", data=raw, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["code"] == "bad_request"
    assert world.emitted() == []


def test_a_message_to_a_known_conversation_carries_its_answers(world: World) -> None:
    world.conversation(state="asking")

    answer = world.call(
        "POST", "/api/v1/conversations/conv_1/messages", json={"answers": {"when": "매일 9시"}}
    )

    assert answer.status_code == 202
    (event,) = world.emitted()
    assert isinstance(event, MessageReceived)
    assert event.answers == {"when": "매일 9시"}


def test_stop_is_passed_on(world: World) -> None:
    world.conversation()

    assert world.call("POST", "/api/v1/conversations/conv_1/stop").status_code == 202
    assert world.emitted() == [ConversationStopRequested(conversation_id="conv_1")]


def test_a_webhook_in_a_message_goes_to_the_vault_and_nowhere_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    text = f"새 상품을 슬랙으로 보내 줘. 웹훅은 {HOOK} 이야. 비밀번호: hunter2secret!"

    made = world.call("POST", "/api/v1/conversations", json={"text": text}, headers={"Idempotency-Key": "k1"})

    (event,) = world.emitted()
    assert isinstance(event, MessageReceived)
    assert event.secret_names == ("SLACK_WEBHOOK_URL", "PASSWORD")
    assert "[보관함: SLACK_WEBHOOK_URL]" in event.text
    listed = world.call("GET", "/api/v1/secrets").json["items"]
    assert {item["name"]: item["host"] for item in listed} == {
        "SLACK_WEBHOOK_URL": "127.0.0.1:9123",
        "PASSWORD": "",
    }
    for clear in ("aVerySecretTail", "hunter2secret"):
        assert clear not in caplog.text
        assert clear not in world.call("GET", f"/api/v1/conversations/{made.json['id']}").text
        assert not files_with(world.data, clear)


def test_an_answer_to_a_question_about_a_webhook_is_hidden_too(world: World) -> None:
    world.conversation(state="asking")
    question = {"id": "hook", "text": "어느 웹훅으로 보낼까요?", "kind": "text", "choices": [], "why": ""}
    world.put("planner", "conversation_entries", entry(1, kind="question", data={"questions": [question]}))

    url = "https://chat.example.com/in/abcdef"
    world.call("POST", "/api/v1/conversations/conv_1/messages", json={"answers": {"hook": url}})

    (event,) = world.emitted()
    assert isinstance(event, MessageReceived)
    assert event.answers == {"hook": "[보관함: SLACK_WEBHOOK_URL]"}
    assert not files_with(world.data, "/in/abcdef")


def test_another_webhook_gets_a_name_of_its_own_and_the_same_one_keeps_its(world: World) -> None:
    for tail in ("one11111", "two22222", "one11111"):
        text = f"웹훅 http://127.0.0.1:9123/services/T0/B0/{tail}"
        assert world.call("POST", "/api/v1/conversations", json={"text": text}).status_code == 202

    names = [event.secret_names for event in world.emitted() if isinstance(event, MessageReceived)]
    assert names == [("SLACK_WEBHOOK_URL",), ("SLACK_WEBHOOK_URL_2",), ("SLACK_WEBHOOK_URL",)]


def test_the_stream_sends_all_so_far_and_resumes_without_gaps(world: World) -> None:
    world.conversation()
    for seq in (1, 2):
        world.put("planner", "conversation_entries", entry(seq))

    first = frames(world, "/api/v1/conversations/conv_1/events", 3)
    resumed = frames(world, "/api/v1/conversations/conv_1/events", 2, last_id="1")

    assert [(f["event"], f.get("id")) for f in first] == [
        ("entry", "1"),
        ("entry", "2"),
        ("conversation", None),
    ]
    assert [(f["event"], f.get("id")) for f in resumed] == [("entry", "2"), ("conversation", None)]
    assert json.loads(first[0]["data"])["data"] == {"text": "말 1"}


def test_the_stream_shows_what_is_written_while_it_is_open(world: World) -> None:
    world.conversation()
    answer = world.call("GET", "/api/v1/conversations/conv_1/events", buffered=False)
    stream = iter(answer.response)
    assert "hello" in next(stream).decode()
    assert "event: conversation" in next(stream).decode()

    world.put("planner", "conversation_entries", entry(1))

    assert "id: 1" in next(stream).decode()
    answer.close()


def test_streams_over_the_cap_are_refused_and_places_come_back(world: World) -> None:
    world.conversation()
    path = "/api/v1/conversations/conv_1/events"
    opened = [world.call("GET", path, buffered=False) for _ in range(world.deps.door.max_streams)]

    refused = world.call("GET", path)
    opened.pop().close()
    again = world.call("GET", path, buffered=False)

    assert (refused.status_code, refused.json["code"]) == (503, "too_many_streams")
    assert again.status_code == 200
    for answer in (*opened, again):
        answer.close()


def frames(world: World, path: str, count: int, last_id: str | None = None) -> list[dict[str, str]]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    answer = world.call("GET", path, headers=headers, buffered=False)
    assert answer.status_code == 200
    found: list[dict[str, str]] = []
    for chunk in answer.response:
        for text in chunk.decode().strip().split("\n\n"):
            lines = [line.split(": ", 1) for line in text.split("\n")]
            if lines[0][0] != "":
                found.append(dict(lines))
        if len(found) >= count:
            break
    answer.close()
    return found


def files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
