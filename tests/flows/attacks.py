"""Requests an attacker can make of the door, by name, with the statuses that are a fit answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.flows.house import PROFILE, TOKEN, House
from tests.flows.person import Json
from tests.flows.siege import Reply, request, send


@dataclass
class Siege:
    """A house with something worth taking, seen from its port."""

    house: House
    run: Json
    cookie: str
    key: str
    link: str
    other: dict[str, str]  # headers of a person of another workspace
    download: str  # its path; `files` answers it

    @property
    def files(self) -> str:
        """The host name a program's links to files have."""
        return f"localhost:{self.house.port}"

    @property
    def own(self) -> str:
        return f"127.0.0.1:{self.house.port}"

    @property
    def session(self) -> dict[str, str]:
        return {"Cookie": f"ab_session={self.cookie}", "X-AB-Key": self.key}

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        host: str = "",
    ) -> Reply:
        return send(
            self.house.port, request(method, target, host=host or self.own, headers=headers, body=body)
        )


BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
SAY = json.dumps({"text": "practice shops every morning"}).encode()
FACT = {
    "ce-id": "evt_1",
    "ce-source": "/services/gateway",
    "ce-specversion": "1.0",
    "ce-type": "agentbuilder.run.cancel_requested.v1",
    "ce-subject": "run",
    "ce-workspaceid": "w",
    "ce-time": "2026-11-22T00:00:00Z",
    "ce-actor": "user:x",
}
# On one machine there is no such place; deployed, who is not Pub/Sub is not known there.
_NO_PUSH = {401} if PROFILE else {404, 405}

HOSTILE: dict[str, tuple[Callable[[Siege], Reply], set[int]]] = {
    "a foreign Host on REST": (
        lambda s: s.send("GET", "/api/v1/agents", BEARER, host=f"evil.example:{s.house.port}"),
        {421},
    ),
    "a foreign Host on a stream": (
        lambda s: s.send("GET", "/api/v1/events", BEARER, host="evil.example"),
        {421},
    ),
    "a foreign Host on a run's stream": (
        lambda s: s.send("GET", f"/api/v1/runs/{s.run['id']}/events", BEARER, host="evil.example"),
        {421},
    ),
    "a foreign Host on the page": (lambda s: s.send("GET", "/", host="evil.example"), {421}),
    "a foreign Host on a download": (lambda s: s.send("GET", s.download, host="evil.example"), {421}),
    "a name that only looks like ours": (
        lambda s: s.send("GET", "/api/v1/agents", BEARER, host="127.0.0.1.evil.example"),
        {421},
    ),
    "a Host with somebody in front": (
        lambda s: s.send("GET", "/api/v1/agents", BEARER, host=f"evil@127.0.0.1:{s.house.port}"),
        {400, 421},
    ),
    "no Host at all": (
        lambda s: send(s.house.port, b"GET /api/v1/agents HTTP/1.1\r\nConnection: close\r\n\r\n"),
        {400, 401, 421},
    ),
    "a simple POST of another site": (
        lambda s: s.send(
            "POST",
            "/api/v1/conversations",
            {
                "Cookie": f"ab_session={s.cookie}",
                "Content-Type": "text/plain",
                "Origin": "https://evil.example",
            },
            SAY,
        ),
        {400, 403},
    ),
    "a simple POST without an Origin": (
        lambda s: s.send(
            "POST",
            "/api/v1/conversations",
            {"Cookie": f"ab_session={s.cookie}", "Content-Type": "text/plain"},
            SAY,
        ),
        {400, 401},
    ),
    "a form of another site": (
        lambda s: s.send(
            "POST",
            f"/api/v1/agents/{s.run['agent_id']}/runs",
            {
                "Cookie": f"ab_session={s.cookie}",
                "Sec-Fetch-Site": "cross-site",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            b"a=b",
        ),
        {400, 401, 403},
    ),
    "a form's upload of another site": (
        lambda s: s.send(
            "POST",
            "/api/v1/agents/import",
            {
                "Cookie": f"ab_session={s.cookie}",
                "Origin": "https://evil.example",
                "Content-Type": "multipart/form-data; boundary=x",
            },
            b"--x--",
        ),
        {403},
    ),
    "a simple POST to /events": (
        lambda s: s.send(
            "POST",
            "/events",
            {"Content-Type": "text/plain", **FACT},
            json.dumps({"run_id": s.run["id"]}).encode(),
        ),
        _NO_PUSH,
    ),
    "a fact with the owner's token": (
        lambda s: s.send(
            "POST", "/events", {**JSON, **FACT, **BEARER}, json.dumps({"run_id": s.run["id"]}).encode()
        ),
        _NO_PUSH,
    ),
    "a fact under the API": (
        lambda s: s.send("POST", "/api/v1/events", {**JSON, **FACT, **BEARER}, b"{}"),
        {404, 405},
    ),
    "a sign-in link used again": (
        lambda s: s.send("POST", "/api/v1/session", JSON, json.dumps({"secret": s.link}).encode()),
        {401},
    ),
    "a sign-in link made up": (
        lambda s: s.send("POST", "/api/v1/session", JSON, b'{"secret": "AAAAAAAAAAAAAAAAAAAAAAAA"}'),
        {401},
    ),
    "the cookie without its key": (
        lambda s: s.send("GET", "/api/v1/agents", {"Cookie": f"ab_session={s.cookie}"}),
        {401},
    ),
    "the cookie without its key, on a stream": (
        lambda s: s.send("GET", "/api/v1/events", {"Cookie": f"ab_session={s.cookie}"}),
        {401},
    ),
    "the key without its cookie": (lambda s: s.send("GET", "/api/v1/agents", {"X-AB-Key": s.key}), {401}),
    "another session's key": (
        lambda s: s.send(
            "GET", "/api/v1/agents", {"Cookie": f"ab_session={s.cookie}", "X-AB-Key": s.other["X-AB-Key"]}
        ),
        {401},
    ),
    "a forged cookie": (
        lambda s: s.send("GET", "/api/v1/agents", {"Cookie": "ab_session=" + "A" * 43, "X-AB-Key": s.key}),
        {401},
    ),
    "a wrong token": (lambda s: s.send("GET", "/api/v1/agents", {"Authorization": "Bearer x"}), {401}),
    "an empty token": (lambda s: s.send("GET", "/api/v1/agents", {"Authorization": "Bearer "}), {401}),
    "a token in the address": (lambda s: s.send("GET", f"/api/v1/agents?access_token={TOKEN}"), {401}),
    "a foreign Origin with a good session": (
        lambda s: s.send(
            "POST", "/api/v1/conversations", {**s.session, **JSON, "Origin": "http://localhost:3000"}, SAY
        ),
        {403},
    ),
    "no Origin of anybody with a good session": (
        lambda s: s.send("DELETE", f"/api/v1/agents/{s.run['agent_id']}", {**s.session, "Origin": "null"}),
        {403},
    ),
    "a page of another port": (
        lambda s: s.send(
            "PATCH",
            f"/api/v1/agents/{s.run['agent_id']}",
            {**s.session, **JSON, "Sec-Fetch-Site": "same-site"},
            b'{"enabled": true}',
        ),
        {403},
    ),
    "a method in a header": (
        lambda s: s.send(
            "POST",
            f"/api/v1/agents/{s.run['agent_id']}",
            {**BEARER, **JSON, "X-HTTP-Method-Override": "DELETE"},
            b"{}",
        ),
        {405},
    ),
    "a method in the address": (
        lambda s: s.send(
            "POST", f"/api/v1/agents/{s.run['agent_id']}?_method=DELETE", {**BEARER, **JSON}, b"{}"
        ),
        {405},
    ),
    "TRACE": (lambda s: s.send("TRACE", "/api/v1/agents", BEARER), {400, 404, 405, 501}),
    "a huge header": (
        lambda s: s.send("GET", "/api/v1/agents", {**BEARER, "X-Long": "x" * 400_000}),
        {0, 400, 413, 431},
    ),
    "a huge body": (
        lambda s: s.send(
            "POST",
            "/api/v1/conversations",
            {**BEARER, **JSON},
            json.dumps({"text": "x" * (3 << 20)}).encode(),
        ),
        {0, 413},
    ),
    "two lengths at once": (
        lambda s: send(
            s.house.port,
            request(
                "POST",
                "/api/v1/conversations",
                host=s.own,
                headers={**BEARER, **JSON, "Transfer-Encoding": "chunked", "Content-Length": "4"},
            )
            + b"0\r\n\r\nGET /api/v1/agents HTTP/1.1\r\n\r\n",
        ),
        {0, 400},
    ),
    "a tampered download": (lambda s: s.send("GET", s.download[:-2] + "AA", host=s.files), {404}),
    "a download signed by nobody": (
        lambda s: s.send("GET", "/download/" + s.download.split("/")[-1].split(".")[0], host=s.files),
        {404},
    ),
    "a download of everything": (
        lambda s: s.send("GET", "/download/..%2f..%2fgateway.db", host=s.files),
        {404},
    ),
    "a download under the page's own name": (lambda s: s.send("GET", s.download), {404}),
    "a program's download in a browser": (
        lambda s: s.send("GET", s.download, {"Sec-Fetch-Site": "none"}, host=s.files),
        {307},
    ),
    "the API under the files' name": (
        lambda s: s.send("GET", "/api/v1/agents", BEARER, host=f"files.localhost:{s.house.port}"),
        {404},
    ),
    "the API under the files' name with a session": (
        lambda s: s.send("GET", "/api/v1/me", s.session, host=f"files.localhost:{s.house.port}"),
        {404},
    ),
    "signing in under the files' name": (
        lambda s: s.send(
            "POST",
            "/api/v1/session",
            JSON,
            json.dumps({"secret": s.link}).encode(),
            host=f"files.localhost:{s.house.port}",
        ),
        {404},
    ),
    "the page under the files' name": (
        lambda s: s.send("GET", "/", host=f"files.localhost:{s.house.port}"),
        {404},
    ),
    "a file beside the page": (lambda s: s.send("GET", "/../../data/gateway.db"), {404}),
    "a file beside the page, written otherwise": (
        lambda s: s.send("GET", "/%2e%2e/%2e%2e/etc/passwd.txt"),
        {404},
    ),
    "a file with backslashes": (lambda s: s.send("GET", "/..\\..\\etc\\passwd.txt"), {400, 404}),
    "an absolute file": (lambda s: s.send("GET", "//etc/passwd.txt"), {308, 404}),
    "a file beside the assets": (lambda s: s.send("GET", "/assets/..%2f..%2f..%2fpyproject.toml"), {404}),
    "a file beside the code": (
        lambda s: s.send("GET", f"/api/v1/versions/{s.run['version_id']}/files/..%2f..%2fgateway.db", BEARER),
        {404},
    ),
    "the whole address in the request line": (
        lambda s: s.send("GET", "http://evil.example/api/v1/agents", host="evil.example"),
        {400, 401, 404, 421},
    ),
}
