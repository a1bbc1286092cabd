"""Measures the files a run left, inside the checker sandbox: hostile bytes in, capped numbers out.

Standard library only. Reads /outputs (never through a link), writes ./outputs/facts.json. A file whose inside
cannot be understood is `unreadable` with a reason; nothing in a file can end the program.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.executor.checker.subtitles import read_cues
    from services.executor.checker.tables import (
        MAX_READ,
        Unreadable,
        decoded,
        read_csv,
        read_json,
        read_jsonl,
    )
    from services.executor.checker.workbook import read_xlsx
else:  # inside the sandbox this folder is all there is
    from subtitles import read_cues
    from tables import MAX_READ, Unreadable, decoded, read_csv, read_json, read_jsonl
    from workbook import read_xlsx

MAX_FILES = 200
MAX_DEPTH = 8
MAX_ALL = 128 << 20
MAX_TEXT = 64 * 1024
# Characters of file content in the answer, all files together.
MAX_CONTENT = 2 << 20

_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*|<!--[^>]*-->\s*)*(<!doctype\s+html|<html[\s>])", re.IGNORECASE
)
# What stands at the end of a whole file: kind -> (within so many last bytes, these).
_ENDS = {
    "png": (32, b"IEND"),
    "jpeg": (4096, b"\xff\xd9"),
    "gif": (16, b";"),
    "pdf": (2048, b"%%EOF"),
}


def kind_of(name: str, head: bytes) -> str:
    """By the first bytes; by the name only among kinds of text. A web page is one under any name."""
    for magic, kind in (
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF8", "gif"),
        (b"%PDF-", "pdf"),
    ):
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "mp4"
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if head.startswith(b"PK\x03\x04"):
        return ending if ending in ("xlsx", "docx", "pptx") else "zip"
    if b"\0" in head:
        return "binary"
    if _PAGE.match(head):
        return "html"
    return (
        ending
        if ending in ("csv", "tsv", "json", "jsonl", "md", "html", "xml", "srt", "vtt", "svg")
        else "txt"
    )


def picture_size(kind: str, data: bytes) -> tuple[int, int] | None:
    if kind == "png" and len(data) >= 24 and data[12:16] == b"IHDR":
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if kind == "gif" and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    if kind == "jpeg":
        at = 2
        while at + 9 < len(data) and data[at] == 0xFF:
            marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(
                    data[at + 5 : at + 7], "big"
                )
            at += 2 + max(length, 2)
    return None


def inside(kind: str, data: bytes, whole: bool) -> dict[str, Any]:
    """What the content says. Raises Unreadable."""
    if kind in ("png", "jpeg", "gif", "webp", "pdf", "mp4", "zip", "docx", "pptx", "binary"):
        return outside(kind, data, whole)
    if not whole and kind in ("json", "xlsx"):
        raise Unreadable("too large")
    facts: dict[str, Any] = {}
    if kind == "xlsx":
        return read_xlsx(data)
    if kind in ("csv", "tsv"):
        facts = read_csv(data, kind == "tsv")
    elif kind in ("json", "jsonl"):
        facts = read_json(data) if kind == "json" else read_jsonl(data)
    elif kind in ("srt", "vtt"):
        facts = read_cues(data)
    if not whole and "rows" in facts:
        facts["more_rows"] = True
    text = decoded(data)
    return {**facts, "text": text[:MAX_TEXT], "text_length": len(text)}


def outside(kind: str, data: bytes, whole: bool) -> dict[str, Any]:
    """What can be told of a file that is neither table nor text: a picture's size, and whether its end is there."""
    size = picture_size(kind, data)
    facts: dict[str, Any] = {} if size is None else {"width": size[0], "height": size[1]}
    within, end = _ENDS.get(kind, (0, b""))
    if whole and end not in data[len(data) - min(within, len(data)) :]:
        facts["unreadable"] = "cut"
    if whole and kind in ("zip", "docx", "pptx"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                archive.infolist()
        except Exception as error:  # zipfile raises a dozen kinds; all mean this
            raise Unreadable("cut") from error
    return facts


def measure(descriptor: int, name: str, budget: int) -> tuple[dict[str, Any], int]:
    """Facts of one open file, and how many bytes were read of it."""
    size, digest, data = os.fstat(descriptor).st_size, hashlib.sha256(), b""
    limit = min(MAX_READ, budget)
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(limit)
        digest.update(data)
        read = len(data)
        # Past the cap only the digest goes on, up to the budget.
        while read < budget and (chunk := stream.read(1 << 20)):
            digest.update(chunk)
            read += len(chunk)
    kind = kind_of(name, data[:4096])
    facts: dict[str, Any] = {"size": size, "kind": kind, "sha256": digest.hexdigest()}
    try:
        facts.update(inside(kind, data, whole=len(data) == size))
    except Unreadable as error:
        facts["unreadable"] = str(error)
    except Exception as error:  # noqa: BLE001 - whatever else a hostile file provokes must not end the program
        facts["unreadable"] = type(error).__name__
    return facts, read


def listed(root: str, wanted: set[str] | None) -> Iterator[tuple[str, int]]:
    """(name below root, open descriptor) of regular files in name order, without links and odd names."""
    for folder, folders, names in os.walk(root):
        below = os.path.relpath(folder, root)
        folders[:] = sorted(folders) if below.count("/") < MAX_DEPTH else []
        for plain in sorted(names):
            name = plain if below == "." else f"{below}/{plain}"
            if (wanted is not None and name not in wanted) or not usable(name):
                continue
            try:
                descriptor = os.open(Path(folder, plain), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                yield name, descriptor
            else:
                os.close(descriptor)


def usable(name: str) -> bool:
    return (
        len(name) <= 190
        and unicodedata.is_normalized("NFC", name)
        and not any(c in '\\*?"' or unicodedata.category(c)[0] == "C" for c in name)
    )


def within_budget(facts: dict[str, Any], left: int) -> tuple[dict[str, Any], int]:
    """The facts cut to `left` characters of JSON, first the text, then all that came from inside."""
    shorter = facts | {"text": "", "sample": []}
    bare = {key: facts[key] for key in ("size", "kind", "sha256")} | {"unreadable": "too much content"}
    for candidate in (facts, shorter):
        length = len(json.dumps(candidate, ensure_ascii=False))
        if length <= left:
            return candidate, left - length
    return bare, left


def measure_all(root: str, wanted: set[str] | None) -> dict[str, Any]:
    files: dict[str, Any] = {}
    bytes_left, content_left, skipped = MAX_ALL, MAX_CONTENT, 0
    for name, descriptor in listed(root, wanted):
        if len(files) >= MAX_FILES:
            os.close(descriptor)
            skipped += 1
            continue
        facts, read = measure(descriptor, name, bytes_left)
        bytes_left -= read
        facts, content_left = within_budget(facts, content_left)
        files[f"outputs/{name}"] = facts
    return {"version": 1, "files": files, "skipped": skipped}


def asked_for() -> set[str] | None:
    """The names below /outputs that the order asks about; None for all of them."""
    try:
        import agent
    except ImportError:
        return None
    given = getattr(agent, "input", None)
    paths = given.get("paths") if isinstance(given, dict) else given
    if not isinstance(paths, list):
        return None
    return {str(path).removeprefix("outputs/") for path in paths}


def main(root: str = "/outputs", out: str = "outputs") -> None:
    facts = measure_all(root, asked_for())
    Path(out).mkdir(parents=True, exist_ok=True)
    with Path(out, "facts.json").open("w", encoding="utf-8", errors="replace") as stream:
        json.dump(facts, stream, ensure_ascii=False)


if __name__ == "__main__":
    main(*sys.argv[1:3])
