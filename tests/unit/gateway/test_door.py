"""Who is let in, from where; requests that want what is not theirs change and read nothing."""

from __future__ import annotations

import pytest

from services.gateway.model.access import OWNER_WORKSPACE
from services.gateway.model.origin import own_host, own_origin
from services.gateway.repository.access import mint_link
from shared.store.port import Cause
from tests.unit.gateway.conftest import OWNER_TOKEN, World
from tests.unit.gateway.test_conversations import files_with

LINK = {"workspace_id": "wsp_a", "user_id": "usr_a"}


def new_link(world: World) -> str:
    return mint_link(world.deps.store, world.clock, world.deps.ids, **LINK)


def test_a_link_opens_one_session_and_is_then_used(world: World) -> None:
    secret = new_link(world)

    first = world.client.post("/api/v1/session", json={"secret": secret})
    again = world.client.post("/api/v1/session", json={"secret": secret})

    assert first.status_code == 200
    assert first.json["me"]["workspace"]["id"] == "wsp_a"
    assert (again.status_code, again.json["code"]) == (401, "link_used")
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert not files_with(world.data, secret)
    assert not files_with(world.data, first.json["key"])


def test_a_link_is_over_after_ten_minutes(world: World) -> None:
    secret = new_link(world)
    world.clock.advance(minutes=10)

    assert world.client.post("/api/v1/session", json={"secret": secret}).status_code == 401


def test_a_cookie_without_its_key_opens_nothing(world: World) -> None:
    cookie, key = world.sign_in()
    other_cookie, other_key = world.sign_in()

    assert world.service.web is not None
    client = world.service.web.test_client(use_cookies=False)

    def me(cookie: str | None, key: str | None) -> int:
        headers = {"Cookie": f"ab_session={cookie}"} if cookie else {}
        headers |= {"X-AB-Key": key} if key else {}
        return int(client.get("/api/v1/me", headers=headers).status_code)

    assert me(cookie, key) == 200
    assert me(cookie, None) == 401
    assert me(None, key) == 401
    assert me(cookie, other_key) == 401
    assert me(other_cookie, "wrong") == 401


def browser(world: World, method: str, path: str, cookie: str, key: str, **more: object) -> object:
    assert world.service.web is not None
    client = world.service.web.test_client(use_cookies=False)
    headers = {"Cookie": f"ab_session={cookie}", "X-AB-Key": key, **dict(more.pop("headers", {}))}  # type: ignore[call-overload]
    return client.open(path, method=method, headers=headers, **more)  # type: ignore[arg-type]


def status(answer: object) -> int:
    code = getattr(answer, "status_code", 0)
    assert isinstance(code, int)
    return code


def test_a_session_ends_when_idle_and_when_signed_out(world: World) -> None:
    idle, out = world.sign_in(), world.sign_in()

    assert status(browser(world, "DELETE", "/api/v1/session", *out)) == 204
    assert status(browser(world, "GET", "/api/v1/me", *out)) == 401
    assert status(browser(world, "GET", "/api/v1/me", *idle)) == 200
    world.clock.advance(hours=8)
    assert status(browser(world, "GET", "/api/v1/me", *idle)) == 401


def test_a_session_ends_after_a_week_however_much_it_is_used(world: World) -> None:
    used = world.sign_in()

    seen = []
    for _ in range(28):
        world.clock.advance(hours=6)
        seen.append(status(browser(world, "GET", "/api/v1/me", *used)))

    assert seen == [200] * 27 + [401]


def test_attempts_to_sign_in_are_braked(world: World) -> None:
    codes = [world.client.post("/api/v1/session", json={"secret": "guess"}).status_code for _ in range(12)]

    assert codes == [401] * 10 + [429] * 2
    world.clock.advance(minutes=2)
    assert world.client.post("/api/v1/session", json={"secret": "guess"}).status_code == 401


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {OWNER_TOKEN}"}]
)
def test_every_described_route_refuses_strangers(world: World, header: dict[str, str]) -> None:
    paths = world.client.get("/api/openapi.json").json["paths"]
    tried = 0
    for path, methods in paths.items():
        for method in methods:
            if (path, method) == ("/api/v1/session", "post"):
                continue
            url = path.replace("{id}", "x").replace("{name}", "NAME")
            answer = world.client.open(
                url, method=method.upper(), headers=header, json={} if method != "get" else None
            )
            assert answer.status_code == 401, (method, path)
            assert answer.json["code"] == "not_authenticated"
            tried += 1
    assert tried > 35


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "10.0.0.1"]
)
@pytest.mark.parametrize(
    "path", ["/api/v1/me", "/api/v1/events", "/", "/assets/x.js", "/download/x", "/healthz"]
)
def test_another_name_for_this_machine_is_refused(world: World, host: str, path: str) -> None:
    answer = world.call("GET", path, headers={"Host": host})

    assert answer.status_code == 421
    assert answer.json["code"] == "misdirected"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1"])
def test_loopback_names_are_served(world: World, host: str) -> None:
    assert world.call("GET", "/api/v1/me", headers={"Host": host}).status_code == 200


def test_the_public_address_is_served_exactly() -> None:
    public = "https://agents.example.com"

    assert own_host("agents.example.com", public)
    assert not own_host("agents.example.com:8443", public)
    assert not own_host("xagents.example.com", public)
    assert own_origin("https://agents.example.com", "http", "internal:8080", public)
    assert not own_origin("http://agents.example.com", "http", "internal:8080", public)
    assert not own_host("[::1]x:80", "")
    assert not own_host("", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing(world: World, headers: dict[str, str]) -> None:
    cookie, key = world.sign_in()

    refused = browser(
        world,
        "PATCH",
        "/api/v1/practice",
        cookie,
        key,
        json={"day": 9},
        headers={"Host": "localhost:8080", **headers},
    )
    own = browser(
        world,
        "PATCH",
        "/api/v1/practice",
        cookie,
        key,
        json={"day": 2},
        headers={
            "Host": "localhost:8080",
            "Origin": "http://localhost:8080",
            "Sec-Fetch-Site": "same-origin",
        },
    )

    assert status(refused) == 403
    assert status(own) == 200


def test_a_simple_post_of_another_site_is_not_read(world: World) -> None:
    cookie, key = world.sign_in()

    answer = browser(
        world, "POST", "/api/v1/conversations", cookie, key, data='{"text": "hi"}', content_type="text/plain"
    )

    assert status(answer) == 400
    assert world.emitted() == []


def test_events_cannot_be_posted_here(world: World) -> None:
    answer = world.client.post("/events", json={})

    assert answer.status_code in (404, 405)


@pytest.mark.parametrize("path", ["/api/v1/conversations", "/api/v1/session"])
def test_a_body_too_large_is_refused(world: World, path: str) -> None:
    answer = world.call("POST", path, data=b"{" + b" " * (2 << 20), content_type="application/json")

    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_every_answer_carries_the_security_headers(world: World) -> None:
    for path in ("/", "/api/v1/me", "/api/v1/nothing", "/starting.css"):
        headers = world.call("GET", path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_unknown_addresses_and_methods_are_problems_in_the_callers_language(world: World) -> None:
    korean = world.call("GET", "/api/v1/nothing")
    english = world.call("DELETE", "/api/v1/me", headers={"Accept-Language": "en-GB,en;q=0.9"})

    assert (korean.status_code, korean.json["code"]) == (404, "not_found")
    assert "찾을 수 없어요" in korean.json["detail"]
    assert (english.status_code, english.json["code"]) == (405, "method_not_allowed")
    assert english.json["detail"].isascii()


def test_an_unexpected_error_tells_nothing_of_the_inside(world: World, expect_errors: list[str]) -> None:
    broken = {"workspace_id": OWNER_WORKSPACE}
    planner = world.engines.databases.own("planner")
    planner.transact(lambda tx: tx.put("conversations", "conv_x", broken), cause=Cause("", "test"))

    answer = world.call("GET", "/api/v1/conversations/conv_x")

    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "validation" not in answer.text
    assert any("get_conversation" in text for text in expect_errors)


def test_me_says_what_this_installation_can_do(world: World) -> None:
    me = world.call("GET", "/api/v1/me").json

    assert me["engine"] == "recipes"
    assert me["practice"] == {"day": 1, "broken": False}
    assert me["month"]["cap_tokens"] == 2_000_000
    assert world.call("PATCH", "/api/v1/practice", json={"day": 2}).json == {"day": 2, "broken": False}
    assert world.call("PATCH", "/api/v1/practice", json={"broken": True}).json == {"day": 2, "broken": True}
    assert world.as_charlie("GET", "/api/v1/me").json["practice"] == {"day": 1, "broken": False}
    assert len(world.call("GET", "/api/v1/templates").json["items"]) == 6
