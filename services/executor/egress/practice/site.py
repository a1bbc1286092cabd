"""The practice host's pages by path. Start here; then `shops.py`, `pages.py`, `catalogue.py`.

Its look and goods are files and pure functions: the same day always shows the same shops.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.executor.egress.model import PracticeSetting
from services.executor.egress.practice import pages, shops
from services.executor.egress.practice.catalogue import FILES, Catalogue, Shop

HOST = "practice.agentbuilder.test"

_HTML = "text/html; charset=utf-8"
_LISTED = ("/", "/shop-a/new", "/shop-b/", "/shop-c/", "/tables/sales", "/clip/")
_STATIC = {
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/robots.txt": ("robots.txt", "text/plain; charset=utf-8"),
    "/clip/clip.mp4": ("clip.mp4", "video/mp4"),
    "/clip/captions.ko.vtt": ("captions.ko.vtt", "text/vtt; charset=utf-8"),
}


@dataclass(frozen=True)
class Page:
    status: int
    content_type: str
    body: bytes


class PracticeSite:
    """Reads its files once, when made. Immutable afterwards: all runs share one."""

    def __init__(self) -> None:
        self._catalogue = Catalogue()
        self._static = {
            path: Page(200, kind, (FILES / name).read_bytes()) for path, (name, kind) in _STATIC.items()
        }

    def answer(self, method: str, path: str, setting: PracticeSetting, today: date) -> Page:
        """`today` is the date of `setting.day`. POST works at `/messages` alone and keeps nothing."""
        if method == "POST":
            taken = path == "/messages"
            return _json(201, '{"received": true}') if taken else _html(405, pages.missing_page())
        if method not in ("GET", "HEAD"):
            return _html(405, pages.missing_page())
        if path in self._static:
            return self._static[path]
        return self._shop(path, setting, today) or _other(path, setting, today)

    def _shop(self, path: str, setting: PracticeSetting, today: date) -> Page | None:
        parts = path.strip("/").split("/")
        if parts[0] == "images" and len(parts) == 2:
            return self._item(parts[1].removesuffix(".svg"), setting, today, picture=True)
        if parts[0] not in ("shop-a", "shop-b", "shop-c"):
            return None
        shop = self._catalogue.shop(parts[0], setting.day, today)
        if setting.broken and shop.key == "shop-b":
            return _html(500, pages.trouble_page())
        if len(parts) == 3 and parts[1] == "items":
            return self._item(parts[2], setting, today, picture=False)
        return _listing(shop, "/".join(parts[1:]), broken=setting.broken)

    def _item(self, item_id: str, setting: PracticeSetting, today: date, *, picture: bool) -> Page | None:
        for key in ("shop-a", "shop-b", "shop-c"):
            shop = self._catalogue.shop(key, setting.day, today)
            for item in shop.items:
                if item.id == item_id and picture:
                    return Page(200, "image/svg+xml", shops.picture(shop, item).encode())
                if item.id == item_id:
                    return _html(200, shops.item_page(shop, item))
        return None


def _listing(shop: Shop, rest: str, *, broken: bool) -> Page | None:
    match shop.key, rest:
        case "shop-a", "" | "new":
            return _html(200, shops.shop_a_new(shop))
        case "shop-b", "":
            return _html(200, shops.shop_b_page(shop))
        case "shop-b", "feed.xml":
            return Page(200, "application/rss+xml; charset=utf-8", shops.shop_b_rss(shop).encode())
        case "shop-b", "atom.xml":
            return Page(200, "application/atom+xml; charset=utf-8", shops.shop_b_atom(shop).encode())
        case "shop-c", "":
            text = shops.shop_c_page(shop, broken=broken)
            return Page(200, "text/html; charset=euc-kr", text.encode("cp949", "xmlcharrefreplace"))
    return None


def _other(path: str, setting: PracticeSetting, today: date) -> Page:
    rows = pages.sales(setting.day, today)
    match path:
        case "/":
            return _html(200, pages.entrance())
        case "/tables/sales":
            return _html(200, pages.sales_page(rows))
        case "/data/sales.csv":
            return Page(200, "text/csv; charset=utf-8", pages.sales_csv(rows).encode())
        case "/data/sales.json":
            return _json(200, pages.sales_json(rows))
        case "/clip" | "/clip/":
            return _html(200, pages.clip_page())
        case "/private" | "/private/":
            return _html(200, pages.private_page())
        case "/sitemap.xml":
            text = pages.sitemap(shops.ORIGIN, _LISTED, today)
            return Page(200, "application/xml; charset=utf-8", text.encode())
    return _html(404, pages.missing_page())


def _html(status: int, text: str) -> Page:
    return Page(status, _HTML, text.encode())


def _json(status: int, text: str) -> Page:
    return Page(status, "application/json; charset=utf-8", text.encode())
