"""A fix that leaves rows out, or takes the other one of two prices, is refused; what a shop really changed is not."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Sequence

import pytest

from services.executor.tapes.coverage import Day, covered
from services.executor.tapes.differences import Teller
from services.executor.tapes.following import FileCells, Report
from services.executor.tapes.places import MOST_CHARACTERS, Page
from tests.flows.sites.readers import WRONG, Wrong, program, reading, right, wrong
from tests.flows.sites.redesigns import SHOPS, Row, Shop, next_day, page_of

Pairs = list[tuple[str, int]]
every_shop = pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: f"{shop.name} {shop.change}")
OTHERWISE = tuple(kind for kind in WRONG if kind.endswith("of new pages"))


def read(source: str, page: str) -> Pairs:
    space: dict[str, object] = {"html": html, "json": json, "re": re}
    exec(compile(source, "reader", "exec"), space)  # noqa: S102  the code stands in readers.py
    found = space["rows"]
    assert callable(found)
    return list(found(page, []))


def report(rows: Sequence[tuple[str, int]], *, table: bool = True) -> Report:
    cells = tuple((title, str(price)) for title, price in rows)
    files = (FileCells("items.csv", True, ("title", "price"), cells),) if table else ()
    return Report(files, ("\n".join(f"{title}: {price:,}" for title, price in rows),))


def judged(then: Day, now: Day) -> tuple[bool | None, list[str]]:
    teller = Teller("ko")
    return covered(then, now, teller), [difference.text for difference in teller.all()]


def day(shop: Shop, source: str, rows: Sequence[Row], *, new: bool, table: bool = True) -> Day:
    page = page_of(shop, rows, new=new)
    return Day(
        report(read(source, page), table=table), [Page(page)], program(shop, "http://shop.example/new")
    )


@every_shop
@pytest.mark.parametrize("table", [True, False], ids=["table", "message"])
def test_a_right_fix_covers_the_page_whatever_is_sold(shop: Shop, table: bool) -> None:
    then = day(shop, reading(shop), shop.rows, new=False, table=table)
    for rows in (shop.rows, next_day(shop)):
        assert judged(then, day(shop, right(shop), rows, new=True, table=table)) == (True, [])


@every_shop
@pytest.mark.parametrize("kind", OTHERWISE)
@pytest.mark.parametrize("table", [True, False], ids=["table", "message"])
def test_rows_left_out_and_the_price_beside_are_refused(shop: Shop, kind: Wrong, table: bool) -> None:
    then = day(shop, reading(shop), shop.rows, new=False, table=table)
    rows = next_day(shop)

    told, sentences = judged(then, day(shop, wrong(shop, kind, rows), rows, new=True, table=table))

    assert told is False
    assert sentences


def goods(rows: Sequence[tuple[str, str]], tag: str = "li") -> str:
    return "".join(f"<{tag}><b>{title}</b> {rest}</{tag}>" for title, rest in rows)


def plain(page: str, rows: Sequence[tuple[str, int]]) -> Day:
    return Day(report(rows), [Page(page)], "")


THEN = plain(
    f"<ul>{goods([('리넨 셔츠', '9,900원'), ('울 머플러', '12,900원'), ('캠핑 의자', '33,000원')])}</ul>",
    [("리넨 셔츠", 9900), ("울 머플러", 12900), ("캠핑 의자", 33000)],
)


def test_another_list_of_the_page_is_not_held_against_it() -> None:
    shown = goods([("리넨 셔츠", "9,900원"), ("울 머플러", "12,900원")], "p")
    beside = goods([("도마", "5,500원"), ("머그컵", "7,700원")], "p")
    page = f"<main>{shown}</main><h2>추천</h2><aside>{beside}</aside>"

    assert judged(THEN, plain(page, [("리넨 셔츠", 9900), ("울 머플러", 12900)]))[0] is not False


def test_who_chose_rows_on_a_good_day_may_choose_now_and_it_is_said() -> None:
    page = (
        f"<ul>{goods([('리넨 셔츠', '9,900원'), ('울 머플러', '12,900원'), ('캠핑 의자', '33,000원')])}</ul>"
    )
    cheap = [("리넨 셔츠", 9900), ("울 머플러", 12900)]

    told, sentences = judged(plain(page, cheap), plain(page, cheap))

    assert told is None
    assert sentences[0].startswith("「캠핑 의자」: 페이지의 같은 목록에 있지만")


def test_a_row_that_is_built_otherwise_is_told_and_not_refused() -> None:
    rows = goods([("리넨 셔츠", "9,900원"), ("울 머플러", "12,900원")])
    page = f'<ul>{rows}<li class="soldout"><b>캠핑 의자</b> <em>품절</em></li></ul>'

    told, sentences = judged(THEN, plain(page, [("리넨 셔츠", 9900), ("울 머플러", 12900)]))

    assert told is None
    assert "캠핑 의자" in sentences[0]


def test_a_sale_that_began_is_told_and_not_refused() -> None:
    """What was the price is now struck out beside a lower one: nobody but a person can say which was meant."""
    page = goods([("리넨 셔츠", "<s>9,900원</s> 7,900원"), ("울 머플러", "<s>12,900원</s> 9,500원")])

    for rows in ([("리넨 셔츠", 7900), ("울 머플러", 9500)], [("리넨 셔츠", 9900), ("울 머플러", 12900)]):
        told, sentences = judged(THEN, plain(f"<ul>{page}</ul>", rows))
        assert told is None
        assert sentences == [
            "페이지에 값이 여럿 나란히 적혀 있어서, 그중 맞는 값을 읽었는지 확인하지 못했어요."
        ]


def test_prices_that_all_changed_are_not_the_ones_beside() -> None:
    then = plain(
        f"<ul>{goods([('리넨 셔츠', '9,900원 (후기 120)'), ('울 머플러', '12,900원 (후기 351)')])}</ul>",
        [("리넨 셔츠", 9900), ("울 머플러", 12900)],
    )
    page = goods([("리넨 셔츠", "8,400원 (후기 125)"), ("울 머플러", "11,100원 (후기 360)")])

    assert judged(then, plain(f"<ul>{page}</ul>", [("리넨 셔츠", 8400), ("울 머플러", 11100)]))[0] is None


def test_one_price_that_became_another_ones_is_not_the_one_beside() -> None:
    page = (
        f"<ul>{goods([('리넨 셔츠', '12,900원'), ('울 머플러', '9,900원'), ('캠핑 의자', '33,000원')])}</ul>"
    )

    assert (
        judged(THEN, plain(page, [("리넨 셔츠", 12900), ("울 머플러", 9900), ("캠핑 의자", 33000)]))[0]
        is True
    )


def test_what_comes_from_no_list_cannot_be_told() -> None:
    told, sentences = judged(THEN, plain("<p>점검 중</p>", [("리넨 셔츠", 9900)]))

    assert told is None
    assert len(sentences) == 1


@pytest.mark.parametrize(
    "page",
    [
        "<" * 300_000,
        "<!--" * 100_000,
        "<a b='" * 100_000,
        "<div>" * 100_000 + "글자",
        "<script>" * 50_000,
        "[" * 200_000,
        '{"a":' * 100_000,
        "<dl>" + "<dt>가나</dt>" * 60_000,
        "</p>" * 200_000,
        "x" * (MOST_CHARACTERS + 1),
    ],
    ids=["open", "comments", "quotes", "deep", "scripts", "lists", "keys", "flat", "ends", "long"],
)
def test_whatever_a_page_is_it_is_read_in_bounded_time(page: str) -> None:
    began = time.process_time()
    one = plain(page, [("가나", 9900), ("다라", 12900)])

    assert judged(one, one)[0] is not False
    assert time.process_time() - began < 10


def test_an_interface_that_answers_in_json_and_a_table_in_csv_are_lists_too() -> None:
    titles = [("리넨 셔츠", 9900), ("울 머플러", 12900), ("캠핑 의자", 33000)]
    answer = json.dumps({"items": [{"name": title, "price": price} for title, price in titles]})
    lines = "name,price\n" + "".join(f"{title},{price}\n" for title, price in titles)

    for page in (Page(answer), Page(lines, grouped=False)):
        assert judged(THEN, Day(report(titles), [page], "")) == (True, [])
        assert judged(THEN, Day(report(titles[:2]), [page], ""))[0] is False
