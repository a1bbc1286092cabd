"""Entries of a page that states nothing itself: the structure that repeats most convincingly is the list.

Elements with the same tag and classes, under parents with the same tag and classes, form a group. A group is
scored by how many of its members have a link, a title and a price; menus and footers are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bs4 import BeautifulSoup, Tag

from .item import MAX_ITEMS, Item, absolute_link, clean
from .price import PRICE, find_price

_MEMBERS = {"li", "div", "article", "section", "a", "tr", "td", "dl", "figure"}
_OUTSIDE = re.compile(
    r"(^|[-_ ])(nav|gnb|lnb|snb|menu|footer|breadcrumb|paging|pagination|sidebar|banner)([-_ ]|$)"
)
_TITLE_CLASS = re.compile(r"name|title|tit\b|subject", re.IGNORECASE)
# Small marks inside a member that come and go without the entry changing, and prices of the past.
_MARKS = ["span", "em", "i", "b", "strong", "small"]
_MARK_CLASS = re.compile(
    r"^(new|best|hot|badge|label|icon?|was|old|before|old-price|price-old|consumer)$", re.IGNORECASE
)
_NUMBER_ATTRIBUTES = (
    "data-no",
    "data-id",
    "data-product-no",
    "data-product-id",
    "data-goods-no",
    "data-item-id",
)
_SOLD_OUT = re.compile(r"품절|sold\s?out|일시\s?품절", re.IGNORECASE)
# Classes that mark a member's place or state, not its kind.
_STATE_CLASS = re.compile(
    r"^(first|last|odd|even|active|on|new|best|sale|soldout|sold-out|hot)$|\d", re.IGNORECASE
)
_MAX_ELEMENTS = 20_000
_MAX_BLOCK_CHARS = 1_500
_LEAST_MEMBERS = 3  # of members without a price; one with a link, a title and a price is an entry by itself
_LEAST_TITLE = 6  # median length of titles in a list without prices: shorter ones are a menu


@dataclass(frozen=True)
class _Group:
    items: tuple[Item, ...]
    score: float


def block_items(soup: BeautifulSoup, page: str) -> list[Item]:
    """Members of the best group, in page order; [] when nothing repeats convincingly."""
    for aside in [*soup.find_all(["del", "s", "strike"]), *soup.find_all(_MARKS, class_=_MARK_CLASS)]:
        aside.decompose()
    groups: dict[tuple[str, str, str], list[Tag]] = {}
    for member in _candidates(soup):
        parent = member.parent
        above = parent.parent if parent else None
        place = (_signature(above), _signature(parent), _signature(member))
        groups.setdefault(place, []).append(member)
    best = _Group((), 0.0)
    for members in groups.values():
        group = _score(members[:MAX_ITEMS], page)
        if group.score > best.score:
            best = group
    return _without_row_numbers(best.items)


def _without_row_numbers(items: tuple[Item, ...]) -> list[Item]:
    """Numbers that only count the rows name another entry tomorrow, so they are no entry's own number."""
    codes = [item.code for item in items]
    counts = ([str(number) for number in range(start, start + len(items))] for start in (0, 1))
    return [replace(item, code="") for item in items] if codes in counts else list(items)


def _candidates(soup: BeautifulSoup) -> Iterator[Tag]:
    for member in soup.find_all(_MEMBERS, limit=_MAX_ELEMENTS):
        text = member.get_text(" ")
        says_something = member.name == "a" or member.find("a", href=True) is not None or PRICE.search(text)
        if says_something and len(text) <= _MAX_BLOCK_CHARS and not _is_outside(member):
            yield member


def _is_outside(member: Tag) -> bool:
    for tag in (member, *member.parents):
        if tag.name in ("nav", "footer", "header", "aside", "form"):
            return True
        if tag.name not in ("body", "html", "[document]") and _OUTSIDE.search(_names_of(tag)):
            return True
    return False


def _names_of(tag: Tag) -> str:
    return " ".join([*_classes(tag), str(tag.get("id") or "")]).lower()


def _classes(tag: Tag) -> list[str]:
    value = tag.get("class")
    return [str(name) for name in value] if isinstance(value, list) else []


def _signature(tag: Tag | None) -> str:
    if tag is None:
        return ""
    return ".".join([tag.name, *sorted(name for name in _classes(tag) if not _STATE_CLASS.search(name))])


def _score(members: list[Tag], page: str) -> _Group:
    """Three points for a price, one for a link of its own; nothing when members hold several entries each."""
    items = [item for member in members for item in [_item(member, page)] if item]
    if not items or len(items) * 2 < len(members):
        return _Group((), 0.0)
    if sum(_holds_several(member, page) for member in members) * 2 >= len(members):
        return _Group((), 0.0)
    links = {item.link for item in items} - {""}
    priced = sum(bool(item.price) for item in items)
    if priced * 2 < len(items):
        lengths = sorted(len(item.title) for item in items)
        if (
            len(items) < _LEAST_MEMBERS
            or lengths[len(lengths) // 2] < _LEAST_TITLE
            or len(links) * 2 < len(items)
        ):
            return _Group((), 0.0)
    # Of nested groups with the same entries the outer one knows more; that is what `text` decides.
    text = sum(len(item.title) + len(item.price) for item in items) / len(items)
    return _Group(tuple(items), 3.0 * priced + len(links) + min(text, 100) / 1000)


def _holds_several(member: Tag, page: str) -> bool:
    links = {absolute_link(str(a["href"]), page) for a in member.find_all("a", href=True)} - {""}
    return (len(links) > 1 and len(PRICE.findall(member.get_text(" "))) >= len(links) > 2) or len(links) > 6


def _item(member: Tag, page: str) -> Item | None:
    anchors = [member] if member.name == "a" and member.get("href") else list(member.find_all("a", href=True))
    link = next((link for a in anchors for link in [absolute_link(str(a["href"]), page)] if link), "")
    text = clean(member.get_text(" "), _MAX_BLOCK_CHARS)
    price = find_price(text)
    title = _title(member, anchors)
    if not title or not (link or price):
        return None
    number = next((str(member[name]) for name in _NUMBER_ATTRIBUTES if member.get(name)), "")
    return Item(title, link, price, "품절" if _SOLD_OUT.search(text) else "", clean(number, 80))


def _title(member: Tag, anchors: list[Tag]) -> str:
    """A part called a name or title; then a heading; then the longest link text; then the picture's text."""
    named = [
        tag for tag in member.find_all(True, class_=_TITLE_CLASS) if not tag.find(True, class_=_TITLE_CLASS)
    ]
    headings = list(member.find_all(["h1", "h2", "h3", "h4", "h5", "h6", "dt"]))
    for choices in (named, headings, anchors):
        texts = [_without_price(tag.get_text(" ")) for tag in choices]
        longest = max(texts, key=len, default="")
        if len(longest) >= 2:
            return longest
    pictures = [clean(str(tag.get("alt") or "")) for tag in member.find_all("img")]
    return max(pictures, key=len, default="")


def _without_price(text: str) -> str:
    return clean(PRICE.sub(" ", text).strip(" -/·|"))
