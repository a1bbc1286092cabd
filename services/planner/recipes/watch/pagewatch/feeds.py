"""Entries of a feed (RSS, RDF, Atom) or a sitemap, and the feeds a page links to."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from bs4 import BeautifulSoup

from .item import DETAIL_CHARS, Item, absolute_link, clean
from .price import find_price

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_TAGS = re.compile(r"<[^>]+>")
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")


def is_feed(text: str) -> bool:
    """Whether the text is a feed or a sitemap rather than a page."""
    head = text[:3000].lower()
    return any(f"<{root}" in head for root in ("rss", "feed", "rdf:rdf", "urlset", "sitemapindex")) and (
        "<html" not in head
    )


def linked_feeds(soup: BeautifulSoup, page: str) -> list[str]:
    """Addresses of feeds that the page names and that lie on the page's own host."""
    host = urlsplit(page).netloc
    links = [
        absolute_link(str(tag.get("href") or ""), page)
        for tag in soup.find_all("link", rel="alternate")
        if str(tag.get("type") or "").lower() in _FEED_TYPES
    ]
    return [link for link in dict.fromkeys(links) if link and urlsplit(link).netloc == host]


def feed_items(text: str, address: str) -> list[Item]:
    """Entries in the feed's order; [] when the text is not well-formed.

    Entity definitions are refused: they can grow without end, and no feed needs them.
    """
    if "<!ENTITY" in text.upper():
        return []
    try:
        # The declared charset is dropped: the text is decoded already and expat cannot read EUC-KR.
        plain = _DECLARATION.sub("", text).lstrip("\ufeff \r\n\t")
        root = ET.fromstring(plain)  # noqa: S314  # nothing is defined in it: see the check above
    except (ET.ParseError, ValueError):
        return []
    entries = [tag for tag in root.iter() if _name(tag) in ("item", "entry")]
    if entries:
        return [item for tag in entries for item in [_entry(tag, address)] if item]
    pages = [tag for tag in root.iter() if _name(tag) == "url"]
    return [item for tag in pages for item in [_sitemap_entry(tag, address)] if item]


def _entry(tag: ET.Element, address: str) -> Item | None:
    fields: dict[str, str] = {}
    for child in tag:
        name = _name(child)
        value = child.get("href") or child.text or ""
        if name == "link" and child.get("rel", "alternate") != "alternate":
            continue
        fields.setdefault(name, value.strip())
    title = clean(_TAGS.sub(" ", fields.get("title", "")))
    if not title:
        return None
    link = absolute_link(fields.get("link") or fields.get("id", ""), address)
    summary = _TAGS.sub(" ", fields.get("description") or fields.get("summary", ""))
    price = find_price(fields.get("price", "")) or find_price(summary) or find_price(title)
    return Item(title, link, price, code=clean(fields.get("guid") or fields.get("id", ""), DETAIL_CHARS))


def _sitemap_entry(tag: ET.Element, address: str) -> Item | None:
    """A sitemap has no titles: the last part of the address stands in."""
    fields = {_name(child): (child.text or "").strip() for child in tag}
    link = absolute_link(fields.get("loc", ""), address)
    if not link:
        return None
    words = unquote(urlsplit(link).path).rstrip("/").rsplit("/", 1)[-1]
    title = clean(re.sub(r"[-_+]+", " ", re.sub(r"\.\w{2,5}$", "", words)))
    return Item(title or link, link, detail=clean(fields.get("lastmod", ""), 40))


def _name(tag: ET.Element) -> str:
    return str(tag.tag).rsplit("}", 1)[-1].lower()
