"""Runs that ended with exit code 0 and brought the wrong thing: each a healthy run spoilt in one way.

What must be said of each: the kind of the check that flags it, and words that its sentence must hold.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from tests.unit.agentfile.outcomes.measuring import Run
from tests.unit.agentfile.outcomes.writing import Table, csv_table, csv_text, cues, each, picture, workbook

Spoil = Callable[[Run, Run], Run]


@dataclass(frozen=True)
class Broken:
    """flagged: the check's kind and what its sentence names. spoil: (today, yesterday) -> what came out instead.
    receipt: what Slack answered where the outcome breaks only after the checks, as a message that was not taken."""

    name: str
    agent: str
    flagged: tuple[str, ...]
    spoil: Spoil
    receipt: tuple[int, bytes] | None = None


_PAGE = (
    "<!DOCTYPE html>\n<html lang='ko'><head><title>로그인</title></head><body>"
    "<p>로그인이 필요한 서비스입니다.</p>" + "<p>안내</p>" * 40 + "</body></html>"
)


def table(name: str, change: Callable[[Table], Table], delimiter: str = ",") -> Spoil:
    def spoil(run: Run, _: Run) -> Run:
        return run.put(name, csv_text(change(csv_table(run.text(name), delimiter)), delimiter))

    return spoil


def column(name: str, of: str, change: Callable[[str], str], delimiter: str = ",") -> Spoil:
    return table(name, lambda rows: each(rows, of, change), delimiter)


def content(name: str, data: bytes | str) -> Spoil:
    return lambda run, _: run.put(name, data)


def missing(name: str) -> Spoil:
    return lambda run, _: run.without(name)


def header_only(rows: Table) -> Table:
    return rows[:1]


def renamed(old: str, new: str) -> Callable[[Table], Table]:
    return lambda rows: [[new if cell == old else cell for cell in rows[0]], *rows[1:]]


def half(rows: Table) -> Table:
    return rows[: 1 + (len(rows) - 1) // 2]


def shifted(rows: Table) -> Table:
    return [rows[0], *([row[-1], *row[:-1]] for row in rows[1:])]


def one_cell(row: int, of: str, value: str) -> Callable[[Table], Table]:
    def change(rows: Table) -> Table:
        at = rows[0].index(of)
        return [
            [*one[:at], value, *one[at + 1 :]] if number == row else one for number, one in enumerate(rows)
        ]

    return change


def as_latin(text: str) -> str:
    return text.encode().decode("latin-1")


def as_euc(text: str) -> str:
    return text.encode("cp949", "replace").decode("utf-8", "replace")


def european(price: str) -> str:
    return f"{float(price.replace(',', '')):,.2f}".translate(str.maketrans(",.", ".,"))


def dollars(price: str) -> str:
    return f"{float(price) / 1390:.2f}"


def book(change: Callable[[Table], Table]) -> Spoil:
    """The workbook made anew from what is in it."""

    def spoil(run: Run, _: Run) -> Run:
        return run.put("prices.xlsx", workbook(change(_sheet(run.files["prices.xlsx"]))))

    return spoil


def _sheet(data: bytes) -> Table:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    rows = re.findall(r"<row[^>]*>(.*?)</row>", text)
    return [
        [
            one or other
            for one, other in re.findall(r"<c[^>]*>(?:<v>(.*?)</v>|<is><t>(.*?)</t></is>)</c>", row)
        ]
        for row in rows
    ]


def cut(name: str, share: float) -> Spoil:
    return lambda run, _: run.put(name, run.files[name][: int(len(run.files[name]) * share)])


def repeated_file(run: Run, before: Run) -> Run:
    return replace(run, files=before.files)


def older(run: Run, _: Run) -> Run:
    return replace(run, now="2026-12-25T09:00:00+09:00")


def said(text: str) -> Spoil:
    return lambda run, _: run.saying(text)


def silent(run: Run, _: Run) -> Run:
    return replace(run, reports=())


def in_each_order(**fields: object) -> Spoil:
    def spoil(run: Run, _: Run) -> Run:
        data = json.loads(run.text("orders.json"))
        return run.put("orders.json", json.dumps(data | {"orders": [one | fields for one in data["orders"]]}))

    return spoil


def twice_the_same_page(run: Run, _: Run) -> Run:
    data = json.loads(run.text("orders.json"))
    return run.put("orders.json", json.dumps(data | {"orders": data["orders"] * 2}))


def english_cues(run: Run, _: Run) -> Run:
    lines = [f"So this is what we do next, number {number}" for number in range(80)]
    return run.put("video.srt", cues(lines, Random(1)))


def same_cue(run: Run, _: Run) -> Run:
    return run.put("video.srt", cues(["시청해 주셔서 감사합니다"] * 90, Random(1)))


def opening_cues(run: Run, _: Run) -> Run:
    return run.put("video.srt", "\n\n".join(run.text("video.srt").split("\n\n")[:12]))


def transcript(run: Run, _: Run) -> Run:
    lines = [line for line in run.text("video.srt").splitlines() if line and "-->" not in line]
    return run.put("video.srt", "\n".join(line for line in lines if not line.isdigit()))


def unchanged(run: Run, _: Run) -> Run:
    return run


_CAPTCHA = (
    "title,url,published,author\nJust a moment...,https://news.example.com/,2026-11-09T00:00:00+00:00,\n"
)
_SHOP, _PRICES, _NEWS, _VIDEO = "shop watcher", "price table", "news digest", "video subtitles"
_CHART, _VISITS, _RATES = "chart report", "yesterday's analysis, continued", "currency table"
_ORDERS, _LUNCH, _JOBS = "orders from an API", "lunch menu on Slack", "job openings"

BROKEN = (
    # Three shops
    Broken("a column renamed", _SHOP, ("fields", "'price'"), table("items.csv", renamed("price", "sale"))),
    Broken(
        "an empty page", _SHOP, ("fields", "'items'", "0"), table("sources.csv", one_cell(2, "items", "0"))
    ),
    Broken(
        "a captcha", _SHOP, ("fields", "'blocked'"), table("sources.csv", one_cell(1, "status", "blocked"))
    ),
    Broken("a shop left out", _SHOP, ("rows", "sources.csv", "2줄"), table("sources.csv", lambda t: t[:3])),
    Broken("a header alone", _SHOP, ("rows", "items.csv", "0줄"), table("items.csv", header_only)),
    Broken("half the rows", _SHOP, ("change", "items.csv", "지난번"), table("items.csv", half)),
    Broken(
        "every row twice", _SHOP, ("fields", "'url'", "겹치는"), table("items.csv", lambda t: [*t, *t[1:]])
    ),
    Broken("dollar signs", _SHOP, ("fields", "'price'"), column("items.csv", "price", lambda p: f"${p}")),
    Broken("dollars", _SHOP, ("fields", "'price'"), column("items.csv", "price", dollars)),
    Broken("decimal commas", _SHOP, ("fields", "'price'"), column("items.csv", "price", european)),
    Broken(
        "all prices zero", _SHOP, ("fields", "'price'", "0 값"), column("items.csv", "price", lambda _: "0")
    ),
    Broken(
        "a header in the rows", _SHOP, ("fields", "'price'", "1개"), table("items.csv", lambda t: [*t, t[0]])
    ),
    Broken("columns shifted", _SHOP, ("fields", "'price'"), table("items.csv", shifted)),
    Broken("UTF-8 as Latin-1", _SHOP, ("fields", "'name'", "깨진"), column("items.csv", "name", as_latin)),
    Broken("EUC-KR as UTF-8", _SHOP, ("fields", "'name'", "깨진"), column("items.csv", "name", as_euc)),
    Broken("a page as CSV", _SHOP, ("rows", "items.csv", "HTML"), content("items.csv", _PAGE)),
    Broken("nothing as CSV", _SHOP, ("rows", "items.csv", "0줄"), content("items.csv", b"")),
    Broken("no file", _SHOP, ("rows", "items.csv", "만들어지지"), missing("items.csv")),
    Broken(
        "names left blank", _SHOP, ("fields", "'name'", "빈칸"), table("items.csv", one_cell(3, "name", " "))
    ),
    Broken("too long a message", _SHOP, ("text", "길이"), said("새 상품이 있어요. " * 400)),
    Broken("no message", _SHOP, ("delivered", "slack"), silent),
    Broken(
        "ok: false",
        _SHOP,
        ("receipt", "channel_not_found"),
        unchanged,
        (200, b'{"ok":false,"error":"channel_not_found"}'),
    ),
    Broken("no_service", _SHOP, ("receipt", "no_service"), unchanged, (404, b"no_service")),
    # A workbook
    Broken("a cut workbook", _PRICES, ("file", "prices.xlsx", "깨져서"), cut("prices.xlsx", 0.7)),
    Broken("a page as workbook", _PRICES, ("file", "prices.xlsx", "HTML"), content("prices.xlsx", _PAGE)),
    Broken(
        "a text as workbook",
        _PRICES,
        ("file", "prices.xlsx", "txt"),
        content("prices.xlsx", "상품\t판매가\n"),
    ),
    Broken(
        "one price for all",
        _PRICES,
        ("expr", "판매가", "= 1"),
        book(lambda t: each(t, "판매가", lambda _: "9900")),
    ),
    Broken(
        "won to dollars",
        _PRICES,
        ("change", "판매가"),
        book(lambda t: each(t, "판매가", lambda p: str(int(p) // 1000))),
    ),
    Broken("an empty sheet", _PRICES, ("rows", "prices.xlsx", "0줄"), book(header_only)),
    Broken(
        "prices as words",
        _PRICES,
        ("fields", "'판매가'"),
        book(lambda t: each(t, "판매가", lambda p: f"{p}원")),
    ),
    Broken("a product twice", _PRICES, ("fields", "'상품'", "1개"), book(lambda t: [*t, t[1]])),
    # News
    Broken("old news", _NEWS, ("fresh", "articles.csv", "일 전"), older),
    Broken("yesterday's file", _NEWS, ("change", "articles.csv", "똑같"), repeated_file),
    Broken(
        "news of the future",
        _NEWS,
        ("fresh", "2062"),
        table("articles.csv", one_cell(1, "published", "2062-11-09")),
    ),
    Broken("a captcha as article", _NEWS, ("fields", "'title'", "한국어"), content("articles.csv", _CAPTCHA)),
    Broken(
        "English headlines",
        _NEWS,
        ("fields", "'title'", "한국어"),
        column("articles.csv", "title", lambda _: "Markets rally as rates hold"),
    ),
    Broken("every article twice", _NEWS, ("fields", "'url'"), table("articles.csv", lambda t: [*t, *t[1:]])),
    Broken(
        "'3 hours ago'",
        _NEWS,
        ("fresh", "'published'"),
        column("articles.csv", "published", lambda _: "3시간 전"),
    ),
    Broken(
        "addresses cut off",
        _NEWS,
        ("fields", "'url'", "웹 주소"),
        column("articles.csv", "url", lambda u: u[24:]),
    ),
    Broken("a blank report", _NEWS, ("text", "오늘의 뉴스"), said("  ")),
    Broken(
        "a garbled report",
        _NEWS,
        ("text", "깨진"),
        said("오늘의 뉴스\n" + "ì\x98¤ë\x8a\x98 ë\x89´ì\x8a¤\n" * 6),
    ),
    Broken(
        "an English report",
        _NEWS,
        ("text", "한국어"),
        said("오늘의 뉴스 " + "Please sign in to read the stories of today. " * 4),
    ),
    Broken("no article", _NEWS, ("rows", "articles.csv", "0줄"), table("articles.csv", header_only)),
    # Subtitles
    Broken("a text without cues", _VIDEO, ("rows", "video.srt", "0줄"), transcript),
    Broken("one cue for ever", _VIDEO, ("expr", "distinct", "= 1"), same_cue),
    Broken("English cues", _VIDEO, ("fields", "'text'", "한국어"), english_cues),
    Broken("only the opening", _VIDEO, ("expr", "highest", "잰 값"), opening_cues),
    Broken("a page as cues", _VIDEO, ("rows", "video.srt", "HTML"), content("video.srt", _PAGE)),
    Broken("nothing as cues", _VIDEO, ("rows", "video.srt", "0줄"), content("video.srt", b"")),
    Broken(
        "garbled cues",
        _VIDEO,
        ("fields", "'text'", "깨진"),
        lambda run, _: run.put("video.srt", as_latin(run.text("video.srt"))),
    ),
    # A chart
    Broken("a dot for a chart", _CHART, ("file", "1×1픽셀"), content("sales.png", picture(1, 1, Random(1)))),
    Broken("a cut chart", _CHART, ("file", "sales.png", "깨져서"), cut("sales.png", 0.5)),
    Broken("no chart", _CHART, ("file", "sales.png", "만들어지지"), missing("sales.png")),
    Broken("a page as chart", _CHART, ("file", "sales.png", "HTML"), content("sales.png", _PAGE)),
    Broken(
        "a flat year", _CHART, ("expr", "sales.csv", "= 1"), column("sales.csv", "sales", lambda _: "1000000")
    ),
    Broken("a month twice", _CHART, ("fields", "'month'"), table("sales.csv", lambda t: [*t, t[1]])),
    Broken("no sales", _CHART, ("rows", "sales.csv", "0줄"), table("sales.csv", header_only)),
    Broken(
        "an error as report",
        _CHART,
        ("text", "report.md", "매출"),
        content("report.md", "KeyError: 'sales'\n" * 9),
    ),
    # An analysis that goes on
    Broken(
        "the past forgotten",
        _VISITS,
        ("change", "history.csv", "지난번"),
        table("history.csv", lambda t: [t[0], *t[-2:]]),
    ),
    Broken("no new day", _VISITS, ("change", "history.csv", "똑같"), repeated_file),
    Broken(
        "a day twice", _VISITS, ("fields", "'date'", "겹치는"), table("history.csv", lambda t: [*t, t[-1]])
    ),
    Broken(
        "visits left blank",
        _VISITS,
        ("fields", "'visits'", "빈칸"),
        table("history.csv", one_cell(2, "visits", "")),
    ),
    Broken(
        "days in words",
        _VISITS,
        ("fields", "'date'", "날짜"),
        column("history.csv", "date", lambda d: f"{d[5:7]}월"),
    ),
    Broken(
        "a year mistyped",
        _VISITS,
        ("fresh", "2062"),
        column("history.csv", "date", lambda d: d.replace("2026", "2062")),
    ),
    # Exchange rates
    Broken("a currency missing", _RATES, ("rows", "4줄"), table("rates.csv", lambda t: t[:-1])),
    Broken(
        "a currency twice",
        _RATES,
        ("fields", "'currency'", "겹치는"),
        table("rates.csv", lambda t: [*t[:-1], t[1]]),
    ),
    Broken(
        "rates upside down",
        _RATES,
        ("fields", "'rate'"),
        column("rates.csv", "rate", lambda r: f"{1 / float(r.replace(',', '')):.6f}"),
    ),
    Broken("European numbers", _RATES, ("fields", "'rate'"), column("rates.csv", "rate", european)),
    Broken("rates of last month", _RATES, ("fresh", "rates.csv"), older),
    Broken(
        "another base",
        _RATES,
        ("change", "'rate'"),
        column("rates.csv", "rate", lambda r: f"{float(r.replace(',', '')) / 1.6:.2f}"),
    ),
    Broken(
        "yen by the hundred", _RATES, ("fields", "'rate'"), table("rates.csv", one_cell(3, "rate", "921.40"))
    ),
    # An API
    Broken(
        "unauthorized",
        _ORDERS,
        ("rows", "orders.json", "표로"),
        content("orders.json", '{"error": "unauthorized"}'),
    ),
    Broken("cut JSON", _ORDERS, ("rows", "orders.json", "JSON"), cut("orders.json", 0.6)),
    Broken("an unknown state", _ORDERS, ("fields", "'UNKNOWN'"), in_each_order(status="UNKNOWN")),
    Broken("no amounts", _ORDERS, ("fields", "'amount'", "빈칸"), in_each_order(amount=None)),
    Broken("one page twice", _ORDERS, ("fields", "'id'", "겹치는"), twice_the_same_page),
    Broken("a page as JSON", _ORDERS, ("rows", "orders.json", "HTML"), content("orders.json", _PAGE)),
    Broken(
        "a page refused",
        _ORDERS,
        ("fields", "'status'", "503"),
        table("pages.csv", one_cell(1, "status", "503")),
    ),
    # A menu
    Broken(
        "two messages", _LUNCH, ("delivered", "2개"), lambda run, _: replace(run, reports=run.reports * 2)
    ),
    Broken("a menu without food", _LUNCH, ("rows", "menu.csv", "0줄"), table("menu.csv", header_only)),
    Broken(
        "a menu in thousands",
        _LUNCH,
        ("fields", "'price'"),
        column("menu.csv", "price", lambda p: p[:-3] + ".0"),
    ),
    Broken(
        "a login as menu",
        _LUNCH,
        ("fields", "'menu'", "한국어"),
        column("menu.csv", "menu", lambda _: "Sign in"),
    ),
    # Openings
    Broken(
        "Korean titles",
        _JOBS,
        ("fields", "'title'", "English"),
        column("jobs.tsv", "title", lambda _: "데이터 엔지니어", "\t"),
    ),
    Broken("old openings", _JOBS, ("fresh", "jobs.tsv"), older),
    Broken(
        "no companies",
        _JOBS,
        ("fields", "'company'", "blank"),
        column("jobs.tsv", "company", lambda _: "", "\t"),
    ),
    Broken("a page as TSV", _JOBS, ("rows", "jobs.tsv", "web page"), content("jobs.tsv", _PAGE)),
    Broken(
        "a third of them",
        _JOBS,
        ("change", "jobs.tsv"),
        table("jobs.tsv", lambda t: t[: 1 + len(t) // 3], "\t"),
    ),
)
