"""Files that runs made: by links that end, under a host name of their own, and never as anything that runs."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.access import OWNER_WORKSPACE
from services.gateway.model.links import Ticket, opened, shown_as, signed
from services.gateway.model.origin import place
from shared.clock import FakeClock
from shared.errors import NotFound
from shared.store.port import Cause
from tests.unit.gateway.conftest import World
from tests.unit.gateway.test_runs import PNG, artifact

APP, FILES = "127.0.0.1:8080", "files.localhost:8080"
KEY = b"k" * 32


def links(world: World, *, browser: bool = True) -> tuple[str, str]:
    """(url, download_url) as a browser with a session gets them, or a program with a token."""
    path = "/api/v1/runs/run_1/artifacts"
    if browser:
        cookie, key = world.sign_in()
        headers = {"Cookie": f"ab_session={cookie}", "X-AB-Key": key, "Host": APP}
        assert world.service.web is not None
        answer: Any = world.service.web.test_client(use_cookies=False).get(path, headers=headers)
    else:
        answer = world.call("GET", path, headers={"Host": APP})
    (item,) = answer.json["items"]
    return item["url"], item["download_url"]


def fetched(world: World, url: str, **headers: str) -> Any:
    """What stands behind a whole address, its Host said as a browser would."""
    parts = urlsplit(url)
    answer = world.client.get(parts.path, headers={"Host": parts.netloc, **headers})
    answer.get_data()
    answer.close()
    return answer


@pytest.fixture
def made(world: World) -> World:
    world.agent()
    world.run()
    artifact(world)
    return world


def test_a_browser_fetches_files_under_their_own_name_without_a_session(made: World) -> None:
    url, saved = links(made)
    assert {urlsplit(url).netloc, urlsplit(saved).netloc} == {FILES}

    shown, kept = fetched(made, url), fetched(made, saved)

    assert shown.data == kept.data == PNG
    assert (shown.headers["Content-Type"], kept.headers["Content-Type"]) == (
        "image/png",
        "application/octet-stream",
    )
    assert shown.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''chart.png")
    assert kept.headers["Content-Disposition"].startswith("attachment; ")
    for answer in (shown, kept):
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; ")
        assert "script" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Set-Cookie" not in answer.headers
    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert kept.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_no_file_is_answered_under_the_pages_name(made: World) -> None:
    for url in links(made):
        assert made.client.get(urlsplit(url).path, headers={"Host": APP}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/me", "/api/openapi.json", "/healthz", "/metrics", "/assets/a.js"]
)
def test_there_is_neither_page_nor_api_under_the_files_name(world: World, path: str) -> None:
    cookie, key = world.sign_in()
    session = {"Cookie": f"ab_session={cookie}", "X-AB-Key": key}

    answer = world.call("GET", path, headers={"Host": FILES, **session})

    assert answer.status_code == 404
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


def test_nobody_signs_in_and_nothing_is_posted_under_the_files_name(made: World) -> None:
    url, _ = links(made)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = made.client.open(urlsplit(url).path, method=method, headers={"Host": FILES}, json={})
        assert answer.status_code == 404, method
    assert (
        made.call("POST", "/api/v1/session", json={"secret": "x"}, headers={"Host": FILES}).status_code == 404
    )


def test_a_program_fetches_under_the_loopback_name_it_did_not_use(made: World) -> None:
    url, _ = links(made, browser=False)
    assert urlsplit(url).netloc == "localhost:8080"

    assert fetched(made, url).data == PNG
    assert made.client.get(urlsplit(url).path, headers={"Host": APP}).status_code == 404
    # The same link in a browser leads to where nothing but files is.
    sent_on = fetched(made, url, **{"Sec-Fetch-Site": "none"})
    assert (sent_on.status_code, sent_on.data) == (307, b"")
    assert urlsplit(sent_on.headers["Location"]).netloc == FILES
    assert fetched(made, sent_on.headers["Location"]).data == PNG


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("a.html", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.xml", "application/xml"),
        ("a.pdf", "application/pdf"),
        ("a.js", "text/javascript"),
        ("표.xlsx", "x/y"),
    ],
)
def test_what_a_browser_might_run_is_only_ever_saved(world: World, name: str, media: str) -> None:
    world.run()
    artifact(world, name, media)

    for url in links(world):
        answer = fetched(world, url)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Type"] == "application/octet-stream"


def test_text_is_shown_as_nothing_but_text(world: World) -> None:
    world.run()
    artifact(world, "rows.csv", "text/csv")

    answer = fetched(world, links(world)[0])

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("inline")


def test_a_name_cannot_break_out_of_its_header(world: World) -> None:
    world.run()
    artifact(world, '한글 "a"; filename=evil.html\r\nX: 1.png')

    answer = fetched(world, links(world)[0])

    header = answer.headers["Content-Disposition"]
    assert header.isascii()
    assert header.count(";") == 1
    assert "\n" not in header
    assert "X" not in answer.headers


def test_a_part_of_a_film_is_answered_when_a_player_asks_for_it(made: World) -> None:
    url, _ = links(made)

    part = fetched(made, url, Range="bytes=2-5")
    beyond = fetched(made, url, Range="bytes=9999-")

    assert (part.status_code, part.data) == (206, PNG[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(PNG)}"
    assert beyond.status_code == 416


def test_a_link_that_is_over_changed_or_invented_opens_nothing(made: World) -> None:
    url, saved = links(made)
    path = urlsplit(url).path
    body, _, mac = path.removeprefix("/download/").partition(".")
    other_body = urlsplit(saved).path.removeprefix("/download/").partition(".")[0]
    fields = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    fields[2] = 9_999_999_999
    forged = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    for token in (f"{forged}.{mac}", f"{other_body}.{mac}", f"{body}.{mac[:-2]}AA", f"{body}.", body, "x.y"):
        assert fetched(made, f"http://{FILES}/download/{token}").status_code == 404, token
    made.clock.advance(minutes=11)
    over = fetched(made, url)

    assert (over.status_code, over.json["code"]) == (404, "link_over")


def test_a_file_is_gone_with_its_agent_and_when_it_is_taken_away_however_fresh_the_link(made: World) -> None:
    url, _ = links(made)
    made.call("DELETE", "/api/v1/agents/agent_1")
    gone = fetched(made, url)
    assert (gone.status_code, gone.json["code"]) == (404, "file_gone")

    made.agent()
    assert fetched(made, url).status_code == 200
    store = made.engines.databases.own("executor")
    store.transact(lambda tx: tx.delete("artifacts", "art_chart.png"), cause=Cause("w", "test"))
    assert fetched(made, url).status_code == 404


def test_the_page_may_show_pictures_and_films_of_the_files_name_and_of_no_other(world: World) -> None:
    policy = world.client.get("/", headers={"Host": APP}).headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules["img-src"] == f"'self' data: http://{FILES}"
    assert rules["media-src"] == f"http://{FILES}"
    assert rules["script-src"] == rules["connect-src"] == "'self'"


@pytest.mark.parametrize("settings_change", [{"public_url": "https://agents.example.com"}])
def test_a_public_door_without_a_second_name_only_ever_saves_files(made: World) -> None:
    host = {"Host": "agents.example.com"}
    (item,) = made.call("GET", "/api/v1/runs/run_1/artifacts", headers=host).json["items"]

    answer = made.client.get(item["url"], headers=host)

    assert item["url"].startswith("/download/")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    answer.close()


@pytest.mark.parametrize(
    "settings_change",
    [{"public_url": "https://agents.example.com", "files_url": "https://files.example.net"}],
)
def test_a_public_door_with_a_second_name_answers_files_there(made: World) -> None:
    host = {"Host": "agents.example.com"}
    (item,) = made.call("GET", "/api/v1/runs/run_1/artifacts", headers=host).json["items"]

    assert item["url"].startswith("https://files.example.net/download/")
    assert fetched(made, item["url"]).data == PNG
    assert made.call("GET", "/api/v1/me", headers={"Host": "files.example.net"}).status_code == 404


@given(
    st.builds(
        Ticket,
        st.just(OWNER_WORKSPACE),
        st.text(max_size=30),
        st.integers(1, 10**11),
        st.text("abc.:0123", max_size=20),
        st.sampled_from(["inline", "attachment"]),
    ),
    st.integers(0, 10**6),
    st.integers(1, 255),
)
def test_one_changed_byte_or_another_key_or_host_opens_nothing(what: Ticket, at: int, change: int) -> None:
    now = FakeClock().now()
    token = signed(what, KEY)
    if what.expires > now.timestamp():
        assert opened(token, KEY, now, what.host) == what
    raw = bytearray(token.encode())
    raw[at % len(raw)] ^= change
    for other, key, host in ((bytes(raw).decode("latin-1"), KEY, what.host), (token, b"o" * 32, what.host)):
        with pytest.raises(NotFound):
            opened(other, key, now, host)
    with pytest.raises(NotFound):
        opened(token, KEY, now, what.host + "x")


RUNS = (
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "text/javascript",
    "application/pdf",
)


@given(st.text(max_size=40) | st.sampled_from([*RUNS, "TEXT/HTML", "text/plain", "image/png", "text/html;x"]))
def test_nothing_is_shown_that_a_browser_might_run(media: str) -> None:
    disposition, content_type = shown_as(media, "inline")
    if disposition == "inline":
        assert content_type.split("/")[0] in ("image", "video", "audio") or content_type.startswith(
            "text/plain"
        )
        assert not any(word in content_type for word in ("html", "svg", "xml", "script", "pdf"))
    assert shown_as(media, "attachment") == ("attachment", "application/octet-stream")


@given(st.text(max_size=60))
def test_no_other_name_is_answered(host: str) -> None:
    assert place(host, "") is None or place(host, "") in ("app", "files")
    assert place(host + ".evil.example", "") is None
    assert place("files.localhost.evil.example", "") is None
    assert place("xfiles.localhost", "") is None
    assert place(f"{host}@files.localhost", "") is None
