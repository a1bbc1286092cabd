"""The same facts as tables: two CSV files for programs, one workbook for people."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from .keywords import Keyword
from .outcome import Day, Reading, Row
from .phrases import Phrases

ITEM_COLUMNS = ("source", "change", "title", "price", "price_before", "detail", "link")
SOURCE_COLUMNS = ("source", "status", "items", "new", "changed", "gone", "address", "found_as", "result")
_WIDEST = 60
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int


def write_items(path: Path, day: Day) -> None:
    """One line for every entry, also those that stayed the same."""
    _write_csv(path, ITEM_COLUMNS, (_item_cells(row, row.change) for row in day.rows()))


def write_sources(path: Path, day: Day, say: Phrases) -> None:
    """One line for every source, also those that failed: their `items` is 0 and their `result` is a sentence
    that names them, otherwise "ok"."""
    _write_csv(path, SOURCE_COLUMNS, (_source_cells(reading, say) for reading in day.readings))


def write_workbook(path: Path, day: Day, keywords: list[Keyword], say: Phrases) -> None:
    book = Workbook()
    for sheet in book.worksheets:
        book.remove(sheet)
    items = [_item_cells(row, say(f"change_{row.change}")) for row in day.rows()]
    sources = [[*cells[:7], cells[8]] for cells in (_source_cells(reading, say) for reading in day.readings)]
    words: list[list[Cell]] = [[word.word, word.titles, word.new] for word in keywords]
    for name, rows in (("items", items), ("sources", sources), ("keywords", words)):
        _add_sheet(book, say(f"sheet_{name}"), say(f"head_{name}").split(","), rows)
    book.save(path)


def _item_cells(row: Row, change: str) -> list[Cell]:
    before = row.before.price if row.before else ""
    return [row.source, change, row.item.title, row.item.price, before, row.item.detail, row.item.link]


def _source_cells(reading: Reading, say: Phrases) -> list[Cell]:
    comparison, source = reading.comparison, reading.source
    counts = [len(comparison.new), len(comparison.changed), len(comparison.gone)] if comparison else [0, 0, 0]
    problem = say.problem(reading.status, reading.detail)
    result = f"{source.name}: {problem}" if problem else "ok"
    return [source.name, reading.status, len(reading.items), *counts, source.address, reading.kind, result]


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """UTF-8 with a mark, which spreadsheet programs need in order to show Korean."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_inert(cell) for cell in row] for row in rows)


def _inert(cell: Cell) -> Cell:
    """A title that starts like a formula must stay text when the file is opened in a spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_START) else cell


def _add_sheet(book: Workbook, name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    sheet = book.create_sheet(name)
    for row_at, row in enumerate([heads, *rows], start=1):
        for column_at, value in enumerate(row, start=1):
            cell = sheet.cell(row_at, column_at, value)
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula, whatever the page wrote
            if row_at == 1:
                cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for column_at in range(1, len(heads) + 1):
        letter = get_column_letter(column_at)
        longest = max(len(str(cell.value or "")) for cell in sheet[letter])
        sheet.column_dimensions[letter].width = min(longest * 1.6 + 2, _WIDEST)
