"""Requests of other sites, programs and people on this machine: they read nothing and change nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from services.gateway.repository.access import mint_link
from shared.ids import RandomIds
from tests.flows.attacks import BEARER, HOSTILE, JSON, Siege
from tests.flows.house import House, new_house
from tests.flows.imports import live_run
from tests.flows.person import Person
from tests.flows.siege import at_rest, request, send

pytestmark = pytest.mark.deployed
CANARY = "canary-of-the-owner-7d1f"


def signed_in(house: House, workspace_id: str, user_id: str) -> tuple[str, str, str]:
    """cookie, key, and the link that was used up."""
    gateway = house.databases.own("gateway")
    secret = mint_link(gateway, house.clock, RandomIds(), workspace_id=workspace_id, user_id=user_id)
    body = json.dumps({"secret": secret}).encode()
    raw = request(
        "POST",
        "/api/v1/session",
        host=f"127.0.0.1:{house.port}",
        headers={"Content-Type": "application/json"},
        body=body,
    )
    answer = send(house.port, raw)
    assert answer.status == 200, answer
    cookie = answer.headers["set-cookie"].split(";")[0].partition("=")[2]
    return cookie, answer.json()["key"], secret


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    house = new_house(tmp_path_factory.mktemp("siege"))
    try:
        yield _besieged(house.open())
    finally:
        house.close()


def _besieged(house: House) -> Siege:
    person = house.person(patience_s=40)
    main = f"""
agent.output("mine.txt").write_text({CANARY!r})
agent.deliver("inbox", {CANARY!r})
print({CANARY!r})
"""
    run = live_run(person, main, state=True)
    assert run["outcome"] == "delivered", run["reason"]
    me = person.call("GET", "/api/v1/me")
    cookie, key, link = signed_in(house, me["workspace"]["id"], me["user"]["id"])
    other_cookie, other_key, _ = signed_in(house, "wsp_ofanotherperson", "usr_another")
    (artifact,) = person.call("GET", f"/api/v1/runs/{run['id']}/artifacts")["items"]
    other = {"Cookie": f"ab_session={other_cookie}", "X-AB-Key": other_key}
    return Siege(house, run, cookie, key, link, other, urlsplit(artifact["url"]).path)


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_nothing_is_read_and_nothing_changes_when_the_request_is(what: str, siege: Siege) -> None:
    attack, expected = HOSTILE[what]
    before = at_rest(siege.house)
    answer = attack(siege)
    assert answer.status in expected, answer
    assert CANARY.encode() not in answer.body
    assert siege.run["agent_id"].encode() not in answer.body
    assert b"SQLite format" not in answer.body
    assert b"root:" not in answer.body
    assert "access-control-allow-origin" not in answer.headers
    assert siege.house.holdings.documents() == before


def test_the_owner_still_gets_in_when_the_attacks_are_over(siege: Siege) -> None:
    """What the attacks above were refused for is their own fault, not the door's."""
    for headers in (BEARER, siege.session):
        answer = siege.send("GET", "/api/v1/agents", headers)
        assert answer.status == 200
        assert siege.run["agent_id"].encode() in answer.body
    assert (
        siege.send("GET", "/api/v1/agents", siege.session, host=f"localhost:{siege.house.port}").status == 200
    )
    assert CANARY.encode() in siege.send("GET", siege.download, host=siege.files).body


def test_a_preflight_of_another_site_gets_no_leave(siege: Siege) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = siege.send("OPTIONS", "/api/v1/conversations", headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def ids_of(siege: Siege) -> dict[str, str]:
    person = siege.house.person()
    agent = person.call("GET", f"/api/v1/agents/{siege.run['agent_id']}")
    (delivery,) = person.call("GET", f"/api/v1/runs/{siege.run['id']}/receipts")["items"]
    conversation = person.call("GET", f"/api/v1/conversations/{agent['conversation_id']}")
    return {
        "agent": agent["id"],
        "run": siege.run["id"],
        "conversation": conversation["id"],
        "plan": conversation["plan_id"],
        "hash": conversation["plan"]["manifest_hash"],
        "version": siege.run["version_id"],
        "delivery": delivery["id"],
    }


OTHERS = """
GET /api/v1/agents/{agent}
GET /api/v1/agents/{agent}/versions
GET /api/v1/agents/{agent}/state/versions
POST /api/v1/agents/{agent}/state/rewind {"number": 1}
GET /api/v1/agents/{agent}/export
GET /api/v1/agents/{agent}/runs
PATCH /api/v1/agents/{agent} {"enabled": true}
DELETE /api/v1/agents/{agent}
POST /api/v1/agents/{agent}/runs {}
GET /api/v1/runs/{run}
GET /api/v1/runs/{run}/events
GET /api/v1/runs/{run}/logs
GET /api/v1/runs/{run}/artifacts
GET /api/v1/runs/{run}/receipts
POST /api/v1/runs/{run}/cancel {}
POST /api/v1/runs/{run}/writes/0123456789abcdef/decision {"decision": "send"}
PATCH /api/v1/agents/{agent} {"quarantine": null}
GET /api/v1/runs/{run}/tape
POST /api/v1/runs/{run}/replay {}
GET /api/v1/conversations/{conversation}
GET /api/v1/conversations/{conversation}/events
POST /api/v1/conversations/{conversation}/messages {"text": "hello"}
POST /api/v1/conversations/{conversation}/stop {}
POST /api/v1/conversations {"text": "change it", "agent_id": "{agent}"}
PATCH /api/v1/plans/{plan} {"schedule": null}
POST /api/v1/plans/{plan}/decision {"decision": "approve", "manifest_hash": "{hash}"}
GET /api/v1/versions/{version}/files
GET /api/v1/versions/{version}/files/main.py
POST /api/v1/deliveries/{delivery}/resend {}
POST /api/v1/deliveries/{delivery}/read {}
""".strip().splitlines()


def _filled(line: str, ids: dict[str, str]) -> tuple[str, str, bytes]:
    for name, id in ids.items():
        line = line.replace("{" + name + "}", id)
    method, target, body = (*line.split(" ", 2), "")[:3]
    return method, target, body.encode()


@pytest.mark.parametrize("line", OTHERS)
def test_what_belongs_to_another_workspace_is_not_there_when_a_person_asks(line: str, siege: Siege) -> None:
    method, target, body = _filled(line, ids_of(siege))
    before = at_rest(siege.house)
    answer = siege.send(method, target, {**siege.other, **JSON, "Accept-Language": "en"}, body)
    assert answer.status == 404, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY.encode() not in answer.body
    assert siege.house.holdings.documents() == before


@pytest.mark.parametrize(
    "list_of",
    ["agents", "conversations", "deliveries", "notices", "permission-requests", "secrets", "slots", "usage"],
)
def test_another_workspaces_lists_are_empty(list_of: str, siege: Siege) -> None:
    answer = siege.send("GET", f"/api/v1/{list_of}", siege.other)
    assert answer.status == 200
    assert answer.json()["items"] == []


def test_a_stranger_signed_in_hears_nothing_on_the_stream_when_the_owner_changes_something(
    siege: Siege,
) -> None:
    person: Person = siege.house.person(patience_s=40)
    address = ("127.0.0.1", siege.house.port)
    with socket.create_connection(address, 10) as own, socket.create_connection(address, 10) as others:
        own.sendall(request("GET", "/api/v1/events", host=siege.own, headers=siege.session))
        others.sendall(request("GET", "/api/v1/events", host=siege.own, headers=siege.other))
        run = person.runs(siege.run["agent_id"])
        heard = b""
        while run["id"].encode() not in heard:
            heard += own.recv(65536)
        others.settimeout(0.5)
        with suppress(TimeoutError):
            heard = b""
            while part := others.recv(65536):
                heard += part
    assert heard.startswith(b"HTTP/1.1 200")
    assert siege.run["agent_id"].encode() not in heard
    assert run["id"].encode() not in heard


def test_a_download_is_over_when_its_ten_minutes_have_passed(siege: Siege) -> None:
    """Last of the file: it sets the clock forward."""
    assert siege.send("GET", siege.download, host=siege.files).status == 200
    siege.house.clock.forward_to(siege.house.clock.now() + timedelta(minutes=11))
    answer = siege.send("GET", siege.download, host=siege.files)
    assert answer.status == 404
    assert CANARY.encode() not in answer.body
