"""Finding the list on a page, one markup after another."""

from __future__ import annotations

import json

import pytest
from pagewatch.extract import extract
from pagewatch.item import Item

from tests.unit.planner.recipes import shops
from tests.unit.planner.recipes.shops import KNITS, no_feed

PAGE = "https://shop.example/new"
BREADCRUMBS = json.dumps(
    {
        "@type": "BreadcrumbList",
        "itemListElement": [{"@type": "ListItem", "name": "홈"}, {"@type": "ListItem", "name": "신상"}],
    }
)


def facts(items: tuple[Item, ...]) -> list[tuple[str, str]]:
    return [(item.title, item.price) for item in items]


def priced(goods: shops.Goods) -> list[tuple[str, str]]:
    return [(title, f"{price:,}원") for title, price in goods]


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (shops.json_ld_page(KNITS), "json-ld"),
        (shops.blocks_page(KNITS), "blocks"),
        (shops.layout_table_page(KNITS), "blocks"),
        (shops.feed(KNITS), "feed"),
    ],
)
def test_every_product_is_found_with_its_price(page: str, kind: str) -> None:
    found = extract(page, PAGE, no_feed)

    assert found.kind == kind
    assert facts(found.items) == priced(KNITS)
    assert len({item.link for item in found.items}) == len(KNITS)


def test_table_gives_title_and_price_and_leaves_out_counters() -> None:
    found = extract(shops.table_page(KNITS), PAGE, no_feed)

    assert found.kind == "table"
    assert facts(found.items) == [(title, f"{price:,}") for title, price in KNITS]
    assert {item.detail for item in found.items} == {""}
    assert found.items[0].link == "https://shop.example/t/1"


def test_rows_that_span_the_table_are_passed_over() -> None:
    page = shops.table_page(KNITS).replace("<table>", "<table><tr><td colspan=4>11월 가격표</td></tr>")

    assert len(extract(page, PAGE, no_feed).items) == len(KNITS)


def test_linked_feed_wins_when_the_page_shows_its_titles() -> None:
    found = extract(shops.page_with_feed(KNITS), PAGE, lambda address: shops.feed(KNITS))

    assert (found.kind, found.feed) == ("feed", "https://shop.example/cups/rss.xml")
    assert facts(found.items) == priced(KNITS)


def test_feed_about_something_else_does_not_hide_the_goods() -> None:
    head = '<link rel="alternate" type="application/rss+xml" href="/blog.xml">'
    page = shops.blocks_page(KNITS).replace("</head>", f"{head}</head>")

    found = extract(page, PAGE, lambda address: shops.feed([("이번 주 소식", 1000), ("다음 주 소식", 2000)]))

    assert found.kind == "blocks"
    assert facts(found.items) == priced(KNITS)


def test_feed_on_another_host_is_not_read() -> None:
    page = shops.page_with_feed([], "https://elsewhere.example/rss.xml")

    assert extract(page, PAGE, no_feed).problem == "no_items"


def test_json_ld_wins_over_blocks_on_the_same_page() -> None:
    page = shops.json_ld_page(KNITS[:2]).replace("<main>", shops.blocks_page(shops.CUPS) + "<main>")

    assert facts(extract(page, PAGE, no_feed).items) == priced(KNITS[:2])


@pytest.mark.parametrize(
    "statement",
    [
        "{",
        "[[[",
        '{"@type": "Product"}',
        BREADCRUMBS,
        "null",
    ],
)
def test_broken_or_empty_json_ld_falls_back_to_the_page(statement: str) -> None:
    page = shops.blocks_page(KNITS).replace(
        "</head>", f'<script type="application/ld+json">{statement}</script></head>'
    )

    assert extract(page, PAGE, no_feed).kind == "blocks"


def test_menus_and_footers_are_no_list() -> None:
    found = extract(shops.FRAME.format(head="", body="<p>준비 중입니다</p>"), PAGE, no_feed)

    assert (found.kind, found.items, found.problem) == ("none", (), "no_items")


def test_posts_without_prices_are_found_when_their_titles_are_long_enough() -> None:
    posts = "".join(
        f'<li class="post"><a href="/n/{n}">11월 {n}일 휴무 안내 공지입니다</a></li>' for n in range(1, 6)
    )

    found = extract(shops.FRAME.format(head="", body=f"<ul class=board>{posts}</ul>"), PAGE, no_feed)

    assert [item.title for item in found.items] == [f"11월 {n}일 휴무 안내 공지입니다" for n in range(1, 6)]


def test_product_lists_split_into_rows_are_one_list() -> None:
    page = shops.blocks_page(KNITS[:2]).replace("</ul></div>", "</ul>", 1)
    rows = "".join(
        f'<ul class="row"><li class="p"><a href="/{title}"><b class="name">{title}</b></a> {price:,}원</li>'
        f'<li class="p"><a href="/{title}2"><b class="name">{title} 두 번째</b></a> {price:,}원</li></ul>'
        for title, price in KNITS
    )
    page = shops.FRAME.format(head="", body=f"<div>{rows}</div>")

    assert len(extract(page, PAGE, no_feed).items) == 8


def test_sitemap_entries_are_named_after_their_address() -> None:
    urls = "".join(
        f"<url><loc>https://shop.example/p/red-{n}.html</loc><lastmod>2026-11-0{n}</lastmod></url>"
        for n in (1, 2)
    )

    found = extract(f"<urlset>{urls}</urlset>", PAGE, no_feed)

    assert [(item.title, item.detail) for item in found.items] == [
        ("red 1", "2026-11-01"),
        ("red 2", "2026-11-02"),
    ]


def test_atom_feed_takes_the_alternate_link() -> None:
    entry = '<entry><title>새 글</title><link rel="self" href="/x"/><link href="/post/1"/><id>a1</id></entry>'

    found = extract(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>', PAGE, no_feed)

    assert found.items == (Item("새 글", "https://shop.example/post/1", code="a1"),)


def test_old_feed_with_a_document_type_is_read() -> None:
    doctype = (
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://x.example/rss.dtd">'
    )

    found = extract(f"{doctype}<rss><channel><item><title>소식</title></item></channel></rss>", PAGE, no_feed)

    assert [item.title for item in found.items] == ["소식"]


def test_feed_that_defines_entities_is_refused() -> None:
    entities = '<!DOCTYPE rss [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    bomb = f'<?xml version="1.0"?>{entities}<rss><item><title>&b;</title></item></rss>'

    assert extract(bomb, PAGE, no_feed).items == ()


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (shops.rebuilt_page(), "needs_browser"),
        ("<form><input name=id><input type='password'></form>", "login"),
        ("", "no_items"),
        ("<html><body>", "no_items"),
    ],
)
def test_page_without_a_list_says_why(page: str, problem: str) -> None:
    assert extract(page, PAGE, no_feed).problem == problem


def test_hostile_titles_lose_control_and_direction_characters() -> None:
    page = shops.blocks_page([("가격\u202e표\u0007 " + "긴" * 400, 1000), ("둘", 2000), ("셋째 상품", 3000)])

    title = extract(page, PAGE, no_feed).items[0].title

    assert title.startswith("가격표 긴")
    assert len(title) == 200


def test_visit_parameters_do_not_make_a_link_new() -> None:
    found = extract(shops.blocks_page(KNITS), PAGE, no_feed)

    assert all("utm_source" not in item.link for item in found.items)
