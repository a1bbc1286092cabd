"""Platform program inside a checker sandbox: what is written in the files of a run, cell by cell or line by line.

Reads /files/<n> (agent.input names them), writes outputs/cells.json. Standard library only; hostile bytes in, capped
text out. A file that is no text and no table is `read: false`.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.executor.checker.measure import kind_of
    from services.executor.checker.tables import MAX_COLUMNS, Unreadable, cell_text, clean, decoded
    from services.executor.checker.workbook import sheet_rows
else:  # inside the sandbox this folder is all there is
    from measure import kind_of
    from tables import MAX_COLUMNS, Unreadable, cell_text, clean, decoded
    from workbook import sheet_rows

MAX_READ = 4 << 20
MAX_ROWS = 400
MAX_CELL = 200
MAX_CHARACTERS = 400_000
_LINES = ("txt", "md", "html", "xml", "srt", "vtt", "svg")

Rows = list[list[str]]


def main() -> None:
    import agent  # only the sandbox has it

    left, found = MAX_CHARACTERS, []
    for number, name in enumerate(agent.input):
        with Path(f"/files/{number}").open("rb") as stream:
            told = {"name": name, **cells(name, stream.read(MAX_READ))}
        left -= sum(len(cell) for row in told["rows"] for cell in row)
        if left < 0:
            told = {"name": name, "read": False, "header": [], "rows": []}
        found.append(told)
    agent.output("cells.json").write_text(json.dumps(found), encoding="utf-8")


def cells(name: str, data: bytes) -> dict[str, Any]:
    """header: names of columns, none where there are lines only."""
    try:
        header, rows = _table(kind_of(name, data[:4096]), data)
    except (Unreadable, ValueError, KeyError, RecursionError, csv.Error, zipfile.BadZipFile):
        return {"read": False, "header": [], "rows": []}
    kept = [[clean(cell)[:MAX_CELL] for cell in row[:MAX_COLUMNS]] for row in rows[:MAX_ROWS] if any(row)]
    return {"read": True, "header": [clean(n)[:MAX_CELL] for n in header[:MAX_COLUMNS]], "rows": kept}


def _table(kind: str, data: bytes) -> tuple[list[str], Rows]:
    if kind in ("csv", "tsv"):
        text = decoded(data)
        first = text.split("\n", 1)[0]
        delimiter = "\t" if kind == "tsv" else ";" if first.count(";") > first.count(",") else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        return (rows[0], rows[1:]) if rows else ([], [])
    if kind == "json":
        return _records(json.loads(decoded(data)))
    if kind == "jsonl":
        return _records([json.loads(line) for line in decoded(data).split("\n") if line.strip()])
    if kind == "xlsx":
        rows = sheet_rows(data)
        return (rows[0], rows[1:]) if rows else ([], [])
    if kind in _LINES:
        return [], [[line.strip()] for line in decoded(data).splitlines()]
    raise Unreadable("binary")


def _records(value: Any) -> tuple[list[str], Rows]:
    """A row per record of the first list of records; without one a row per value."""
    lists = [value, *value.values()] if isinstance(value, dict) else [value]
    for records in lists:
        if isinstance(records, list) and records and all(isinstance(r, dict) for r in records):
            names = list(dict.fromkeys(str(key) for record in records for key in record))
            return names, [[cell_text(record.get(name)) for name in names] for record in records]
    return [], [[text] for text in _leaves(value, 0)]


def _leaves(value: Any, depth: int) -> list[str]:
    if depth > 20:
        return []
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _leaves(inner, depth + 1)]
    if isinstance(value, list):
        return [text for inner in value for text in _leaves(inner, depth + 1)]
    return [cell_text(value)]


if __name__ == "__main__":
    main()
