"""One contract in place of another: what is no longer promised is said, what is promised more is no weakening."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agentfile.contract import evaluate
from shared.agentfile.contract_changes import contract_diff, weakened
from shared.agentfile.contract_rules import contract_problems
from shared.agentfile.facts import ColumnFact, DeliveryFact, Facts, FileFact
from shared.agentfile.model import Check

ITEMS = "outputs/items.csv"


def check(kind: str, **fields: Any) -> Check:
    return Check.model_validate({"check": kind, "says": "약속", **fields})


NAMES = st.sampled_from(["name", "price", "url", "가격"])
WORDS = st.lists(st.sampled_from(["ok", "환율", "새 상품", "USD"]), min_size=1, max_size=3, unique=True)
LOW = st.integers(1, 40)


@st.composite
def some_check(draw: st.DrawFn, path: str) -> Check:
    """Any kind, with whatever that kind takes."""
    kind = draw(st.sampled_from(["file", "rows", "fields", "fresh", "change", "text", "delivered", "expr"]))
    low = draw(LOW)
    bounds = draw(st.sampled_from([{"min": low}, {"max": low + 60}, {"min": low, "max": low + 60}]))
    column = draw(NAMES)
    if kind == "fields":
        more: dict[str, Any] = draw(
            st.sampled_from([{}, {"unique": True}, {"format": "url"}, {"language": "ko"}, bounds])
        )
        contains = draw(st.just([]) | WORDS)
        return check(kind, path=path, fields=[column], contains=contains, **more)
    if kind == "fresh":
        return check(kind, path=path, fields=[column], max_age_s=low * 3600)
    if kind == "change":
        change: dict[str, Any] = draw(
            st.sampled_from([{}, {"fields": [column], "min": 0.5}, {"min": 0.5, "max": 2}])
        )
        return check(kind, path=path, **change)
    if kind == "expr":
        return check(kind, expr=f'rows("{path}") >= {low} and highest("{path}", "{column}") < {low + 9}')
    if kind == "text":
        return check(kind, path=path, contains=draw(WORDS), excludes=["error"], **bounds)
    if kind == "delivered":
        return check(kind, contains=["inbox"], **bounds)
    if kind == "file":
        return check(kind, path=path, contains=["png"], min_width=low, **bounds)
    return check(kind, path=path, **bounds)


@st.composite
def contracts(draw: st.DrawFn) -> list[Check]:
    """Each check about a file of its own, so that no check says what another says already."""
    count = draw(st.integers(1, 6))
    found = [draw(some_check(f"outputs/f{number}.csv")) for number in range(count)]
    plain = [one for one in found if one.check != "delivered"]
    return plain + [one for one in found if one.check == "delivered"][:1]


def tighter(one: Check, choose: random.Random) -> Check:
    """The same check asking for more in one of the ways it can."""
    change: list[dict[str, Any]] = [{}]
    if one.min is not None or one.check in ("rows", "file", "delivered"):
        low = max(one.min or 1, 1) if one.check in ("rows", "file", "delivered") else (one.min or 0)
        change.append({"min": low + 0.25})
    if one.max is not None:
        change.append({"max": one.max - 0.25})
    if one.check == "text":
        change += [{"contains": (*one.contains, "더")}, {"excludes": (*one.excludes, "오류")}]
    if one.check == "delivered":
        change.append({"contains": (*one.contains, "slack")})
    if one.check == "fields":
        change += [{"fields": (*one.fields, "at")}, {"unique": True}, {"contains": one.contains[:1]}]
        change[-1] = change[-1] if one.contains else {}
    if one.max_age_s is not None:
        change.append({"max_age_s": one.max_age_s - 1})
    if one.min_width is not None:
        change.append({"min_width": one.min_width + 1, "min_height": 9})
    return one.model_copy(update=choose.choice(change))


@given(contracts())
def test_nothing_is_weaker_when_nothing_changed(checks: list[Check]) -> None:
    assert list(contract_problems(tuple(checks))) == []
    assert weakened(checks, checks) == ()
    assert contract_diff(checks, checks) == ((), ())


@given(contracts(), st.data())
def test_leaving_out_any_check_is_a_weakening(checks: list[Check], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(checks) - 1))
    fewer = [*checks[:gone], *checks[gone + 1 :]]
    for language in ("ko", "en"):
        assert weakened(checks, fewer, language)
    assert weakened(fewer, checks) == ()
    assert contract_diff(fewer, checks).stronger


@given(contracts(), st.randoms(use_true_random=False))
def test_asking_for_more_is_never_a_weakening(checks: list[Check], choose: random.Random) -> None:
    stricter = [tighter(one, choose) for one in checks] + [check("rows", path="outputs/more.csv")]
    assert weakened(checks, stricter) == ()
    assert contract_diff(checks, stricter).stronger


@given(contracts(), contracts(), st.randoms(use_true_random=False))
def test_the_order_of_checks_never_matters(
    before: list[Check], after: list[Check], choose: random.Random
) -> None:
    one, other = before[:], after[:]
    choose.shuffle(one)
    choose.shuffle(other)
    assert set(weakened(one, other)) == set(weakened(before, after))


@given(contracts(), contracts(), contracts())
@settings(max_examples=50)
def test_what_is_as_strong_as_something_as_strong_is_as_strong(
    first: list[Check], second: list[Check], third: list[Check]
) -> None:
    """Strength is an order: adding the second's checks, then the third's, never falls behind the first."""
    both = [*first, *second]
    assert weakened(both, [*both, *third]) == ()
    assert weakened(first, [*third, *both]) == ()


@st.composite
def runs(draw: st.DrawFn) -> Facts:
    rows = draw(st.integers(0, 60))
    low = draw(st.integers(0, 50))
    column = ColumnFact(
        name=draw(NAMES), numbers=rows, low=low, high=low + draw(st.integers(0, 50)), distinct=rows, repeats=0
    )
    file = FileFact(size=rows, kind="csv", rows=rows, columns=(column,), text="환율 ok", text_length=low)
    sent = (DeliveryFact(channel="inbox", text="새 상품"),) * draw(st.integers(0, 3))
    return Facts(files={f"outputs/f{number}.csv": file for number in range(6)}, deliveries=sent)


@given(contracts(), runs(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_no_run_keeps_the_stricter_contract_alone_when_nothing_is_weaker(
    checks: list[Check], facts: Facts, choose: random.Random
) -> None:
    """What `weakened` says agrees with what evaluating does."""
    other = [tighter(one, choose) for one in checks]
    assert weakened(checks, other) == ()
    if all(result.held for result in evaluate(other, facts)):
        assert all(result.held for result in evaluate(checks, facts))


LOOSER: list[tuple[Check, Sequence[Check], str]] = [
    (check("rows", path=ITEMS, min=5), [], "outputs/items.csv의 줄 수: 더는 확인하지 않아요 (약속)."),
    (
        check("rows", path=ITEMS, min=5),
        [check("rows", path=ITEMS)],
        "outputs/items.csv의 줄 수: 가장 작은 값, 느슨해져요 (5 → 1).",
    ),
    (
        check("rows", path=ITEMS, max=50),
        [check("rows", path=ITEMS)],
        "outputs/items.csv의 줄 수: 가장 큰 값, 느슨해져요 (50 → 없음).",
    ),
    (
        check("rows", path=ITEMS, min=5),
        [check("rows", path="outputs/other.csv", min=5)],
        "outputs/items.csv의 줄 수: 이제 outputs/other.csv에서 확인해요.",
    ),
    (
        check("fields", path=ITEMS, fields=["name", "price"], min=1),
        [check("fields", path=ITEMS, fields=["price"], min=1)],
        "outputs/items.csv의 'name' 열: 더는 확인하지 않아요 (약속).",
    ),
    (
        check("fields", path=ITEMS, fields=["url"], unique=True, format="url"),
        [check("fields", path=ITEMS, fields=["url"], format="url")],
        "outputs/items.csv의 'url' 열: 겹치는 값이 없는지 더는 확인하지 않아요.",
    ),
    (
        check("fields", path=ITEMS, fields=["status"], contains=["ok"]),
        [check("fields", path=ITEMS, fields=["status"], contains=["ok", "error"])],
        "outputs/items.csv의 'status' 열: 허락한 값, 느슨해져요 ('ok' → 'error', 'ok').",
    ),
    (
        check("fresh", path=ITEMS, fields=["at"], max_age_s=86400),
        [check("fresh", path=ITEMS, fields=["at"], max_age_s=604800)],
        "outputs/items.csv의 'at' 날짜: 가장 오래된 때, 느슨해져요 (1일 → 7일).",
    ),
    (
        check("change", path=ITEMS),
        [check("change", path=ITEMS, min=0.5)],
        "outputs/items.csv: 지난번과 달라진 정도: 내용이 달라졌는지 더는 확인하지 않아요.",
    ),
    (
        check("text", contains=["환율", "USD"]),
        [check("text", contains=["환율"])],
        "보낼 보고의 글: 들어 있어야 하는 것, 느슨해져요 ('usd', '환율' → '환율').",
    ),
    (
        check("text", excludes=["오류"], min=1),
        [check("text", min=1)],
        "보낼 보고의 글: 있으면 안 되는 것, 느슨해져요 ('오류' → 없음).",
    ),
    (
        check("delivered", contains=["slack"]),
        [check("delivered")],
        "보낼 보고의 수: 들어 있어야 하는 것, 느슨해져요 ('slack' → 없음).",
    ),
    (
        check("file", path="outputs/c.png", contains=["png"], min_width=400),
        [check("file", path="outputs/c.png", contains=["png"], min_width=1)],
        "outputs/c.png 파일: 가장 작은 너비, 느슨해져요 (400 → 1).",
    ),
    (
        check("expr", expr=f'rows("{ITEMS}") >= 5 and distinct("{ITEMS}", "name") >= 3'),
        [check("expr", expr=f'distinct("{ITEMS}", "name") >= 3 and rows("{ITEMS}") >= 2')],
        '조건 rows("outputs/items.csv"): 가장 작은 값, 느슨해져요 (5 → 2).',
    ),
]


@pytest.mark.parametrize(("before", "after", "sentence"), LOOSER, ids=range(len(LOOSER)))
def test_each_way_of_promising_less_has_its_sentence(
    before: Check, after: Sequence[Check], sentence: str
) -> None:
    assert weakened([before], after) == (sentence,)
    english = weakened([before], after, "en")
    assert len(english) == 1
    assert english[0].startswith(("Looser: ", "No longer checked: ", "Checked in "))


def test_a_check_taken_apart_or_said_twice_promises_the_same() -> None:
    whole = [check("fields", path=ITEMS, fields=["name", "price"], unique=True)]
    parts = [check("fields", path=ITEMS, fields=[name], unique=True) for name in ("price", "name", "name")]
    assert weakened(whole, parts) == weakened(parts, whole) == ()


def test_another_sentence_for_the_same_check_is_no_weakening() -> None:
    assert weakened([check("delivered")], [Check(check="delivered", says="다른 말")]) == ()


def test_what_is_new_and_what_is_stricter_is_told_apart() -> None:
    before = [check("rows", path=ITEMS)]
    diff = contract_diff(before, [check("rows", path=ITEMS, min=5), check("delivered")])
    assert diff.weaker == ()
    assert diff.stronger == (
        "outputs/items.csv의 줄 수: 가장 작은 값, 더 엄격해져요 (1 → 5).",
        "보낼 보고의 수: 새로 확인해요 (약속).",
    )
