"""The first sheet of an .xlsx as a table, with every part counted while it is unpacked.

Part of the checker's program: standard library only. Declared entities, other encodings than UTF-8 and parts
beyond the cap are refused before the parser sees them.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from services.executor.checker.tables import MAX_COLUMNS, MAX_READ, Row, Unreadable, table_facts
else:  # inside the sandbox this folder is all there is
    from tables import MAX_COLUMNS, MAX_READ, Row, Unreadable, table_facts

_CELL = re.compile(r"([A-Z]{1,3})\d{1,7}", re.ASCII)
_XLSX = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_xlsx(data: bytes) -> dict[str, Any]:
    """The first sheet; its first row is the header. Dates stay the numbers the file holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            shared = _shared_strings(archive)
            rows = _sheet_rows(_part(archive, _first_sheet(archive)), shared)
            return table_facts(next(rows, []), rows)
    except Unreadable:
        raise
    except Exception as error:  # zipfile, zlib and expat raise a dozen kinds; all mean this
        raise Unreadable("xlsx") from error


def sheet_rows(data: bytes, most: int = 401) -> list[Row]:
    """The first rows of the first sheet as they stand. Raises: Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            rows = _sheet_rows(_part(archive, _first_sheet(archive)), _shared_strings(archive))
            return [row for _, row in zip(range(most), rows, strict=False)]
    except Unreadable:
        raise
    except Exception as error:  # as in read_xlsx
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
        book = ET.fromstring(_part(archive, "xl/workbook.xml"))  # noqa: S314 - `_part` has refused entities
        sheet = next(book.iter(f"{_XLSX}sheet"), None)
        relations = _part(archive, "xl/_rels/workbook.xml.rels")
        for relation in ET.fromstring(relations):  # noqa: S314 - `_part` has refused entities
            if sheet is not None and relation.get("Id") == sheet.get(_RELATION):
                target = (relation.get("Target") or "").lstrip("/")
                return target if target.startswith("xl/") else f"xl/{target}"
    return min(name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml"))


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    strings = []
    for _, element in ET.iterparse(io.BytesIO(_part(archive, "xl/sharedStrings.xml"))):  # noqa: S314 - `_part` has refused entities
        if element.tag == f"{_XLSX}si":
            strings.append("".join(node.text or "" for node in element.iter(f"{_XLSX}t"))[: 1 << 15])
            element.clear()
    return strings


def _sheet_rows(data: bytes, shared: list[str]) -> Iterator[Row]:
    for _, element in ET.iterparse(io.BytesIO(data)):  # noqa: S314 - `_part` has refused entities
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


def _cell(cell: ET.Element, shared: list[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(node.text or "" for node in cell.iter(f"{_XLSX}t"))
    text = cell.findtext(f"{_XLSX}v") or ""
    if kind == "s":
        return shared[int(text)] if text.isdigit() and len(text) < 8 and int(text) < len(shared) else ""
    return text
