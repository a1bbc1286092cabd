"""Entries of a real data table: one with a heading row. Tables used for layout are left to `blocks.py`."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

from .item import DETAIL_CHARS, Item, absolute_link, clean
from .price import find_price

_TITLE = re.compile(
    r"상품|제품|품명|이름|제목|품목|모델|메뉴|공고|과정|name|title|product|item|subject", re.IGNORECASE
)
_PRICE = re.compile(r"가격|판매가|금액|단가|price|cost", re.IGNORECASE)
# Columns that count or number: they change without anything having happened.
_NOISE = re.compile(r"번호|순번|조회|추천|댓글|^no\.?$|^#$|views|hits", re.IGNORECASE)
_MOST_TITLE_COLUMNS = 3
_CELL_CHARS = 300  # a longer cell holds a layout, not a value


def table_items(soup: BeautifulSoup, page: str) -> list[Item]:
    """Rows of the data table with most rows; [] when no table has a heading row and two columns."""
    found = [_rows_as_items(table, page) for table in soup.find_all("table") if not table.find("table")]
    return max(found, key=len, default=[])


def _rows_as_items(table: Tag, page: str) -> list[Item]:
    rows = [list(row.find_all(["td", "th"], recursive=False)) for row in table.find_all("tr")]
    rows = [row for row in rows if len(row) >= 2]
    if len(rows) < 2 or not _is_heading(rows[0]):
        return []
    heads = [clean(cell.get_text(" "), 60) for cell in rows[0]]
    body = [row for row in rows[1:] if len(row) == len(heads)]
    if not body or any(len(cell.get_text()) > _CELL_CHARS for row in body[:20] for cell in row):
        return []
    title_at = _title_columns(heads, body)
    price_at = next((index for index, head in enumerate(heads) if _PRICE.search(head)), None)
    return [item for row in body for item in [_row_item(row, heads, title_at, price_at, page)] if item]


def _is_heading(row: list[Tag]) -> bool:
    """Heading cells, or short plain words without a link or a number."""
    if all(cell.name == "th" for cell in row):
        return True
    texts = [cell.get_text(" ", strip=True) for cell in row]
    return all(0 < len(text) <= 20 and not re.search(r"\d", text) for text in texts) and not any(
        cell.find("a") or cell.find("img") for cell in row
    )


def _title_columns(heads: list[str], body: list[list[Tag]]) -> list[int]:
    """The column called something like a name; otherwise as many leading columns as tell the rows apart."""
    for index, head in enumerate(heads):
        if _TITLE.search(head) and not _NOISE.search(head):
            return [index]
    columns = [index for index, head in enumerate(heads) if not _NOISE.search(head)] or [0]
    for count in range(1, _MOST_TITLE_COLUMNS):
        if len({_title(row, columns[:count]) for row in body}) == len(body):
            return columns[:count]
    return columns[:_MOST_TITLE_COLUMNS]


def _title(row: list[Tag], columns: list[int]) -> str:
    return clean(" · ".join(row[index].get_text(" ", strip=True) for index in columns))


def _row_item(
    row: list[Tag], heads: list[str], title_at: list[int], price_at: int | None, page: str
) -> Item | None:
    title = _title(row, title_at)
    if not title:
        return None
    anchor = row[title_at[0]].find("a", href=True) or next(
        (a for cell in row for a in cell.find_all("a", href=True)), None
    )
    link = absolute_link(str(anchor["href"]), page) if isinstance(anchor, Tag) else ""
    if price_at is not None:
        price = clean(row[price_at].get_text(" "), 40)
    else:
        price = next((price for cell in row for price in [find_price(cell.get_text(" "))] if price), "")
    rest = [
        f"{head} {clean(cell.get_text(' '), 60)}"
        for index, (head, cell) in enumerate(zip(heads, row, strict=True))
        if index not in (*title_at, price_at) and not _NOISE.search(head) and cell.get_text(strip=True)
    ]
    return Item(title, link, price, clean(" · ".join(rest), DETAIL_CHARS))
