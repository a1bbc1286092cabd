"""Finds the list on a page: what it states itself first, what merely repeats last.

Order: JSON-LD → feed or sitemap (the page itself, or linked and about the same) → data table → blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bs4 import BeautifulSoup

from .blocks import block_items
from .feeds import feed_items, is_feed, linked_feeds
from .item import Item, distinct
from .jsonld import json_ld_items
from .tables import table_items

Kind = Literal["json-ld", "feed", "table", "blocks", "none"]

_LOGIN_FIELD = re.compile(r"<input[^>]+type\s*=\s*[\"']?password", re.IGNORECASE)
_APP_ROOT = re.compile(r"""<div[^>]+id=["']?(root|app|__next|__nuxt)["']?[^>]*>\s*</div>""", re.IGNORECASE)
_BARE_PAGE_CHARS = 400  # visible text of a page that only a browser fills


@dataclass(frozen=True)
class Found:
    """What a page held.

    feed     address of the linked feed the entries come from; "" when they come from the page itself
    problem  with no items: "no_items", "needs_browser" or "login"; "" otherwise
    """

    kind: Kind
    items: tuple[Item, ...] = ()
    feed: str = ""
    problem: str = ""


def extract(text: str, address: str, read_feed: Callable[[str], str | None]) -> Found:
    """The list in `text`, which was read at `address`.

    `read_feed` reads a linked feed and returns its text, or None when it must not or could not be read.
    """
    if is_feed(text):
        return _found("feed", feed_items(text, address))
    soup = BeautifulSoup(text, "html.parser")
    items = json_ld_items(soup, address)
    if items:
        return _found("json-ld", items)
    feeds, scripts = linked_feeds(soup, address), len(soup.find_all("script"))
    # Decided before the feed is read, since a shop's feed is often about its blog, not its goods.
    on_page = _table_or_blocks(soup, address)
    for feed in feeds[:2]:
        entries = feed_items(read_feed(feed) or "", feed)
        if entries and _is_about_page(entries, on_page, text):
            return Found("feed", tuple(distinct(entries)), feed)
    if on_page.items:
        return on_page
    return Found("none", problem=_why_nothing(text, scripts, len(soup.get_text(" ", strip=True))))


def _table_or_blocks(soup: BeautifulSoup, address: str) -> Found:
    """Takes what nobody sees, and old prices, out of `soup`."""
    for tag in soup.find_all(["script", "style", "template", "noscript"]):
        tag.decompose()
    items = table_items(soup, address)
    if items:
        return _found("table", items)
    return _found("blocks", block_items(soup, address))


def _found(kind: Kind, items: list[Item]) -> Found:
    return Found(kind, tuple(distinct(items))) if items else Found("none", problem="no_items")


def _is_about_page(entries: list[Item], on_page: Found, text: str) -> bool:
    """A feed counts when the page shows no list of its own, or shows at least one of the feed's titles."""
    return not on_page.items or any(entry.title in text for entry in entries)


def _why_nothing(text: str, scripts: int, visible_chars: int) -> str:
    if _LOGIN_FIELD.search(text):
        return "login"
    if visible_chars < _BARE_PAGE_CHARS and (_APP_ROOT.search(text) or scripts >= 3):
        return "needs_browser"
    return "no_items"
