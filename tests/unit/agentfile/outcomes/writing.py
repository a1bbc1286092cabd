"""The files of the agents in this folder, as their libraries would write them: tables, workbooks, pictures, cues."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Row = list[str]
Table = list[Row]

_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def csv_text(table: Table, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(table)
    return out.getvalue()


def csv_table(text: str, delimiter: str = ",") -> Table:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def workbook(table: Table) -> bytes:
    rows = "".join(
        f'<row r="{number}">' + "".join(_cell(value) for value in row) + "</row>"
        for number, row in enumerate(table, 1)
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>',
        )
    return out.getvalue()


def _cell(value: str) -> str:
    if value.isdigit():
        return f"<c><v>{value}</v></c>"
    safe = value.replace("&", "&amp;").replace("<", "&lt;")
    return f'<c t="inlineStr"><is><t>{safe}</t></is></c>'


def picture(width: int, height: int, chance: Random) -> bytes:
    """A PNG with something drawn on it."""
    lines = b"".join(b"\0" + chance.randbytes(width) for _ in range(height))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def cues(lines: Sequence[str], chance: Random) -> str:
    """SubRip."""
    at, parts = 0.4, []
    for number, line in enumerate(lines, 1):
        end = at + chance.uniform(1.2, 5)
        parts.append(f"{number}\n{_clock(at)} --> {_clock(end)}\n{line}\n")
        at = end + chance.uniform(0, 1)
    return "\n".join(parts)


def _clock(seconds: float) -> str:
    whole = int(seconds * 1000)
    return f"{whole // 3600000:02}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02},{whole % 1000:03}"


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def each(table: Table, column: str, change: Callable[[str], str]) -> Table:
    """The table with every value of one column changed."""
    at = table[0].index(column)
    return [table[0], *([*row[:at], change(row[at]), *row[at + 1 :]] for row in table[1:])]
