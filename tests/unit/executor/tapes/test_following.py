"""Right fixes of the twenty shops follow pages that say something else; no wrong one that reads old days well does."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.tapes import following
from services.executor.tapes.differences import Teller
from services.executor.tapes.following import FileCells, Given, Report
from services.executor.tapes.renaming import Renaming, renaming
from tests.flows.sites.readers import Wrong, program, right, wrong
from tests.flows.sites.redesigns import SHOPS, Shop, page_of

Pairs = list[tuple[str, int]]
Judge = Callable[[Report, Report, Given, Teller], bool | None]
every_shop = pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: f"{shop.name} {shop.change}")
EMPTY = "<!doctype html><html><head><title></title></head><body></body></html>"


def read(source: str, page: str, remembered: Pairs) -> Pairs:
    space: dict[str, object] = {"html": html, "json": json, "re": re}
    exec(compile(source, "reader", "exec"), space)  # noqa: S102  the code stands in readers.py
    found = space["rows"]
    assert callable(found)
    return list(found(page, remembered))


def report(rows: Pairs, head: str = "") -> Report:
    table = FileCells(
        "items.csv", True, ("title", "price"), tuple((title, str(price)) for title, price in rows)
    )
    return Report((table,), ("\n".join([head, *(f"{title}: {price}" for title, price in rows)]),))


class Day:
    """One recorded day of a shop: what it showed, what the agent remembered, what the fix reported of it, and the
    other world made of these."""

    def __init__(self, shop: Shop, source: str, *, new: bool) -> None:
        self.source = source
        self.page = page_of(shop, shop.rows, new=new)
        self.kept = program(shop, "http://shop.example/new")
        rows: Pairs = [(title, price) for _id, title, price in shop.rows]
        self.memory = rows if new else []
        self.before = report(read(source, self.page, self.memory))
        self.renaming = renaming(self.before.texts(), [self.page], self.kept, self.before.counts())

    def altered(self, *, numbers_only: bool = False) -> bool | None:
        other = self.renaming.numbers_only() if numbers_only else self.renaming
        memory = [(other.apply(title), int(other.apply(str(price)))) for title, price in self.memory]
        return self._judged(following.altered, other, memory)

    def pages_altered(self) -> bool | None:
        return self._judged(following.pages_altered, self.renaming, self.memory)

    def emptied(self) -> bool | None:
        now, told = (
            report(read(self.source, EMPTY, self.memory)),
            Given(self.renaming, (), [str(self.memory)], self.kept),
        )
        return following.nothing(self.before, self.before, now, told, Teller("ko"))

    def _judged(self, judge: Judge, other: Renaming, memory: Pairs) -> bool | None:
        page = other.apply(self.page)
        now = report(read(self.source, page, memory))
        return judge(self.before, now, Given(other, [page], [str(memory)], self.kept), Teller("ko"))


@every_shop
def test_a_right_fix_follows(shop: Shop) -> None:
    for day in (Day(shop, right(shop), new=True), Day(shop, right(shop), new=False)):
        assert day.renaming.phrases
        assert day.renaming.numbers
        assert day.altered() is True
        assert day.altered(numbers_only=True) is True
        assert day.pages_altered() is True
        assert day.emptied() is True


@every_shop
@pytest.mark.parametrize(
    "kind", ["hard-coded", "hard-coded fallback", "hard-coded on new pages", "made-up prices on new pages"]
)
def test_rows_that_are_written_down_stay_when_the_page_changes(shop: Shop, kind: Wrong) -> None:
    assert Day(shop, wrong(shop, kind, shop.rows), new=True).altered() is False


@every_shop
def test_prices_known_by_title_stay_when_only_prices_change(shop: Shop) -> None:
    assert Day(shop, wrong(shop, "known prices", shop.rows), new=True).altered(numbers_only=True) is False


@every_shop
@pytest.mark.parametrize("kind", ["yesterday", "yesterday on new pages"])
def test_rows_that_are_remembered_stay_when_only_the_page_changes(shop: Shop, kind: Wrong) -> None:
    assert Day(shop, wrong(shop, kind, shop.rows), new=True).pages_altered() is False


@every_shop
@pytest.mark.parametrize("kind", ["hard-coded when nothing is read", "yesterday when nothing is read"])
def test_rows_that_come_from_nowhere_come_from_an_empty_page_too(shop: Shop, kind: Wrong) -> None:
    assert Day(shop, wrong(shop, kind, shop.rows), new=True).emptied() is False


@every_shop
def test_a_fix_that_reads_the_old_page_by_heart_is_seen_on_the_old_page(shop: Shop) -> None:
    literal = repr([(title, price) for _id, title, price in shop.rows])
    by_heart = right(shop).replace("or read_old(page)", f"or (read_old(page) and {literal})")
    assert by_heart != right(shop)
    assert Day(shop, by_heart, new=True).altered() is True
    assert Day(shop, by_heart, new=False).altered() is False


PRICES = st.lists(st.integers(1_000, 9_999_999), min_size=1, max_size=8, unique=True)


def computing(page: str) -> Report:
    """Sums, an average, a conversion and a count, beside what it read; with what it reads nothing in common."""
    found = [
        (title, int(price.replace(",", ""))) for title, price in re.findall(r"<b>(.+?)</b> ([\d,]+)원", page)
    ]
    total = sum(price for _, price in found)
    lines = [f"{title},{price},{round(price / 1382.5, 2)}" for title, price in found]
    table = FileCells(
        "a.csv", True, ("title", "won", "dollar"), tuple(tuple(line.split(",")) for line in lines)
    )
    said = f"{len(found)}개, 합계 {total:,}원, 평균 {total // len(found)}원 (2026-11-26 09:00)"
    return Report((table,), (said,))


@given(PRICES, st.data())
def test_a_right_program_that_computes_is_never_refused(prices: list[int], data: st.DataObject) -> None:
    words = st.text(st.sampled_from("가나다라마바사아자차카타파하 abcdefgh"), min_size=4, max_size=12)
    titles = data.draw(
        st.lists(words.map(lambda t: " ".join(t.split())), min_size=len(prices), max_size=len(prices))
    )
    shown = "".join(
        f"<li><b>{title or '상품'}</b> {price:,}원</li>" for title, price in zip(titles, prices, strict=True)
    )
    page = f"<p>전체 {len(prices)}개 · 2026-11-26</p>{shown}"
    before = computing(page)
    other = renaming(before.texts(), [page], "import re, agent", before.counts())

    changed = other.apply(page)
    judged = following.altered(before, computing(changed), Given(other, [changed], [], ""), Teller("ko"))

    assert judged is not False


def test_what_cannot_be_told_is_said() -> None:
    picture = Report((FileCells("chart.png", False, (), ()),), ())
    teller = Teller("ko")

    assert following.altered(picture, picture, Given(Renaming(), ["<p>1</p>"], [], ""), teller) is None
    assert [d.text for d in teller.all()] == [
        "결과 파일(chart.png)은 글이 아니라서, 페이지에서 읽은 값인지 확인하지 못했어요."
    ]


def test_an_agent_that_compares_with_yesterday_may_say_what_is_gone() -> None:
    """From an empty page it reports as gone what it remembers: another line than the one it was read as."""
    remembered = [("리넨 셔츠", 9900), ("울 머플러", 12900)]
    gone = Report((), ("사라진 상품: 리넨 셔츠, 울 머플러",))
    told = Given(Renaming(), (), [str(remembered)], "")

    assert following.nothing(report(remembered), report(remembered), gone, told, Teller("ko")) is True


def lines(*said: str) -> Report:
    return Report((), ("\n".join(said),))


def judged(page: str, program: Callable[[str], Report]) -> bool | None:
    """Of a program that is right."""
    before = program(page)
    other = renaming(before.texts(), [page], "", before.counts())
    changed = other.apply(page)
    return following.altered(before, program(changed), Given(other, [changed], [], ""), Teller("ko"))


def test_what_is_counted_may_be_what_the_page_says_too() -> None:
    page = "<p>전체 120개</p>" + "".join(f"<li>울 머플러 {n:03} 색</li>" for n in range(120))

    def counting(page: str) -> Report:
        found = re.findall("<li>(.*?)</li>", page)
        table = FileCells("a.csv", True, ("title",), tuple((title,) for title in found))
        return Report((table,), (f"모두 {len(found)}개",))

    assert judged(page, counting) is True


def test_a_value_that_stands_elsewhere_in_pieces_is_not_held_against_the_one_who_reads_it_there() -> None:
    page = "<h1>울 머플러</h1><ul><li>캠핑 의자</li></ul><p>추천: <i>울</i> <i>머플러</i></p>"

    def reading(page: str) -> Report:
        pieces = " ".join(re.findall("<i>(.*?)</i>", page))
        return lines(pieces, *re.findall("<li>(.*?)</li>", page))

    assert judged(page, reading) is True


def test_another_value_is_never_one_that_stands_there_already() -> None:
    page = "".join(f"<b>{price}</b>" for price in (12900, 12233, 12344))

    made = renaming(["12900", "12233", "12344"], [page], "")

    assert set(made.numbers) == {"12900", "12233", "12344"}
    assert set(made.numbers).isdisjoint(made.numbers.values())
