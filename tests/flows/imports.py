"""Agents handed in as a zip: how a test gives the platform code of its own choosing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from tests.flows.person import Json, Person

HEAD = """[agent]
name = "시험용 에이전트"
summary = "만든 사람의 설명: 아무것도 위험하지 않아요"
language = "ko"
packages = {packages}

[manifest]
state = {state}
hosts = [{hosts}]
secrets = [{secrets}]
channels = [{{ kind = "inbox" }}{slack}]
"""


def table(values: Mapping[str, Any]) -> str:
    """A TOML inline table."""
    return (
        "{ "
        + ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
        + " }"
    )


def agent_toml(
    *,
    hosts: Sequence[Mapping[str, Any]] = (),
    secrets: Sequence[Mapping[str, Any]] = (),
    packages: Sequence[str] = (),
    state: bool = False,
    slack: bool = False,
    more: str = "",
) -> str:
    return (
        HEAD.format(
            packages=json.dumps(list(packages)),
            state=json.dumps(state),
            slack=', { kind = "slack", secret = "SLACK_WEBHOOK_URL" }' if slack else "",
            hosts=", ".join(map(table, hosts)),
            secrets=", ".join(map(table, secrets)),
        )
        + more
    )


def local(port: int, **more: Any) -> dict[str, Any]:
    """A host rule for a server of this test."""
    return {"host": "127.0.0.1", "port": port, "scheme": "http", "effect": "read", "why": "시험", **more}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def agent_zip(main: str, **toml: Any) -> bytes:
    return zipped({"agent.toml": agent_toml(**toml), "main.py": main})


def imported(person: Person, data: bytes) -> Json:
    """The conversation once the plan stands there, or the import has failed."""
    answer = person.call("POST", "/api/v1/agents/import", data, {"Content-Type": "application/zip"})
    return person.conversation(answer["conversation_id"], "proposed", "failed")


def rehearsed(person: Person, data: bytes, secrets: dict[str, str] | None = None) -> Json:
    """Imported and approved; the conversation once its rehearsal is over."""
    conversation = imported(person, data)
    assert conversation["state"] == "proposed", conversation["problem"]
    return person.allows(conversation, secrets)


def allowed(person: Person, data: bytes, secrets: dict[str, str] | None = None) -> Json:
    """The same, its rehearsal passed."""
    conversation = rehearsed(person, data, secrets)
    assert conversation["state"] == "ready", conversation["problem"]
    return conversation


# Only a live run does what follows: the rehearsal must pass so that there is something to run.
LIVE_ONLY = """
import agent
if agent.mode == "rehearsal":
    agent.deliver("inbox", "rehearsed")
    raise SystemExit(0)
"""


def live_run(person: Person, main: str, values: dict[str, str] | None = None, **toml: Any) -> Json:
    """One live run of `main`, over; its rehearsal does nothing."""
    conversation = allowed(person, agent_zip(LIVE_ONLY + main, **toml), values)
    return person.runs(conversation["agent_id"])
