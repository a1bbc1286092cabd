"""The report as people read it, and what page text cannot do to it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pagewatch.chart import draw_keywords
from pagewatch.compare import Change, Comparison
from pagewatch.item import Item
from pagewatch.keywords import Keyword
from pagewatch.outcome import Day, Reading, Source
from pagewatch.phrases import Phrases
from pagewatch.report import REPORT_CHARS, make_report, summary
from pagewatch.spreadsheets import SOURCE_COLUMNS, write_items, write_sources, write_workbook
from PIL import Image

KO, EN = Phrases("ko"), Phrases("en")
SHOP = Source("가게 A", "https://a.example/new")
KNIT = Item("울 니트", "https://a.example/p/1", "39,000원")
CHEAP = Item("울 니트", "https://a.example/p/1", "35,000원")
CUP = Item("머그컵", "", "18,000원")


def reading(comparison: Comparison, *items: Item, source: Source = SHOP) -> Reading:
    return Reading(source, "ok", "", "blocks", items, comparison)


def day(*readings: Reading) -> Day:
    return Day("2026-11-22", readings)


FIRST = day(reading(Comparison(True), KNIT, CUP))
NEWS = day(reading(Comparison(False, (CUP,), (Change(KNIT, CHEAP),), (), 0), CUP, CHEAP))
GONE = day(reading(Comparison(False, (), (), (KNIT,), 1), CUP))
EMPTY = day(reading(Comparison(False, same=2), KNIT, CUP))
BROKEN = day(Reading(Source("가게 B", "https://b.example/"), "http_500"), *EMPTY.readings)


@pytest.mark.parametrize(
    ("happened", "ko", "en"),
    [
        (FIRST, "처음이라 모두 기준으로 저장했어요. 상품 2개를", "First run: all 2 products are saved"),
        (NEWS, "새 상품 1개 · 바뀐 것 1개 · 사라진 것 0개", "1 new · 1 changed · 0 gone"),
        (GONE, "새 상품이 없어요. 바뀐 것 0개, 사라진 것 1개", "No new products. 0 changed, 1 gone"),
        (
            EMPTY,
            "새 상품이 없어요. 2개를 확인했고 지난번과 같아요.",
            "No new products. Checked 2, all as last time.",
        ),
        (
            BROKEN,
            "⚠️ 2곳 가운데 1곳을 읽지 못했어요. 새 상품이 없어요.",
            "⚠️ 1 of 2 pages could not be read. No new",
        ),
        (day(BROKEN.readings[0]), "읽은 곳이 없어서", "No page could be read"),
    ],
)
def test_first_line_is_the_answer(happened: Day, ko: str, en: str) -> None:
    assert summary(happened, KO).startswith(ko)
    assert summary(happened, EN).startswith(en)


def test_report_reads_as_written() -> None:
    assert make_report("새 상품", NEWS, [Keyword("머그컵", 2, 1), Keyword("니트", 1, 0)], KO) == (
        "# 새 상품 — 2026년 11월 22일\n\n"
        "새 상품 1개 · 바뀐 것 1개 · 사라진 것 0개\n\n"
        "## [가게 A](https://a.example/new)\n"
        "**새 상품 1개**\n- 머그컵 — 18,000원\n"
        "**바뀐 상품 1개**\n- [울 니트](https://a.example/p/1): 39,000원 → 35,000원\n\n"
        "## 주요 키워드\n머그컵 2 (새 상품 1) · 니트 1\n"
    )


def test_failed_page_is_named_with_its_reason() -> None:
    report = make_report("새 상품", BROKEN, [], KO)

    assert "가게 B" in report
    assert "서버가 오류(500)로 답했어요. 지난번 기록은 그대로 두었어요." in report


@pytest.mark.parametrize(
    "title",
    ["[여기](https://evil.example)", "**굵게**", "<!channel> 모두", "`code`", "# 제목", "a|b", "~~x~~", "\\"],
)
def test_title_from_a_page_stays_text(title: str) -> None:
    report = make_report("보고", day(reading(Comparison(True), Item(title, "", "1,000원"))), [], KO)
    line = next(line for line in report.splitlines() if line.startswith("- "))

    unescaped = line.replace("\\", "")
    assert title.replace("\\", "") in unescaped
    for position, char in enumerate(line):
        if position > 1 and char in "*`[]<>|#~":
            assert line[position - 1] == "\\"


def test_link_cannot_break_out_of_its_brackets() -> None:
    item = Item("이름", "https://a.example/x) [y](https://evil.example", "")
    report = make_report("보고", day(reading(Comparison(True), item)), [], KO)

    assert "[이름](https://a.example/x%29%20[y]%28https://evil.example)" in report


def test_long_lists_are_cut_and_point_to_the_workbook() -> None:
    many = [
        Item(f"상품 {number} " + "긴" * 150, f"https://a.example/{number}" + "p" * 200, "1원")
        for number in range(80)
    ]
    sources = [
        reading(Comparison(True), *many, source=Source(f"{n}", f"https://{n}.example/")) for n in range(5)
    ]

    report = make_report("보고", day(*sources), [], KO)

    assert "그 밖의 65개는 report.xlsx에 있어요." in report
    assert len(report) <= REPORT_CHARS + 2


def test_formula_in_a_title_stays_text_in_both_tables(tmp_path: Path) -> None:
    evil = day(reading(Comparison(True), Item('=HYPERLINK("http://evil.example")', "", "1,000원")))
    write_items(tmp_path / "items.csv", evil)
    write_workbook(tmp_path / "report.xlsx", evil, [], KO)

    with (tmp_path / "items.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["title"].startswith("'=")
    cell = load_workbook(tmp_path / "report.xlsx")["목록"]["C2"]
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://evil.example")')


def test_sources_table_has_the_columns_the_contract_reads(tmp_path: Path) -> None:
    write_sources(tmp_path / "sources.csv", BROKEN, KO)

    with (tmp_path / "sources.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == SOURCE_COLUMNS
    assert [(row["status"], row["items"], row["result"]) for row in rows] == [
        ("http_500", "0", "가게 B: 서버가 오류(500)로 답했어요."),
        ("ok", "2", "ok"),
    ]


@pytest.mark.parametrize("words", [[], [Keyword("아주아주긴낱말" * 8, 3, 1), Keyword("linen", 1, 0)]])
def test_chart_is_drawn_with_or_without_words(words: list[Keyword], tmp_path: Path) -> None:
    draw_keywords(tmp_path / "chart.png", words, KO, "/no/such/font.ttf")

    with Image.open(tmp_path / "chart.png") as image:
        assert image.format == "PNG"
        assert image.width == 900


def test_every_status_has_a_sentence_in_both_languages() -> None:
    for status in (
        "robots",
        "timeout",
        "refused",
        "blocked",
        "moved",
        "not_html",
        "too_large",
        "login",
        "needs_browser",
    ):
        for say in (KO, EN):
            assert say.problem(status, "x").strip()
            assert say.problem(status, "x") != say.problem("http_418")
    assert KO.problem("ok") == ""
