"""Log lines: for people on one machine, one JSON object each where Cloud Logging reads them.

What goes wrong carries pieces of what it went wrong on. So a line keeps only what the platform itself says: quoted
text, the paths of addresses and what looks like a key are left out, of an exception also.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime

from shared.telemetry.trace import current, is_sampled, span_id, trace_id

_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*)://(?:[^\s/@]*@)?([\w.:\[\]-]*)[^\s,)>]*", re.IGNORECASE)
_QUERY = re.compile(r"\?\S+=\S*")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`\n]*`")
_NAMED = re.compile(r"\b(bearer|basic|token|password|secret|key)([=: ]+)[^\s,;]{6,}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9+/_.=~%-]{20,}")
# Ids, names of events and modules, and the like: theirs is the use of a log.
_OURS = re.compile(r"[a-z]+_[a-z2-7]{24}|[a-z_]+(?:\.[a-z0-9_-]+)+|[a-z_/-]+(?:\.py)?")
_MOST = 2000


def plain(text: str) -> str:
    """Without what a person or a program may have written."""
    text = _QUOTED.sub("'…'", text)
    text = _ADDRESS.sub(r"\1://\2/…", text)
    text = _QUERY.sub("?…", text)
    text = _MAIL.sub("…@…", text)
    text = _NAMED.sub(r"\1\2…", text)
    text = _WORD.sub(lambda found: found[0] if _OURS.fullmatch(found[0]) else "…", text)
    return text if len(text) <= _MOST else text[:_MOST] + "…"


def _told(record: logging.LogRecord) -> str:
    """Message and, of an exception, where and of what kind; its own words are cleaned like the message."""
    message = plain(record.getMessage())
    if record.exc_info is None or record.exc_info[1] is None:
        return message
    lines = [message]
    error: BaseException | None = record.exc_info[1]
    while error is not None:
        lines.append("Traceback (most recent call last):")
        frames = traceback.extract_tb(error.__traceback__)
        lines += [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
        lines.append(f"{type(error).__name__}: {plain(str(error))}")
        error = error.__cause__
    return "\n".join(lines)


class ForPeople(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname} {record.name}: {_told(record)}"


class ForCloudLogging(logging.Formatter):
    """Source: cloud.google.com/logging/docs/structured-logging (special fields of a JSON line)."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "message": _told(record),
            "logger": record.name,
        }
        traceparent = current()
        if traceparent:
            line["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{trace_id(traceparent)}"
            line["logging.googleapis.com/spanId"] = span_id(traceparent)
            line["logging.googleapis.com/trace_sampled"] = is_sampled(traceparent)
        return json.dumps(line, ensure_ascii=False)


def install(cloud_project: str = "") -> None:
    """Every logger of the process writes to standard error so. cloud_project: "" for people."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ForCloudLogging(cloud_project) if cloud_project else ForPeople())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
