"""What Pub/Sub gets as an answer: 204 only for what was taken, and nothing at all for strangers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from shared.bus.push import Handed
from shared.errors import NotAllowed, NotAuthenticated, ProjectError, Unavailable
from shared.runtime.pushes import EVENTS, HEALTH, Wsgi, beside, inlet

TICK = {
    "message": {
        "attributes": {"ce-source": "/services/clock", "ce-type": "agentbuilder.clock.time_ticked.v1"},
        "data": base64.b64encode(b"{}").decode(),
        "messageId": "77",
        "publishTime": "2026-11-26T08:00:00.5Z",
    },
    "subscription": "projects/p/subscriptions/clock.ledger",
}


class Bus:
    """answer: what `take` gives back, or raises."""

    def __init__(self, answer: bool | Exception = True) -> None:
        self.answer = answer
        self.taken: list[Handed] = []

    def take(self, handed: Handed) -> bool:
        self.taken.append(handed)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def posted(bus: Bus, refusal: ProjectError | None = None, body: bytes | None = None) -> int:
    def admit(header: str) -> None:
        if refusal is not None:
            raise refusal
        if header != "Bearer good":
            raise NotAuthenticated("no")

    client = inlet(bus.take, admit).test_client()
    sent = json.dumps(TICK).encode() if body is None else body
    return client.post("/events", data=sent, headers={"Authorization": "Bearer good"}).status_code


@pytest.mark.parametrize(("answer", "status"), [(True, 204), (False, 503), (KeyError("gateway"), 400)])
def test_only_what_was_taken_is_acknowledged(answer: bool | Exception, status: int) -> None:
    bus = Bus(answer)
    assert posted(bus) == status
    assert len(bus.taken) == 1


@pytest.mark.parametrize(
    ("refusal", "status"), [(NotAuthenticated("x"), 401), (NotAllowed("x"), 403), (Unavailable("x"), 503)]
)
def test_a_stranger_gets_nothing_read(refusal: ProjectError, status: int) -> None:
    bus = Bus()
    assert posted(bus, refusal) == status
    assert bus.taken == []


def test_a_push_without_a_token_is_refused() -> None:
    def admit(header: str) -> None:
        assert header == ""
        raise NotAuthenticated("no")

    assert inlet(Bus().take, admit).test_client().post("/events", json=TICK).status_code == 401


def test_a_token_beside_the_one_that_google_has_checked_is_not_read() -> None:
    bus, read = Bus(), list[str]()
    headers = {"Authorization": "Bearer good", "X-Serverless-Authorization": "Bearer another"}

    answer = inlet(bus.take, read.append).test_client().post("/events", json=TICK, headers=headers)

    assert (answer.status_code, read, bus.taken) == (403, [], [])


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"x" * (11 << 20), 413)])
def test_what_cannot_be_read_is_not_acknowledged_and_so_ends_in_the_dead_letter_topic(
    body: bytes, status: int
) -> None:
    bus = Bus()
    assert posted(bus, body=body) == status
    assert bus.taken == []


def test_a_tick_of_cloud_scheduler_gets_its_id_and_its_moment_from_pub_sub() -> None:
    bus = Bus()
    posted(bus)
    envelope = bus.taken[0].envelope
    assert (envelope.id, envelope.source, envelope.service) == ("77", "/services/clock", "clock")
    assert envelope.data == {"at": "2026-11-26T08:00:00.500000Z"}
    assert envelope.time == envelope.subject == "2026-11-26T08:00:00.500000Z"


def test_a_tick_without_its_moment_is_not_acknowledged() -> None:
    lacking: dict[str, Any] = json.loads(json.dumps(TICK))
    del lacking["message"]["publishTime"]
    assert posted(Bus(), body=json.dumps(lacking).encode()) == 400


def test_people_and_pushes_share_a_port_and_nothing_else() -> None:
    web = Flask("web")
    web.add_url_rule("/", view_func=lambda: "page")
    events = inlet(Bus().take, lambda header: None)
    client = Client(served(web, {EVENTS: events, HEALTH: events}))
    assert client.get("/").text == "page"
    assert client.post("/events", json=TICK).status_code == 204
    assert client.post("/events/", json=TICK).status_code == 404
    assert client.get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200

    alone = Client(served(None, {EVENTS: events, HEALTH: events}))
    assert alone.get("/healthz").status_code == 200
    assert alone.get("/").status_code == 404


def test_a_room_answers_below_its_path_and_nowhere_beside_it() -> None:
    web, room = Flask("web"), Flask("room")
    web.add_url_rule("/<path:asked>", view_func=lambda asked: f"page {asked}")
    room.add_url_rule("/run-api/work", view_func=lambda: "work")
    client = Client(served(web, {"/run-api": room}))

    assert client.get("/run-api/work").text == "work"
    assert client.get("/run-api-of-others").text == "page run-api-of-others"
    assert client.get("/run-api/other").status_code == 404
    assert beside(None, {}) is None


def served(front: Flask | None, rooms: dict[str, Flask]) -> Wsgi:
    found = beside(front, rooms)
    assert found is not None
    return found
