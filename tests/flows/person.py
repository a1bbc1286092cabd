"""A person at the public API: says things, allows them, waits for what the platform shows."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]


class Answered(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class Person:
    """`patience_s` bounds every wait; a wait that ends without its fact fails with what was last seen."""

    def __init__(self, port: int, token: str, *, language: str = "ko", patience_s: float = 60) -> None:
        self._port = port
        self._token = token
        self._language = language
        self._patience_s = patience_s

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        """`path` may be a whole address, as links to files are."""
        place = urlsplit(path)
        connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", self._port, timeout=30)
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Accept-Language": self._language,
            **(headers or {}),
        }
        try:
            connection.request(method, path.removeprefix(f"{place.scheme}://{place.netloc}"), data, sent)
            response = connection.getresponse()
            raw = response.read()
        finally:
            connection.close()
        kind = response.headers.get("content-type", "")
        parsed = json.loads(raw) if raw and "json" in kind else raw
        if response.status >= 400:
            raise Answered(response.status, parsed if isinstance(parsed, dict) else {"raw": raw[:500]})
        return parsed

    def wait(self, path: str, until: Callable[[Any], bool]) -> Any:
        end = time.monotonic() + self._patience_s
        seen: Any = None
        while time.monotonic() < end:
            seen = self.call("GET", path)
            if until(seen):
                return seen
            time.sleep(0.05)
        raise AssertionError(
            f"{path} never came to what was waited for; last seen: {json.dumps(seen, ensure_ascii=False)[:3000]}"
        )

    def says(self, text: str, **more: object) -> Json:
        """The conversation once the builder has asked, proposed or given up."""
        answer = self.call("POST", "/api/v1/conversations", {"text": text, "timezone": "Asia/Seoul", **more})
        return self.conversation(answer["id"], "asking", "proposed", "failed")

    def conversation(self, id: str, *states: str) -> Json:
        found: Json = self.wait(f"/api/v1/conversations/{id}", lambda c: c["state"] in states)
        return found

    def allows(self, conversation: Json, secrets: dict[str, str] | None = None) -> Json:
        """Approve its plan; the conversation once the rehearsal is over."""
        plan = conversation["plan"]
        body: Json = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
        if secrets:
            body["secrets"] = secrets
        self.call("POST", f"/api/v1/plans/{plan['id']}/decision", body)
        return self.conversation(conversation["id"], "ready", "failed")

    def switches(self, agent_id: str, on: bool) -> Json:
        agent: Json = self.call("PATCH", f"/api/v1/agents/{agent_id}", {"enabled": on})
        return agent

    def runs(self, agent_id: str) -> Json:
        """Run now; the run once it is over."""
        run_id = self.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        return self.run(run_id)

    def run(self, run_id: str) -> Json:
        """The run once nothing about it will change any more."""
        over: Json = self.wait(
            f"/api/v1/runs/{run_id}",
            lambda r: (
                r["status"] == "parked" or (r["status"] not in ("queued", "running") and r["settled_at"])
            ),
        )
        return over
