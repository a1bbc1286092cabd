"""Contracts that prove nothing are refused, each with what is wrong with it; their near twins are accepted."""

from __future__ import annotations

from typing import Any

import pytest

from shared.agentfile.contract import is_vacuous
from shared.agentfile.model import Check

CSV, PNG, MD = "outputs/items.csv", "outputs/chart.png", "outputs/report.md"


def check(kind: str, **fields: Any) -> Check:
    return Check.model_validate({"check": kind, "says": "약속", **fields})


SENT = check("delivered", contains=["slack"])
ROWS = check("rows", path=CSV, min=3)
READS: dict[str, Any] = {"reads_sources": True}
NEWS: dict[str, Any] = {"reads_sources": True, "expects_news": True}

# (what the agent is, a contract that proves nothing, what its refusal says, a near twin that proves something)
PAIRS: dict[str, tuple[dict[str, Any], list[Check], str, list[Check]]] = {
    "no checks": ({}, [], "확인 조건이 없어요", [ROWS]),
    "any number of rows": (
        {},
        [check("rows", path=CSV, min=0, max=50), check("change", path=CSV, min=0.5)],
        "빈 결과도",
        [check("rows", path=CSV, min=1, max=50), check("change", path=CSV, min=0.5)],
    ),
    "nothing has to be there": (
        {},
        [check("delivered", min=0), check("expr", expr=f'exists("{CSV}") <= 1')],
        "아무 일도 하지 않은",
        [check("delivered", min=0), check("expr", expr=f'rows("{CSV}") >= 1')],
    ),
    "a report is sent": ({}, [SENT], "빈 결과도", [SENT, check("text", min=200, contains=["환율"])]),
    "columns of no rows": (
        READS,
        [check("fields", path=CSV, fields=["name", "price"], min=1), SENT],
        "빈 결과도",
        [check("fields", path=CSV, fields=["name", "price"], min=1), ROWS],
    ),
    "a file of some size": (
        READS,
        [check("file", path=MD, min=100), SENT],
        "오류나 로그인",
        [check("file", path=MD, min=100), ROWS],
    ),
    "a table with a header": (
        READS,
        [check("file", path=CSV, min=5), check("fields", path=CSV, fields=["name"]), SENT],
        "오류나 로그인",
        [check("file", path=CSV, min=5), check("fields", path=CSV, fields=["name"]), ROWS],
    ),
    "a picture": (
        READS,
        [check("file", path=PNG, contains=["png"], min_width=300), SENT],
        "오류나 로그인",
        [check("file", path=PNG, contains=["png"], min_width=300), check("rows", path="outputs/data.csv")],
    ),
    "some words not in a long report": (
        READS,
        [check("text", min=50, excludes=["Access Denied", "captcha", "오류"]), SENT],
        "오류나 로그인",
        [check("text", min=50, excludes=["Access Denied", "captcha", "오류"]), ROWS],
    ),
    "its own title": (
        READS,
        [check("text", contains=["오늘의 환율"]), check("text", path=MD, contains=["# 환율"]), SENT],
        "코드가 스스로 쓰는 말",
        [check("text", contains=["오늘의 환율"]), check("rows", path="outputs/rates.csv", min=5), SENT],
    ),
    "its own name": (
        {"own_words": ["새 상품 봇", "세 가게의 새 상품을 알려요"]},
        [check("text", contains=["새 상품"]), SENT],
        "코드가 스스로 쓰는 말",
        [check("text", contains=["원"]), SENT],
    ),
    "yesterday's rows": (
        NEWS,
        [ROWS, check("fields", path=CSV, fields=["url"], unique=True), SENT],
        "지난번과 똑같은",
        [ROWS, check("fields", path=CSV, fields=["url"], unique=True), SENT, check("change", path=CSV)],
    ),
    "as many as yesterday": (
        NEWS,
        [ROWS, check("change", path=CSV, min=0.5, max=2), SENT],
        "지난번과 똑같은",
        [ROWS, check("change", path=CSV, min=0.5, max=2), check("change", path=CSV)],
    ),
    "within a week, every day": (
        NEWS,
        [ROWS, check("fresh", path=CSV, fields=["at"], max_age_s=604_800)],
        "지난번과 똑같은",
        [ROWS, check("fresh", path=CSV, fields=["at"], max_age_s=86_400)],
    ),
    "no fewer than yesterday": (
        NEWS,
        [ROWS, check("expr", expr=f'rows("{CSV}") >= rows_before')],
        "지난번과 똑같은",
        [ROWS, check("expr", expr=f'rows("{CSV}") > rows_before')],
    ),
    "a change, without a memory": (
        {**NEWS, "keeps_state": False},
        [ROWS, check("change", path=CSV)],
        "지난번과 똑같은",
        [ROWS, check("change", path=CSV), check("fresh", path=CSV, fields=["at"], max_age_s=3600)],
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_contract_that_proves_nothing_is_refused_and_its_twin_is_not(name: str) -> None:
    agent, vacuous, sentence, twin = PAIRS[name]
    assert (is_vacuous(vacuous, "ko", **agent) or "").startswith(sentence)
    assert (is_vacuous(vacuous, "en", **agent) or "").endswith(".")
    assert is_vacuous(twin, "ko", **agent) is None


def test_the_rest_counts_only_where_the_agent_is_said_to_be_like_that() -> None:
    for name in ("a picture", "its own title", "yesterday's rows"):
        assert is_vacuous(PAIRS[name][1]) is None


def test_what_is_new_within_a_week_is_enough_for_a_weekly_run() -> None:
    checks = PAIRS["within a week, every day"][1]
    assert is_vacuous(checks, expects_news=True, news_every_s=604_800) is None
