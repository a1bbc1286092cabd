"""Outcome contracts: what holds, what does not, and what a person is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agentfile import expressions
from shared.agentfile.contract import evaluate, is_vacuous
from shared.agentfile.contract_rules import contract_problems
from shared.agentfile.facts import ColumnFact, DeliveryFact, Facts, FileFact
from shared.agentfile.model import Check

ITEMS = "outputs/items.csv"
SOURCES = "outputs/sources.csv"


def check(kind: str, **fields: Any) -> Check:
    return Check.model_validate({"check": kind, "says": "약속", **fields})


def table(rows: int, *columns: ColumnFact, **more: Any) -> FileFact:
    return FileFact(size=100, kind="csv", rows=rows, columns=columns, **more)


def seen(
    item: Check, *, previous: dict[str, FileFact] | None = None, reports: int = 1, **files: FileFact
) -> tuple[bool, str]:
    paths = {f"outputs/{name}.csv": file for name, file in files.items()}
    deliveries = tuple(DeliveryFact(channel="inbox", text="새 상품 2개") for _ in range(reports))
    facts = Facts(files=paths, previous=previous, deliveries=deliveries, now="2026-11-22T00:00:00+00:00")
    result = evaluate([item], facts, "ko")[0]
    assert evaluate([item], facts, "en")[0].held == result.held
    return result.held, result.sentence


def median(value: float | None) -> ColumnFact:
    return ColumnFact(name="price", median=value)


PRICE = ColumnFact(name="price", numbers=2, low=1000, high=2000, values=("1000", "2000"))
URL = ColumnFact(name="url", links=1, texts=1, values=("https://a.kr/1", "더 보기"), distinct=2, repeats=0)
NAME = ColumnFact(name="name", texts=2, values=("머그컵", "Lamp"), distinct=1, repeats=1)
PAGE = FileFact(size=900, kind="html", text="<html>", text_length=6)
CHART = FileFact(size=9000, kind="png", width=640, height=480)
STATUS = ColumnFact(name="status", values=("ok", "error"))

CASES: list[tuple[Check, dict[str, Any], bool, str]] = [
    (
        check("file", path=ITEMS),
        {"items": table(1)},
        True,
        "outputs/items.csv 크기가 100바이트예요. 1바이트 이상이어야 해요.",
    ),
    (check("file", path=ITEMS), {}, False, "outputs/items.csv 파일이 만들어지지 않았어요."),
    (
        check("file", path=ITEMS, contains=["png"]),
        {"items": table(1)},
        False,
        "outputs/items.csv 파일의 종류가 csv예요. 기대한 종류: png.",
    ),
    (
        check("rows", path=ITEMS),
        {"items": table(0)},
        False,
        "outputs/items.csv에 0줄이 있어요. 1줄 이상이어야 해요.",
    ),
    (check("rows", path=ITEMS, min=0), {"items": table(0)}, True, ""),
    (
        check("rows", path=ITEMS, max=5),
        {"items": table(6)},
        False,
        "outputs/items.csv에 6줄이 있어요. 1–5줄이어야 해요.",
    ),
    (check("rows", path=ITEMS, max=10), {"items": table(6, more_rows=True)}, False, ""),
    (
        check("rows", path=ITEMS),
        {"items": FileFact(size=9, unreadable="encoding")},
        False,
        "outputs/items.csv 파일을 표로 읽을 수 없어요 (글자의 인코딩을 알 수 없어요).",
    ),
    (check("fields", path=ITEMS, fields=["price"]), {"items": table(2, PRICE)}, True, ""),
    (
        check("fields", path=ITEMS, fields=["name"]),
        {"items": table(2, PRICE)},
        False,
        "outputs/items.csv에 있어야 할 열이 없어요: 'name'.",
    ),
    (check("fields", path=ITEMS, fields=["name"]), {"items": table(0)}, True, ""),
    (
        check("fields", path=ITEMS, fields=["price"], min=1500),
        {"items": table(2, PRICE)},
        False,
        "outputs/items.csv의 'price' 열에 1,000 값이 있어요. 1,500 이상이어야 해요.",
    ),
    (check("fields", path=ITEMS, fields=["price"], max=1500), {"items": table(2, PRICE)}, False, ""),
    (
        check("fields", path=ITEMS, fields=["price"], min=1),
        {"items": table(3, PRICE)},
        False,
        "outputs/items.csv의 'price' 열에 숫자가 아닌 값이 1개 있어요.",
    ),
    (
        check("fields", path=ITEMS, fields=["a"]),
        {"items": table(3, ColumnFact(name="a", empty=2))},
        False,
        "outputs/items.csv의 'a' 열에 빈칸이 2개 있어요.",
    ),
    (
        check("fields", path=SOURCES, fields=["status"], contains=["ok"]),
        {"sources": table(2, STATUS)},
        False,
        "'error' (outputs/sources.csv의 'status' 열에는 'ok'만 있어야 해요.)",
    ),
    (
        check("fields", path=SOURCES, fields=["status"], excludes=["error"]),
        {"sources": table(2, STATUS)},
        False,
        "",
    ),
    (
        check("fields", path=SOURCES, fields=["status"], excludes=["lost"]),
        {"sources": table(2, STATUS)},
        True,
        "",
    ),
    (
        check("fresh", path=ITEMS, fields=["at"], max_age_s=86400),
        {"items": table(1, ColumnFact(name="at", newest="2026-11-21T12:00:00"))},
        True,
        "",
    ),
    (
        check("fresh", path=ITEMS, fields=["at"], max_age_s=86400),
        {"items": table(1, ColumnFact(name="at", newest="2026-11-19"))},
        False,
        "outputs/items.csv에서 가장 새로운 날짜는 2026-11-19, 3일 전이에요. 1일 안이어야 해요.",
    ),
    (check("fresh", path=ITEMS, fields=["at"], max_age_s=9), {"items": table(1)}, False, ""),
    (
        check("change", path=ITEMS),
        {"items": table(1)},
        True,
        "outputs/items.csv: 비교할 지난 결과가 아직 없어요.",
    ),
    (
        check("change", path=ITEMS),
        {"items": table(1, sha256="a"), "previous": {ITEMS: table(1, sha256="a")}},
        False,
        "outputs/items.csv 내용이 지난번과 똑같아요.",
    ),
    (
        check("change", path=ITEMS, min=0.5),
        {"items": table(4), "previous": {ITEMS: table(10)}},
        False,
        "outputs/items.csv의 줄이 지난번 10개에서 4개가 됐어요. 0.50배 이상이어야 해요.",
    ),
    (check("change", path=ITEMS, min=0.5), {"items": table(5), "previous": {ITEMS: table(10)}}, True, ""),
    (check("text", contains=["새 상품"]), {}, True, ""),
    (check("text", contains=["가격"]), {}, False, "보낼 보고에 '가격' 내용이 없어요."),
    (check("text", excludes=["상품"]), {}, False, "보낼 보고에 있으면 안 되는 내용이 있어요: '상품'."),
    (check("text", min=1), {"reports": 0}, False, "보낼 보고가 만들어지지 않았어요."),
    (check("text", path=ITEMS, contains=["A"]), {"items": table(1, text="xay", text_length=3)}, True, ""),
    (check("delivered"), {}, True, ""),
    (check("delivered"), {"reports": 0}, False, "보낼 보고가 0개예요. 1개 이상이어야 해요."),
    (check("delivered", contains=["slack"]), {}, False, "이곳으로 보낼 보고가 없어요: 'slack'."),
    (
        check("expr", expr=f'rows("{ITEMS}") >= rows_before * 0.5'),
        {"items": table(4), "previous": {ITEMS: table(10)}},
        False,
        "",
    ),
    (check("expr", expr=f'rows("{ITEMS}") >= rows_before * 0.5'), {"items": table(4)}, True, ""),
    (
        check("expr", expr=f'rows("{ITEMS}") >= rows_before * 0.5'),
        {},
        False,
        "outputs/items.csv에서 확인할 값을 찾지 못했어요.",
    ),
    (
        check("expr", expr=f'highest("{ITEMS}", "price") < 3000 and deliveries() == 1'),
        {"items": table(2, PRICE)},
        True,
        "",
    ),
    (
        check("fields", path=ITEMS, fields=["url"], format="url"),
        {"items": table(2, URL)},
        False,
        "outputs/items.csv의 'url' 열에 웹 주소가 아닌 값이 1개 있어요.",
    ),
    (check("fields", path=ITEMS, fields=["url"], unique=True), {"items": table(2, URL)}, True, ""),
    (
        check("fields", path=ITEMS, fields=["name"], unique=True),
        {"items": table(2, NAME)},
        False,
        "outputs/items.csv의 'name' 열에 겹치는 값이 1개 있어요.",
    ),
    (
        check("fields", path=ITEMS, fields=["name"], unique=True),
        {"items": table(2, NAME.model_copy(update={"distinct": None, "repeats": None}))},
        False,
        "outputs/items.csv의 'name' 열에 값이 너무 많아 겹치는지 확인하지 못했어요.",
    ),
    (
        check("fields", path=ITEMS, fields=["name"], format="text", language="ko"),
        {"items": table(2, NAME)},
        True,
        "",
    ),
    (
        check("fields", path=ITEMS, fields=["name"], language="en"),
        {"items": table(2, NAME)},
        False,
        "outputs/items.csv의 'name' 열의 내용이 영어가 아니에요.",
    ),
    (
        check("fields", path=ITEMS, fields=["name"], language="en", unique=True, format="url"),
        {"items": table(0, NAME)},
        True,
        "",
    ),
    (
        check("fresh", path=ITEMS, fields=["at"], max_age_s=86400),
        {"items": table(1, ColumnFact(name="at", newest="2026-11-23T09:00:00"))},
        False,
        "outputs/items.csv의 'at' 열에 아직 오지 않은 날짜가 있어요: 2026-11-23T09:00:00.",
    ),
    (
        check("fresh", path=ITEMS, fields=["at"], max_age_s=86400),
        {"items": table(1, ColumnFact(name="at", newest="2026-11-22T09:00:00"))},
        True,
        "",
    ),
    (
        check("change", path=ITEMS, fields=["price"], min=0.5),
        {"items": table(2, median(9)), "previous": {ITEMS: table(2, median(1500))}},
        False,
        "outputs/items.csv의 'price' 열 가운데 값이 지난번 1,500에서 9(으)로 바뀌었어요. 0.50배 이상이어야 해요.",
    ),
    (
        check("change", path=ITEMS, fields=["price"], min=0.5),
        {"items": table(2, median(1400)), "previous": {ITEMS: table(2, median(1500))}},
        True,
        "",
    ),
    (
        check("change", path=ITEMS, fields=["price"], min=0.5),
        {"items": table(2, median(None)), "previous": {ITEMS: table(2, median(1500))}},
        False,
        "outputs/items.csv의 'price' 열에 숫자가 아닌 값이 2개 있어요.",
    ),
    (
        check("change", path=ITEMS, fields=["price"], min=0.5),
        {"items": table(2), "previous": {ITEMS: table(2, median(1500))}},
        False,
        "outputs/items.csv에 있어야 할 열이 없어요: 'price'.",
    ),
    (
        check("change", path=ITEMS, fields=["price"], min=0.5),
        {"items": table(2, median(9)), "previous": {ITEMS: table(2, median(0))}},
        True,
        "outputs/items.csv: 비교할 지난 결과가 아직 없어요.",
    ),
    (
        check("rows", path=ITEMS),
        {"items": PAGE},
        False,
        "outputs/items.csv 안에는 기대한 내용이 아니라 웹 페이지(HTML)가 들어 있어요. 오류나 로그인 화면일 수 있어요.",
    ),
    (check("file", path=ITEMS), {"items": PAGE}, False, ""),
    (check("file", path=ITEMS, contains=["html"]), {"items": PAGE}, True, ""),
    (check("file", path=ITEMS, min_width=640, min_height=480), {"items": CHART}, True, ""),
    (
        check("file", path=ITEMS, min_width=641),
        {"items": CHART},
        False,
        "outputs/items.csv 그림이 640×480픽셀이에요. 너비 641픽셀 이상이어야 해요.",
    ),
    (check("file", path=ITEMS, min_height=1), {"items": table(1)}, False, ""),
    (
        check("file", path=ITEMS),
        {"items": CHART.model_copy(update={"unreadable": "cut"})},
        False,
        "outputs/items.csv 파일이 깨져서 열 수 없어요 (끝이 잘렸거나 망가졌어요).",
    ),
    (
        check("file", path=ITEMS),
        {"items": CHART.model_copy(update={"unreadable": "too much content"})},
        True,
        "",
    ),
    (check("text", language="ko"), {}, True, ""),
    (check("text", language="en"), {}, False, "보낼 보고의 내용이 영어가 아니에요."),
    (
        check("text", path=ITEMS, min=1),
        {"items": table(1, text="\ufffd\ufffd\n가", text_length=4)},
        False,
        "outputs/items.csv에 깨진 글자가 있는 줄이 1개예요.",
    ),
    (
        check("expr", expr=f'rows("{ITEMS}") >= rows_before'),
        {"items": table(1), "previous": {ITEMS: table(2)}},
        False,
        '조건: rows("outputs/items.csv") >= rows_before (잰 값: rows("outputs/items.csv") = 1, rows_before = 2)',
    ),
    (
        check("expr", expr=f'repeats("{ITEMS}", "name") == 1 and median("{ITEMS}", "price") == 9'),
        {"items": table(2, NAME, median(9))},
        True,
        "",
    ),
    (check("expr", expr=f'not exists("{ITEMS}") or size("{ITEMS}") / 0 > 1'), {"items": table(2)}, False, ""),
]


@pytest.mark.parametrize(
    ("item", "run", "held", "sentence"), CASES, ids=[f"{n}-{c[0].check}" for n, c in enumerate(CASES)]
)
def test_a_check_says_what_it_saw_when_it_is_evaluated(
    item: Check, run: dict[str, Any], held: bool, sentence: str
) -> None:
    result, said = seen(item, **run)
    assert result is held, said
    assert said == sentence or (sentence == "" and said)


WATCH = [
    check("rows", path=SOURCES, min=3),
    check("fields", path=SOURCES, fields=["status"], contains=["ok"]),
    check("fields", path=SOURCES, fields=["items"], min=1),
    check("delivered"),
]


def watched(*, status: str = "ok", items: float = 8, shops: int = 3, reports: int = 1) -> Facts:
    sources = table(
        shops,
        ColumnFact(name="status", values=("ok", status) if status != "ok" else ("ok",)),
        ColumnFact(name="items", numbers=shops, low=items, high=9),
        ColumnFact(name="new", numbers=shops, low=0, high=0),
    )
    return Facts(files={SOURCES: sources}, deliveries=(DeliveryFact(channel="inbox"),) * reports)


def broken(facts: Facts) -> int:
    return sum(1 for result in evaluate(WATCH, facts) if not result.held)


def test_an_empty_day_keeps_the_contract_when_every_shop_was_read() -> None:
    assert is_vacuous(WATCH) is None
    assert broken(watched()) == 0


def test_a_check_breaks_when_one_shop_failed_or_was_empty_or_is_not_there() -> None:
    assert broken(watched(status="error"))
    assert broken(watched(items=0))
    assert broken(watched(shops=2))


def test_a_check_breaks_when_the_thing_itself_is_missing() -> None:
    assert broken(watched(reports=0))
    assert broken(Facts(deliveries=(DeliveryFact(channel="inbox"),)))


@pytest.mark.parametrize(
    "checks",
    [
        [],
        [check("rows", path=ITEMS, min=0)],
        [check("delivered", min=0)],
        [check("delivered")],
        [check("delivered", contains=["slack"])],
        [check("change", path=ITEMS)],
        [check("file", path=ITEMS, min=0), check("delivered")],
        [check("text", excludes=["error"])],
        [check("expr", expr="1 > 0")],
        [check("expr", expr=f'exists("{ITEMS}") == 0')],
        [check("fields", path=ITEMS, fields=["a"]), check("delivered")],
    ],
)
def test_a_contract_is_refused_when_an_empty_run_would_keep_it(checks: list[Check]) -> None:
    assert is_vacuous(checks, "ko")
    assert is_vacuous(checks, "en")


@pytest.mark.parametrize(
    "checks",
    [
        [check("rows", path=ITEMS)],
        [check("file", path=ITEMS)],
        [check("text", contains=["물"]), check("delivered")],
        [check("text", min=10)],
        [check("expr", expr=f'rows("{ITEMS}") > 0')],
    ],
)
def test_a_contract_is_accepted_when_something_must_come_out(checks: list[Check]) -> None:
    assert is_vacuous(checks) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "__import__('os')",
        "(1).real",
        "[1][0]",
        "x > 1",
        "rows",
        "rows_before > 1",
        "rows('a', 'b') > 1",
        "rows(1) > 1",
        "rows('a').x > 1",
        "2 ** 9999 > 1",
        "1 if 1 else 2",
        "lambda: 1",
        "f'{1}' > 1",
        "rows(*['a'])",
        "rows(x='a')",
        "True",
        "1e999 > 1",
        "'a' > 'b'",
        "(" * 200 + "1" + ")" * 200,
        "1+" * 149 + "1",
        "9" * 290,
        "rows('a') in rows('b')",
        "a := 1",
        "1 @ 1",
        "1 // 1 > 0",
    ],
)
def test_an_expression_is_refused_when_it_is_more_than_a_comparison(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A.*\Z"):
        expressions.parse(text)


@given(st.text(alphabet="rows(\"a'), 0123.<>=+-*/andornot_before", max_size=60))
def test_only_known_errors_come_out_when_an_expression_is_nonsense(text: str) -> None:
    try:
        expressions.holds(text, Facts(files={"a": table(3)}, previous={"a": table(2)}))
    except (ValueError, expressions.Missing, expressions.NoPrevious, ZeroDivisionError, OverflowError):
        return


@pytest.mark.parametrize(
    ("item", "key"),
    [
        (check("rows", path=ITEMS, unique=True), "contract[0].unique"),
        (check("rows", path=ITEMS, format="url"), "contract[0].format"),
        (check("delivered", language="ko"), "contract[0].language"),
        (check("text", contains=["a"], min_width=3), "contract[0].min_width"),
        (check("change", path=ITEMS, fields=["price"]), "contract[0].min"),
        (check("change", path=ITEMS, fields=["price", "name"], min=1), "contract[0].fields"),
        (check("fields", path=ITEMS, fields=["at"], format="date", min=1), "contract[0].format"),
    ],
)
def test_a_field_is_refused_by_name_where_it_says_nothing(item: Check, key: str) -> None:
    assert [one for one, _ in contract_problems((item,))] == [key]
