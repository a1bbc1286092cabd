"""What a replay is given in place of its recording: other values, no content, or an error. Pure.

Read next: renaming.py (which values), following.py (what must come out).
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.executor.egress.decoding import decoder
from services.executor.egress.replaying import Recorded
from services.executor.tapes.renaming import NO_RENAMING, Renaming
from shared.errors import DecodeError
from shared.records.executor import Variation

_READABLE = re.compile(r"text/|json|xml|javascript|csv|x-www-form|calendar", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.-]+)", re.IGNORECASE)
_LARGEST = 4 << 20
_NOTHING = {
    "html": b'<!doctype html><html><head><meta charset="utf-8"><title></title></head><body></body></html>',
    "json": b"{}",
    "xml": b'<?xml version="1.0" encoding="UTF-8"?><empty/>',
    "csv": b"",
}
_UNAVAILABLE = (
    b'<!doctype html><html><head><meta charset="utf-8"><title>503 Service Unavailable</title></head>'
    b"<body><h1>Service Unavailable</h1><p>Please try again later.</p></body></html>"
)
_FRAMING = frozenset(
    {"content-length", "content-encoding", "transfer-encoding", "etag", "content-md5", "digest"}
)


@dataclass(frozen=True)
class Varied:
    """kind: see shared/records/executor.py, Run.variation."""

    kind: Variation
    renaming: Renaming = NO_RENAMING

    def answer(self, recorded: Recorded) -> Recorded:
        if self.kind == "error":
            head = (("content-type", "text/html; charset=utf-8"),)
            return replace(
                _with(recorded, _UNAVAILABLE, head), status=503, phrase="Service Unavailable", broken=False
            )
        if self.kind == "emptied":
            return _with(recorded, _NOTHING.get(_form(recorded), b""))
        text = readable(recorded.headers, recorded.body)
        if text is None or not self.renaming:
            return recorded
        other = self.renaming.apply(text[0], grouped=_form(recorded) != "csv")
        return _with(recorded, other.encode(text[1], "replace")) if other != text[0] else recorded

    def memory(self, archive: bytes | None) -> bytes | None:
        """What the run remembers when it begins: the same world as its pages, unless only those were changed."""
        if self.kind == "forgotten":
            return None
        if archive is None or self.kind not in ("altered", "altered_numbers") or not self.renaming:
            return archive
        out = io.BytesIO()
        with (
            tarfile.open(fileobj=io.BytesIO(archive)) as before,
            tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as after,
        ):
            for name, data in _members(before):
                text = plain(data)
                kept = data if text is None else self.renaming.apply(text).encode()
                info = tarfile.TarInfo(name)
                info.size = len(kept)
                after.addfile(info, io.BytesIO(kept))
        return out.getvalue()


def readable(headers: Sequence[tuple[str, str]], body: bytes) -> tuple[str, str] | None:
    """Text and encoding of an answer; None for pictures, films and whatever else is no text."""
    named = {name.lower(): value for name, value in headers}
    kind = named.get("content-type", "")
    if not body or len(body) > _LARGEST or (kind and _READABLE.search(kind) is None):
        return None
    try:
        data = decoder(named.get("content-encoding", "")).feed(body)
    except DecodeError:
        return None
    declared = _CHARSET.search(kind) or _CHARSET.search(data[:2048].decode("latin-1"))
    for encoding in (declared[1] if declared else "utf-8", "utf-8", "cp949"):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return None if "\0" in text else (text, encoding)
    return None


def plain(data: bytes) -> str | None:
    """Text of a remembered file; None for any other."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def remembered(archive: bytes | None) -> list[bytes]:
    if archive is None:
        return []
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [data for _, data in _members(tar)]


def _members(tar: tarfile.TarFile) -> list[tuple[str, bytes]]:
    found = []
    for member in tar:
        stream = tar.extractfile(member) if member.isfile() else None
        if stream is not None:
            found.append((member.name, stream.read()))
    return found


def _form(recorded: Recorded) -> str:
    kind = next((value for name, value in recorded.headers if name.lower() == "content-type"), "")
    return next((form for form in _NOTHING if form in kind.lower()), "")


def _with(recorded: Recorded, body: bytes, more: Sequence[tuple[str, str]] = ()) -> Recorded:
    dropped = _FRAMING | {name for name, _ in more}
    headers = [(name, value) for name, value in recorded.headers if name.lower() not in dropped]
    return replace(recorded, headers=[*headers, *more, ("content-length", str(len(body)))], body=body)
