"""Entries that a page states itself, as JSON-LD (schema.org): products first, then articles and lists."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bs4 import BeautifulSoup

from .item import DETAIL_CHARS, Item, absolute_link, clean
from .price import find_price, money

_PRODUCTS = {
    "Product",
    "ProductGroup",
    "IndividualProduct",
    "Vehicle",
    "Book",
    "Course",
    "Event",
    "JobPosting",
}
_ARTICLES = {"Article", "NewsArticle", "BlogPosting", "Report", "VideoObject", "Recipe"}
_MAX_DEPTH = 12
_STOCK = {"InStock": "", "OutOfStock": "품절", "SoldOut": "품절", "PreOrder": "예약 판매"}


def json_ld_items(soup: BeautifulSoup, page: str) -> list[Item]:
    """Products when there are any; otherwise a list's entries, or articles when more than one is stated
    (a single article describes the page itself)."""
    nodes = [
        node
        for script in soup.find_all("script", type="application/ld+json")
        for node in _nodes(_parse(script.get_text()), 0)
    ]
    products = [item for node in nodes if _types(node) & _PRODUCTS for item in [_item(node, page)] if item]
    if products:
        return products
    others = [item for node in nodes if _types(node) & _ARTICLES for item in [_item(node, page)] if item]
    others = others or [
        item for node in nodes if "ListItem" in _types(node) for item in [_item(node, page)] if item
    ]
    return others if len(others) > 1 else []


def _parse(text: str) -> object:
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _nodes(value: object, depth: int) -> Iterator[dict[str, object]]:
    """Every object in the statement except the inside of breadcrumbs, offers and reviews."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _nodes(inner, depth + 1)
    elif isinstance(value, dict):
        if "BreadcrumbList" in _types(value):
            return
        yield value
        for name in ("@graph", "itemListElement", "item", "mainEntity", "hasPart", "itemOffered"):
            yield from _nodes(value.get(name), depth + 1)


def _types(node: dict[str, object]) -> set[str]:
    kind = node.get("@type")
    names = kind if isinstance(kind, list) else [kind]
    return {str(name).rsplit("/", 1)[-1] for name in names if name}


def _item(node: dict[str, object], page: str) -> Item | None:
    title = clean(_text(node.get("name")) or _text(node.get("headline")) or _text(node.get("title")))
    if not title:
        return None
    offers = node.get("offers")
    offer = offers[0] if isinstance(offers, list) and offers else offers
    offer = offer if isinstance(offer, dict) else {}
    link = _text(node.get("url")) or _text(offer.get("url")) or _text(node.get("@id"))
    amount = offer.get("price", offer.get("lowPrice"))
    price = "" if amount is None else money(amount, offer.get("priceCurrency")) or find_price(str(amount))
    stock = _text(offer.get("availability")).rsplit("/", 1)[-1]
    return Item(
        title=title,
        link=absolute_link(link, page),
        price=price,
        detail=clean(_STOCK.get(stock, stock), DETAIL_CHARS),
        code=clean(_text(node.get("sku")) or _text(node.get("productID")) or _text(node.get("gtin13")), 80),
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("@value") or value.get("@id") or value.get("url") or ""
    return str(value) if isinstance(value, str | int | float) else ""
