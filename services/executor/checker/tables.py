"""Tables in text: CSV, JSON and JSON Lines as row counts, column statistics and the first rows.

Part of the checker's program: standard library only, hostile bytes in. Raises Unreadable.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.executor.checker.columns import Column, Distinct
else:  # inside the sandbox this folder is all there is
    from columns import Column, Distinct

MAX_READ = 32 << 20
MAX_ROWS = 200_000
MAX_COLUMNS = 64
MAX_VALUE = 120
MAX_SAMPLE = 5

Row = list[str]


class Unreadable(Exception):
    """Why a file's inside stays unknown; one of a fixed set of words, never content."""


def table_facts(header: Row, rows: Iterable[Row]) -> dict[str, Any]:
    """Row count, columns and the first rows. Blank rows do not count."""
    budget = Distinct()
    columns = [Column(name.strip(), budget) for name in header[:MAX_COLUMNS]]
    count, more = 0, False
    sample: list[Row] = []
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
    """UTF-8 (without its mark) or Korean CP949; text cut inside a character ends before it."""
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
    """A list of records, or an object with exactly one list of records in it; other JSON is no table. Where all
    lists of an object are empty and there is one, it is a table without rows: nothing was found."""
    value = _json(decoded(data))
    if isinstance(value, dict):
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        tables = [inner for inner in lists if inner and isinstance(inner[0], dict)]
        if len(tables) != 1 and (len(lists) != 1 or lists[0]):
            return {}
        value = tables[0] if tables else lists[0]
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
            header.update(dict.fromkeys(clean(key) for key in record))
    names = list(header)[:MAX_COLUMNS] or ["value"]
    spelled = [{clean(key): value for key, value in r.items()} if isinstance(r, dict) else r for r in records]

    def rows() -> Iterator[Row]:
        for record in spelled:
            yield (
                [cell_text(record.get(n)) for n in names] if isinstance(record, dict) else [cell_text(record)]
            )

    return table_facts(names, rows())


def clean(text: str) -> str:
    """Without the half characters that JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def cell_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return clean(value or "")
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
