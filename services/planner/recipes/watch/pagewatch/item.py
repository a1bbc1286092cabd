"""One entry of a watched list, and how text from a page is made fit to keep.

Everything here came from somebody else's page: it is cut, cleaned and never trusted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

TITLE_CHARS = 200
DETAIL_CHARS = 300
LINK_CHARS = 1000
MAX_ITEMS = 500  # of one source; a longer list is cut in the page's own order

_SPACE = re.compile(r"\s+")
# Parameters that name the visit, not the thing: they change from day to day.
_VISIT_PARAMETER = re.compile(
    r"^(utm_\w+|fbclid|gclid|msclkid|n_media|n_query|n_rank|n_ad|NaPm|ref|referrer|"
    r"sid|sessionid|jsessionid|phpsessid)$",
    re.IGNORECASE,
)
_JSESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """What is known of one entry. Every field but `title` may be empty.

    code    the seller's own number (sku, guid); the surest sign that two entries are the same
    price   as a person reads it: "29,000원", "USD 12.50"
    detail  the rest that would count as a change: stock, other columns of a table
    """

    title: str
    link: str = ""
    price: str = ""
    detail: str = ""
    code: str = ""


def clean(text: str, limit: int = TITLE_CHARS) -> str:
    """One line of composed, printable text of at most `limit` characters.

    Control and direction-changing characters are dropped, since they can make a title read as something else.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if char.isspace() else char for char in composed if _is_printable(char))
    line = _SPACE.sub(" ", kept).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_printable(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def absolute_link(href: str, page: str) -> str:
    """The full address of a link, or "" when it leads nowhere (`#top`, `javascript:`, `tel:`)."""
    href = href.strip()
    if not href or href.startswith("#"):
        return ""
    try:
        parts = urlsplit(urljoin(page, href))
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    query = urlencode(
        [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if not _VISIT_PARAMETER.match(name)
        ]
    )
    path = _JSESSION.sub("", parts.path)
    link = urlunsplit((parts.scheme, parts.netloc.lower(), path, query, ""))
    return link if len(link) <= LINK_CHARS else ""


def distinct(items: list[Item]) -> list[Item]:
    """The first of each entry, in order, at most `MAX_ITEMS`. An entry without a title is none."""
    seen: set[tuple[str, str]] = set()
    kept: list[Item] = []
    for item in items:
        mark = (item.link or item.code, item.title.casefold())
        if item.title and mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept[:MAX_ITEMS]
