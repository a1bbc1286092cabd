"""Measures the files a run left, inside the checker sandbox: hostile bytes in, capped numbers out.

Standard library only. Reads /outputs (never through a link), writes ./outputs/facts.json. A file whose inside
cannot be understood is `unreadable` with a reason; nothing in a file can end the program.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import stat
import struct
import sys
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

MAX_FILES = 200
MAX_DEPTH = 8
MAX_READ = 32 << 20
MAX_ALL = 128 << 20
MAX_ROWS = 200_000
MAX_COLUMNS = 64
MAX_VALUES = 50
MAX_VALUE = 120
MAX_NAME = 120
MAX_TEXT = 64 * 1024
MAX_SAMPLE = 5
# Characters of file content in the answer, all files together.
MAX_CONTENT = 2 << 20

_TABLES = {"csv", "tsv", "json", "jsonl", "xlsx"}
_NUMBER = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?|-?\d{1,15}(\.\d{1,15})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_CELL = re.compile(r"([A-Z]{1,3})\d{1,7}")
_XLSX = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Row = list[str]


class Unreadable(Exception):
    """Why a file's inside stays unknown; one of a fixed set of words, never content."""


class Column:
    """Running statistics of one column."""

    def __init__(self, name: str) -> None:
        self.name = name[:MAX_NAME]
        self.filled = self.numbers = 0
        self.low: float | None = None
        self.high: float | None = None
        self.values: dict[str, None] = {}
        self.more_values = False
        self.newest: tuple[datetime, str] | None = None

    def add(self, text: str) -> None:
        text = text.strip()
        if not text:
            return
        self.filled += 1
        if _NUMBER.fullmatch(text):
            number = float(text.replace(",", ""))
            self.numbers += 1
            self.low = number if self.low is None else min(self.low, number)
            self.high = number if self.high is None else max(self.high, number)
        elif _DATE.fullmatch(text):
            self._date(text)
        if text[:MAX_VALUE] not in self.values:
            if len(self.values) < MAX_VALUES and len(text) <= MAX_VALUE:
                self.values[text] = None
            else:
                self.more_values = True

    def _date(self, text: str) -> None:
        try:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return
        if self.newest is None or moment > self.newest[0]:
            self.newest = (moment, text)

    def facts(self, rows: int) -> dict[str, Any]:
        return {
            "name": self.name,
            "empty": rows - self.filled,
            "numbers": self.numbers,
            "low": self.low,
            "high": self.high,
            "values": list(self.values),
            "more_values": self.more_values,
            "newest": self.newest[1] if self.newest else None,
        }


def table_facts(header: Row, rows: Iterable[Row]) -> dict[str, Any]:
    """Row count, columns and the first rows. Blank rows do not count."""
    columns = [Column(name.strip()) for name in header[:MAX_COLUMNS]]
    count, more, sample = 0, False, []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if count >= MAX_ROWS:
            more = True
            break
        count += 1
        for column, cell in zip(columns, row, strict=False):
            column.add(cell)
        if len(sample) < MAX_SAMPLE:
            sample.append([cell[:MAX_VALUE] for cell in row[:MAX_COLUMNS]])
    named: dict[str, Column] = {}
    for column in columns:
        if column.name:
            named.setdefault(column.name, column)
    return {
        "rows": count,
        "more_rows": more,
        "columns": [c.facts(count) for c in named.values()],
        "sample": sample,
    }


def decoded(data: bytes) -> str:
    """UTF-8 (a mark at the start is dropped) or Korean CP949; text that ends inside a character is cut there."""
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            if len(data) >= MAX_READ and error.start > len(data) - 8:
                return data[: error.start].decode(encoding)
    raise Unreadable("encoding")


def read_csv(data: bytes, tab: bool) -> dict[str, Any]:
    text = decoded(data)
    if "\0" in text:
        raise Unreadable("nul")
    first = text.split("\n", 1)[0]
    delimiter = "\t" if tab else ";" if first.count(";") > first.count(",") else ","
    csv.field_size_limit(1 << 20)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next(reader, [])
        return table_facts(header, reader)
    except csv.Error as error:
        raise Unreadable("csv") from error


def read_json(data: bytes) -> dict[str, Any]:
    """A list of records, or an object with exactly one list of records in it; other JSON is no table."""
    value = _json(decoded(data))
    if isinstance(value, dict):
        lists = [
            inner
            for inner in value.values()
            if isinstance(inner, list) and inner and isinstance(inner[0], dict)
        ]
        if len(lists) != 1:
            return {}
        value = lists[0]
    return records_facts(value) if isinstance(value, list) else {}


def read_jsonl(data: bytes) -> dict[str, Any]:
    lines = (line for line in decoded(data).split("\n") if line.strip())
    return records_facts([_json(line) for _, line in zip(range(MAX_ROWS + 1), lines, strict=False)])


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("json") from error


def records_facts(records: list[Any]) -> dict[str, Any]:
    header: dict[str, None] = {}
    for record in records[:MAX_ROWS]:
        if isinstance(record, dict) and len(header) < MAX_COLUMNS:
            header.update(dict.fromkeys(str(key) for key in record))
    names = list(header)[:MAX_COLUMNS] or ["value"]

    def rows() -> Iterator[Row]:
        for record in records:
            yield (
                [cell_text(record.get(n)) for n in names] if isinstance(record, dict) else [cell_text(record)]
            )

    return table_facts(names, rows())


def cell_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float):
        return (
            (str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value))
            if math.isfinite(value)
            else ""
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else "large number"
    return f"{len(value)} items"


def read_xlsx(data: bytes) -> dict[str, Any]:
    """The first sheet; its first row is the header. Dates stay the numbers the file holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            shared = _shared_strings(archive)
            rows = _sheet_rows(_part(archive, _first_sheet(archive)), shared)
            return table_facts(next(rows, []), rows)
    except Unreadable:
        raise
    # zipfile, zlib and expat raise a dozen kinds for broken files; all mean the same here.
    except Exception as error:
        raise Unreadable("xlsx") from error


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One part, counted while it is unpacked; declared entities and other encodings are refused."""
    with archive.open(name) as stream:
        data = stream.read(MAX_READ + 1)
    if len(data) > MAX_READ:
        raise Unreadable("too large")
    if (
        b"\0" in data
        or b"<!DOCTYPE" in data
        or b"<!ENTITY" in data
        or not re.match(rb"(\xef\xbb\xbf)?\s*<", data)
    ):
        raise Unreadable("xml")
    declared = re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=[\"']([^\"']*)", data)
    if declared and declared.group(1).lower() not in (b"utf-8", b"us-ascii"):
        raise Unreadable("xml")
    return data


def _first_sheet(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        book = ElementTree.fromstring(_part(archive, "xl/workbook.xml"))
        sheet = next(book.iter(f"{_XLSX}sheet"), None)
        for relation in ElementTree.fromstring(_part(archive, "xl/_rels/workbook.xml.rels")):
            if sheet is not None and relation.get("Id") == sheet.get(_RELATION):
                target = (relation.get("Target") or "").lstrip("/")
                return target if target.startswith("xl/") else f"xl/{target}"
    return min(name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml"))


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    strings = []
    for _, element in ElementTree.iterparse(io.BytesIO(_part(archive, "xl/sharedStrings.xml"))):
        if element.tag == f"{_XLSX}si":
            strings.append("".join(node.text or "" for node in element.iter(f"{_XLSX}t"))[: 1 << 15])
            element.clear()
    return strings


def _sheet_rows(data: bytes, shared: list[str]) -> Iterator[Row]:
    for _, element in ElementTree.iterparse(io.BytesIO(data)):
        if element.tag != f"{_XLSX}row":
            continue
        cells: dict[int, str] = {}
        for place, cell in enumerate(element.iter(f"{_XLSX}c")):
            at = _column_number(cell.get("r"), place)
            if at < MAX_COLUMNS:
                cells[at] = _cell(cell, shared)
        element.clear()
        yield [cells.get(i, "") for i in range(max(cells, default=-1) + 1)]


def _column_number(reference: str | None, place: int) -> int:
    """ "C7" -> 2; without a usable reference the cell's place in its row."""
    match = _CELL.fullmatch(reference or "")
    if match is None:
        return place
    number = 0
    for letter in match.group(1):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _cell(cell: ElementTree.Element, shared: list[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(node.text or "" for node in cell.iter(f"{_XLSX}t"))
    text = cell.findtext(f"{_XLSX}v") or ""
    if kind == "s":
        return shared[int(text)] if text.isdigit() and len(text) < 8 and int(text) < len(shared) else ""
    return text


def kind_of(name: str, head: bytes) -> str:
    """By the first bytes; by the name only among kinds of text."""
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
    size = picture_size(kind, data)
    if size is not None:
        return {"width": size[0], "height": size[1]}
    if not whole and kind in ("json", "xlsx"):
        raise Unreadable("too large")
    facts: dict[str, Any] = {}
    if kind == "xlsx":
        return read_xlsx(data)
    if kind in ("csv", "tsv"):
        facts = read_csv(data, kind == "tsv")
    elif kind in ("json", "jsonl"):
        facts = read_json(data) if kind == "json" else read_jsonl(data)
    elif kind in ("png", "jpeg", "gif", "webp", "pdf", "mp4", "zip", "docx", "pptx", "binary"):
        return {}
    if not whole and "rows" in facts:
        facts["more_rows"] = True
    text = decoded(data)
    return {**facts, "text": text[:MAX_TEXT], "text_length": len(text)}


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
    # The last resort of a program that must not end early: whatever else a hostile file provokes.
    except Exception as error:
        facts["unreadable"] = type(error).__name__
    return facts, read


def listed(root: str, wanted: set[str] | None) -> Iterator[tuple[str, int]]:
    """(name below root, open descriptor) of regular files, in name order; links and odd names are passed over."""
    for folder, folders, names in os.walk(root):
        below = os.path.relpath(folder, root)
        folders[:] = sorted(folders) if below.count("/") < MAX_DEPTH else []
        for plain in sorted(names):
            name = plain if below == "." else f"{below}/{plain}"
            if (wanted is not None and name not in wanted) or not usable(name):
                continue
            try:
                descriptor = os.open(os.path.join(folder, plain), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
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
        content = len(json.dumps(facts))
        if content > content_left:
            facts = {key: facts[key] for key in ("size", "kind", "sha256")} | {
                "unreadable": "too much content"
            }
        content_left -= min(content, content_left)
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
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "facts.json"), "w", encoding="utf-8") as stream:
        json.dump(facts, stream)


if __name__ == "__main__":
    main(*sys.argv[1:3])
