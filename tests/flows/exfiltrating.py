"""Runs the scripts of exfiltration.toml as live agents and looks where a secret could have come to."""

from __future__ import annotations

import base64
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from tests.fakes.upstream import Received, Upstream
from tests.flows.house import new_house
from tests.flows.imports import live_run
from tests.flows.person import Answered, Json, Person
from tests.flows.siege import at_rest

# As it would be typed; characters that every encoding treats in its own way.
SECRET = "canary/8Qz+4f1c=9e77 b2d8"
_SCRIPTS = Path(__file__).with_name("exfiltration.toml")
_HEAD = """
import base64, os, urllib.request
key = agent.secret("SHOP_KEY")
decoy = os.environ["BACKUP_ADMIN_PASSWORD"]
decoy_file = open(".private/credentials.ini", "rb").read()
b64 = base64.b64encode
def fetch(url, data=None, headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers)) as answer:
            return str(answer.headers) + str(answer.reason) + answer.read().decode("latin-1")
    except (OSError, UnicodeError, ValueError) as error:
        return repr(error)
def keep(*said):
    text = repr(said)
    print(text)
    agent.step(text)
    agent.output("said.txt").write_text(text)
    agent.state["said"] = text
    agent.deliver("inbox", text, files=["said.txt"])
"""
_FOOT = '\nagent.deliver("inbox", "done")\n'


@dataclass(frozen=True)
class Script:
    name: str
    uses: str
    code: str
    arrives: bool = False
    first_part_leaves: bool = False


def scripts() -> list[Script]:
    with _SCRIPTS.open("rb") as file:
        return [Script(**entry) for entry in tomllib.load(file)["script"]]


def spellings(value: str) -> set[bytes]:
    raw = value.encode()
    plain = {raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), json.dumps(value)[1:-1].encode()}
    plain |= {quote(value).encode(), quote(value, safe="").encode()}
    for lead in range(3):
        coded = base64.b64encode(b"x" * lead + raw)
        plain |= {coded[4:-4], base64.urlsafe_b64encode(b"x" * lead + raw)[4:-4]}
    return plain


class Den:
    """A house with the secret's own host, another allowed one, and one that nobody has allowed."""

    def __init__(self, folder: Path) -> None:
        self.bound, self.other, self.nobody = (Upstream(host=f"127.0.0.{n}") for n in (1, 2, 3))
        self.house = new_house(folder)
        places = ((server.host, server.port) for server in self._servers)
        self.house.environment["AB_EGRESS_ALLOW_PRIVATE"] = ",".join(f"{h}:{p}" for h, p in places)

    @property
    def _servers(self) -> tuple[Upstream, ...]:
        return (self.bound, self.other, self.nobody)

    def __enter__(self) -> Self:
        for server in self._servers:
            server.__enter__()
        self.house.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.house.close()
        for server in self._servers:
            server.__exit__()

    def run(self, person: Person, script: Script) -> Json:
        for server in self._servers:
            server.seen.requests.clear()
        rules = [
            {"host": server.host, "port": server.port, "scheme": "http", "effect": "write", "why": "시험"}
            for server in (self.bound, self.other)
        ]
        urls = (f"{name} = 'http://{server.host}:{server.port}'" for name, server in self._named().items())
        main = "\n".join(urls) + _HEAD + script.code + _FOOT
        secret = {"name": "SHOP_KEY", "host": self.bound.host, "why": "시험"}
        more: dict[str, Any] = {"hosts": rules, "secrets": [secret], "state": True}
        return live_run(person, main, {"SHOP_KEY": SECRET}, **more)

    def _named(self) -> dict[str, Upstream]:
        return {"BOUND": self.bound, "OTHER": self.other, "NOBODY": self.nobody}

    def check(self, person: Person, script: Script) -> None:
        """Raises: AssertionError when a promise did not hold."""
        run = self.run(person, script)
        if script.uses == "decoy":
            self._check_decoy(person, script, run)
        else:
            assert run["reason"] is None or run["reason"]["code"] != "decoy", run["reason"]
        arrived = [got for got in self.bound.seen.requests if carries(got)]
        assert bool(arrived) == script.arrives, "whether its own host got the real value"
        for server in (self.other, self.nobody):
            assert not [got for got in server.seen.requests if carries(got)], (
                "another host got the real value"
            )
        assert self.nobody.seen.requests == []
        at_rest(self.house)
        seen = self.house.holdings.everything() + shown(person, run)
        assert not [text for text in spellings(SECRET) if text in seen], (
            "the real value came to rest somewhere"
        )

    def _check_decoy(self, person: Person, script: Script, run: Json) -> None:
        assert (run["reason"] or {}).get("code") == "decoy", run["reason"]
        assert (run["status"], run["outcome"]) == ("failed", "not_delivered")
        assert self.bound.seen.requests == []
        assert len(self.other.seen.requests) <= script.first_part_leaves
        assert person.call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"] == []
        at = f"/api/v1/agents/{run['agent_id']}"
        person.wait(at, lambda agent: agent["quarantine"] is not None and not agent["enabled"])
        states = person.call("GET", f"{at}/state/versions")["items"]
        assert states == [], "what it remembered is kept"


def carries(got: Received) -> bool:
    whole = b"\n".join([got.target.encode(), repr(got.headers).encode(), got.body])
    inner = b""
    authorization = got.headers.get("authorization", "")
    if authorization.startswith("Basic "):
        inner = base64.b64decode(authorization[6:])
    return any(text in whole + inner for text in spellings(SECRET))


def shown(person: Person, run: Json) -> bytes:
    """Everything a person may read of the run."""
    parts: list[bytes] = []
    for path in ("", "/logs", "/receipts", "/artifacts", "/tape"):
        try:
            answer = person.call("GET", f"/api/v1/runs/{run['id']}{path}")
        except Answered as answered:
            if answered.status not in (404, 409):
                raise
            continue
        parts.append(json.dumps(answer, ensure_ascii=False).encode())
    return b"".join(parts)
