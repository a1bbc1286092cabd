"""What this run was started with: read from the runner's file, or made up when there is none."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from typing import Any


class Job:
    """mode: "offline" where there is no platform. now: with its zone."""

    __slots__ = ("input", "mode", "now")

    def __init__(self, input: Any, mode: str, now: datetime) -> None:
        self.input = input
        self.mode = mode
        self.now = now


_read: list[Job] = []


def current() -> Job:
    """The same one however often it is asked for."""
    if not _read:
        path = os.environ.get("AGENT_JOB")
        _read.append(_offline() if path is None else _given(path))
    return _read[0]


def _given(path: str) -> Job:
    import json
    from datetime import UTC, datetime

    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    zone = _zone(job["timezone"])
    moment = datetime.fromisoformat(job["now"].replace("Z", "+00:00")) if job["now"] else datetime.now(UTC)
    return Job(job["input"], job["mode"], moment.astimezone(zone))


def _offline() -> Job:
    """AGENT_INPUT may hold a JSON value; the zone is TZ's or the machine's."""
    import json
    from datetime import UTC, datetime

    text = os.environ.get("AGENT_INPUT", "")
    zone = os.environ.get("TZ")
    moment = datetime.now(UTC).astimezone(_zone(zone) if zone else None)
    return Job(json.loads(text) if text else None, "offline", moment)


def _zone(name: str) -> tzinfo:
    from datetime import UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def secret(name: str) -> str:
    """On the platform a placeholder which the way out replaces towards the secret's own host; offline the
    real value from the environment. KeyError, naming the secret, when the agent was not given it."""
    try:
        return os.environ[name]
    except KeyError:
        raise KeyError(
            f"{name}: 이 에이전트에 연결되지 않은 비밀이에요. (This agent was not given the secret {name}.)"
        ) from None
