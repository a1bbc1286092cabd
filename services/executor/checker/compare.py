"""Platform program inside a checker sandbox: are the files of a replay the recorded ones?

Reads pairs of files (/before/<n>, /after/<n>; agent.input names them) and writes outputs/compare.json. Text is
compared by lines, PNG by pixels, archives and office files by what is in them, everything else by its bytes.
Standard library only; whatever cannot be read is compared by its bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.executor.checker.moments import blurred
else:  # inside the sandbox this folder is all there is
    try:
        from moments import blurred
    except ImportError:
        from services.executor.checker.moments import blurred

_LINES = 4
_LINE = 300
_UNPACKED = 64 << 20
_PIXELS = 64 << 20
# When a file was made, which a file tells although nothing in it differs.
_MADE = re.compile(
    rb"/(CreationDate|ModDate) ?\([^)]*\)|/ID ?\[[^\]]*\]|<dcterms:(created|modified)[^>]*>[^<]*<"
)


def main() -> None:
    import agent  # only the sandbox has it

    found = []
    for number, name in enumerate(agent.input):
        before, after = (Path(f"/{side}/{number}").read_bytes() for side in ("before", "after"))
        found.append({"name": name, **compared(before, after)})
    agent.output("compare.json").write_text(json.dumps(found), encoding="utf-8")


def compared(before: bytes, after: bytes) -> dict[str, Any]:
    """same, how (clock: text that differs in times alone), before, after: excerpts of what differs."""
    if before == after:
        return {"same": True, "how": "bytes", "before": "", "after": ""}
    for how, decoded in (("pixels", pixels), ("contents", contents), ("text", lines)):
        try:
            one, other = decoded(before), decoded(after)
        except Exception:  # noqa: BLE001, S112 - hostile bytes; then they are something else
            continue
        if one is not None and other is not None:
            clock = how == "text" and one != other and list(map(blurred, one)) == list(map(blurred, other))
            return {"same": one == other, "how": "clock" if clock else how, **excerpts(one, other)}
    return {"same": False, "how": "bytes", **excerpts([f"{len(before)} bytes"], [f"{len(after)} bytes"])}


def excerpts(before: list[str], after: list[str]) -> dict[str, str]:
    """The first lines that differ, without what is equal in front of and behind them."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    cut = [part[start : len(part) - end][:_LINES] for part in (before, after)]
    return {
        side: "\n".join(line[:_LINE] for line in part)
        for side, part in zip(("before", "after"), cut, strict=True)
    }


def lines(data: bytes) -> list[str] | None:
    text = data.decode("utf-8")
    return None if "\0" in text else text.splitlines(keepends=False)


def contents(data: bytes) -> list[str] | None:
    """A line per member: name, size, digest; for a PDF what remains without its dates."""
    if data[:2] == b"PK":
        return _members(data)
    if data[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            inner = stream.read(_UNPACKED)
        return contents(inner) or [f"{len(inner)} {zlib.crc32(inner)} {hash_of(inner)}"]
    if data[:4] == b"%PDF":
        return [hash_of(_MADE.sub(b"", data))]
    if data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return [_line(m.name, (tar.extractfile(m) or io.BytesIO()).read(_UNPACKED)) for m in tar]
    return None


def _members(data: bytes) -> list[str]:
    found, left = [], _UNPACKED
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                inner = stream.read(left + 1)
            left -= len(inner)
            if left < 0:
                raise ValueError("too large")
            found.append(_line(member.filename, _MADE.sub(b"", inner)))
    return found


def _line(name: str, data: bytes) -> str:
    return f"{name} {len(data)} {hash_of(data)}"


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def pixels(data: bytes) -> list[str] | None:
    """Size and digest of a PNG's image data, its filters undone; None for anything else."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    head, packed, colours, at = b"", b"", b"", 8
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            head = body
        elif kind == b"IDAT":
            packed += body
        elif kind in (b"PLTE", b"tRNS"):
            colours += body
        at += size + 12
    width, height, depth, colour, *_rest, interlaced = struct.unpack(">IIBBBBB", head)
    raw = zlib.decompressobj().decompress(packed, _PIXELS)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if not interlaced:
        raw = unfiltered(raw, height, (width * bits + 7) // 8, max(1, bits // 8))
    return [f"{width}x{height} {depth} {colour} {hash_of(raw + colours)}"]


def unfiltered(raw: bytes, height: int, row: int, step: int) -> bytes:
    """row: bytes of a line, step: of a pixel, at least 1.

    Source: PNG specification (third edition), 9.2 filter types for filter method 0.
    """
    if len(raw) != height * (row + 1):
        raise ValueError("not as much as it says")
    out, before = bytearray(), bytearray(row)
    for start in range(0, len(raw), row + 1):
        line, kind = bytearray(raw[start + 1 : start + 1 + row]), raw[start]
        if kind:
            _undo(kind, line, before, step)
        out += line
        before = line
    return bytes(out)


def _undo(kind: int, line: bytearray, before: bytearray, step: int) -> None:
    for at in range(len(line)):
        left = line[at - step] if at >= step else 0
        up, corner = before[at], before[at - step] if at >= step else 0
        guess = left + up - corner
        far = abs(guess - left), abs(guess - up), abs(guess - corner)
        paeth = left if far[0] <= far[1] and far[0] <= far[2] else up if far[1] <= far[2] else corner
        line[at] = (line[at] + (0, left, up, (left + up) // 2, paeth)[kind]) & 0xFF


if __name__ == "__main__":
    main()
