"""The practice shops: readable as real ones are, different each day, breakable on demand."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup

from services.executor.egress.model import PracticeSetting
from services.executor.egress.practice.site import Page, PracticeSite

TODAY = date(2026, 11, 22)
SITE = PracticeSite()


def page(path: str, day: int = 1, *, broken: bool = False) -> Page:
    return SITE.answer("GET", path, PracticeSetting(day, broken), TODAY)


def shop_a(day: int) -> dict[str, int]:
    soup = BeautifulSoup(page("/shop-a/new", day).body, "html.parser")
    found = soup.find("script", type="application/ld+json")
    assert found is not None
    listed = json.loads(found.get_text())["itemListElement"]
    return {entry["item"]["sku"]: entry["item"]["offers"]["price"] for entry in listed}


def shop_b(day: int) -> dict[str, int]:
    root = ET.fromstring(page("/shop-b/feed.xml", day).body)  # noqa: S314  our own file
    price = "{http://base.google.com/ns/1.0}price"
    return {
        entry.findtext("guid", ""): int(entry.findtext(price, "").split()[0]) for entry in root.iter("item")
    }


def shop_c(day: int, *, broken: bool = False) -> dict[str, int]:
    text = page("/shop-c/", day, broken=broken).body.decode("euc-kr")
    soup = BeautifulSoup(text, "html.parser")
    return {
        str(item["data-no"]): int(re.sub(r"\D", "", item.select(".prd-price")[0].get_text()))
        for item in soup.select("li.prd-item")
    }


@pytest.mark.parametrize("shop", [shop_a, shop_b, shop_c])
def test_day_two_has_news_one_price_changed_and_one_item_gone(shop: object) -> None:
    assert callable(shop)
    first, second, third, fourth = (shop(day) for day in (1, 2, 3, 4))

    assert len(first) >= 6
    assert second.keys() - first.keys()
    assert len(first.keys() - second.keys()) == 1
    assert sum(first[key] != second[key] for key in first.keys() & second.keys()) == 1
    assert third == second
    assert len(fourth.keys() - third.keys()) == 1


def test_breaking_the_shops_changes_c_fails_b_and_leaves_a() -> None:
    assert shop_c(1, broken=True) == {}
    assert page("/shop-c/", broken=True).status == 200
    assert page("/shop-b/", broken=True).status == page("/shop-b/feed.xml", broken=True).status == 500
    assert page("/shop-a/new", broken=True) == page("/shop-a/new")


def test_the_tables_agree_and_grow_by_a_day() -> None:
    rows = json.loads(page("/data/sales.json", 2).body)["rows"]
    table = BeautifulSoup(page("/tables/sales", 2).body, "html.parser").select("#sales tbody tr")
    lines = list(csv.reader(io.StringIO(page("/data/sales.csv", 2).body.decode())))

    assert len(rows) == len(table) == len(lines) - 1
    assert [str(row["revenue"]) for row in rows] == [line[4] for line in lines[1:]]
    assert rows[-1]["date"] == TODAY.isoformat()
    assert len(json.loads(page("/data/sales.json", 3).body)["rows"]) == len(rows) + 3


def test_every_page_the_sitemap_and_the_entrance_name_exists() -> None:
    paths = re.findall(
        r"<loc>https://practice\.agentbuilder\.test(.*?)</loc>", page("/sitemap.xml").body.decode()
    )
    for path in list(paths):
        soup = BeautifulSoup(page(path).body, "html.parser")
        paths += [str(tag.get("href") or tag.get("src")) for tag in soup.select("a, link, img, video, track")]

    assert len(paths) > 20
    assert {path: page(path).status for path in paths if page(path).status != 200} == {}


def test_the_clip_has_korean_captions() -> None:
    assert page("/clip/captions.ko.vtt").body.decode().startswith("WEBVTT")
    assert page("/clip/clip.mp4").body[4:8] == b"ftyp"


def test_robots_ask_to_stay_out_of_one_place() -> None:
    assert b"Disallow: /private/" in page("/robots.txt").body


def test_unknown_pages_and_methods_say_so() -> None:
    assert page("/shop-z/").status == page("/shop-a/items/none").status == 404
    assert SITE.answer("POST", "/shop-a/new", PracticeSetting(), TODAY).status == 405
    assert SITE.answer("DELETE", "/messages", PracticeSetting(), TODAY).status == 405
