"""Twenty shops before and after a redesign. What they sell is known, so a reader that is right can be told from
one that only looks right. Each price has another one beside it. `readers.py` has code that reads each layout.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Row = tuple[str, str, int]  # id, title, price in the shop's smallest shown unit: won, or cents


@dataclass(frozen=True)
class Layout:
    """kind: how a product stands in the page; title and price: names of classes; money: how a price is written."""

    kind: str
    title: str = "name"
    price: str = "price"
    money: str = "won"


@dataclass(frozen=True)
class Shop:
    """change: what the redesign did, in words."""

    name: str
    language: str
    change: str
    old: Layout
    new: Layout
    rows: tuple[Row, ...]


MONEY: dict[str, Callable[[int], str]] = {
    "won": lambda price: f"{price:,}원",
    "sign": lambda price: f"₩{price:,}",
    "code": lambda price: f"KRW {price}",
    "spaced": lambda price: f"{price:,} 원".replace(",", " "),
    "dollar": lambda price: f"${price / 100:,.2f}",
    "usd": lambda price: f"{price / 100:.2f} USD",
    "euro": lambda price: f"{price / 100:,.2f} €".replace(",", " ").replace(".", ","),
}


def listed(price: int) -> int:
    """What stands beside each price, struck out: what it cost before."""
    return price + 3170


def next_day(shop: Shop) -> list[Row]:
    """One is gone, one is cheaper, one is new."""
    (id, title, price), *more = shop.rows[1:]
    return [(id, title, price - 1310), *more, (f"{shop.name}-new", "대나무 쟁반", 31270)]


def page_of(shop: Shop, rows: Sequence[Row], *, new: bool) -> str:
    layout = shop.new if new else shop.old
    head, body = _KINDS[layout.kind](layout, rows)
    title = "새 상품" if shop.language == "ko" else "New arrivals"
    return (
        f'<!doctype html><html lang="{shop.language}"><head><meta charset="utf-8"><title>{title}</title>{head}'
        f"</head><body><h1>{title}</h1>{body}</body></html>"
    )


def _cards(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    cards = "".join(
        f'<li class="item"><a href="/p/{id}"><strong class="{layout.title}">{escape(title)}</strong></a>'
        f'<span class="{layout.price}">{MONEY[layout.money](price)}</span>'
        f"<del>{MONEY[layout.money](listed(price))}</del></li>"
        for id, title, price in rows
    )
    return "", f"<ul>{cards}</ul>"


def _price_first(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    """The price stands above the title, in a block of its own."""
    cards = "".join(
        f'<article id="{id}"><p class="{layout.price}"><em>{MONEY[layout.money](price)}</em>'
        f"<s>{MONEY[layout.money](listed(price))}</s></p>"
        f'<div><h3 class="{layout.title}">{escape(title)}</h3></div></article>'
        for id, title, price in rows
    )
    return "", cards


def _table(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    shown = "".join(
        f'<tr><td>{id}</td><td class="{layout.title}">{escape(title)}</td>'
        f'<td class="{layout.price}">{MONEY[layout.money](price)}</td>'
        f'<td class="before">{MONEY[layout.money](listed(price))}</td></tr>'
        for id, title, price in rows
    )
    return "", f"<table><tr><th>#</th><th>상품</th><th>가격</th><th>정가</th></tr>{shown}</table>"


def _json_ld(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    """Only machines find the goods here: people get them drawn by a script."""
    goods = [
        {
            "@type": "Product",
            "sku": id,
            "name": title,
            "offers": {"@type": "Offer", "price": price, "listPrice": listed(price)},
        }
        for id, title, price in rows
    ]
    data = json.dumps({"@context": "https://schema.org", "@graph": goods}, ensure_ascii=False)
    return f'<script type="application/ld+json">{data}</script>', '<div id="app"></div>'


def _lazy(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    """Titles and prices wait in attributes until somebody scrolls."""
    cards = "".join(
        f'<div class="tile" data-{layout.title}="{escape(title)}" data-{layout.price}="{price}" '
        f'data-before="{listed(price)}"><img alt=""></div>'
        for _id, title, price in rows
    )
    return "", cards


def _microdata(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    cards = "".join(
        f'<div itemscope itemtype="https://schema.org/Product"><span itemprop="name">{escape(title)}</span>'
        f'<meta itemprop="price" content="{price}"><meta itemprop="listPrice" content="{listed(price)}"></div>'
        for _id, title, price in rows
    )
    return "", cards


def _state(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    goods = [
        {"id": id, "title": title, "cost": {"amount": price, "before": listed(price)}}
        for id, title, price in rows
    ]
    data = json.dumps({"goods": goods}, ensure_ascii=False)
    return f"<script>window.__STATE__ = {data};</script>", '<main id="root"></main>'


def _definitions(layout: Layout, rows: Sequence[Row]) -> tuple[str, str]:
    shown = "".join(
        f'<dt class="{layout.title}">{escape(title)}</dt><dd class="{layout.price}">{MONEY[layout.money](price)}</dd>'
        f'<dd class="before">{MONEY[layout.money](listed(price))}</dd>'
        for _id, title, price in rows
    )
    return "", f"<dl>{shown}</dl>"


_KINDS: dict[str, Callable[[Layout, Sequence[Row]], tuple[str, str]]] = {
    "cards": _cards,
    "price first": _price_first,
    "table": _table,
    "json-ld": _json_ld,
    "lazy": _lazy,
    "microdata": _microdata,
    "state": _state,
    "definitions": _definitions,
}

_KO = (
    "리넨 셔츠",
    "울 머플러",
    "캠핑 의자",
    "원두 200g",
    "머그컵 & 받침",
    "양말 3켤레",
    "무선 스탠드",
    "도마",
)
_EN = (
    "Linen shirt",
    "Wool scarf",
    "Camp chair",
    "Coffee 200 g",
    "Mug & saucer",
    "Socks, 3 pairs",
    "Lamp",
    "Board",
)

_CHANGES: tuple[tuple[str, str, Layout, Layout], ...] = (
    ("ko", "classes renamed", Layout("cards"), Layout("cards", "title", "cost")),
    ("ko", "classes made by a machine", Layout("cards"), Layout("cards", "css-1x9k2", "css-8a0zq")),
    ("ko", "price above the title", Layout("cards"), Layout("price first")),
    ("ko", "table became cards", Layout("table"), Layout("cards", "goods-name", "goods-price")),
    ("ko", "cards became a table", Layout("cards", "goods", "won"), Layout("table")),
    ("ko", "only JSON-LD is left", Layout("cards"), Layout("json-ld")),
    ("ko", "won sign instead of the word", Layout("cards"), Layout("cards", money="sign")),
    ("ko", "currency code, no thousands", Layout("table"), Layout("table", money="code")),
    ("ko", "spaces between thousands", Layout("cards"), Layout("cards", money="spaced")),
    ("ko", "lazy attributes", Layout("cards"), Layout("lazy")),
    ("ko", "drawn from a script's data", Layout("table"), Layout("state")),
    ("ko", "microdata", Layout("definitions"), Layout("microdata")),
    ("ko", "list of definitions", Layout("cards"), Layout("definitions", "label", "value", "sign")),
    ("ko", "JSON-LD became cards", Layout("json-ld"), Layout("cards", "tit", "prc")),
    ("en", "classes renamed", Layout("cards", money="dollar"), Layout("cards", "product", "amount", "dollar")),
    ("en", "dollar sign became a code", Layout("cards", money="dollar"), Layout("cards", money="usd")),
    ("en", "dollars became euros", Layout("table", money="dollar"), Layout("table", money="euro")),
    ("en", "lazy attributes", Layout("definitions", money="usd"), Layout("lazy", "label", "cents")),
    ("en", "script data became a table", Layout("state"), Layout("table", "t", "p", "dollar")),
    ("en", "price above the title, renamed", Layout("cards", money="dollar"), Layout("price first", "h", "m", "usd")),
)  # fmt: skip


def _rows(number: int, language: str) -> tuple[Row, ...]:
    titles = _KO if language == "ko" else _EN
    size = 4 + number % 3
    return tuple(
        (f"s{number:02}-{at}", f"{titles[(number + at) % len(titles)]}", 9900 + 1150 * number + 730 * at)
        for at in range(size)
    )


SHOPS = tuple(
    Shop(f"s{number:02}", language, change, old, new, _rows(number, language))
    for number, (language, change, old, new) in enumerate(_CHANGES, 1)
)
