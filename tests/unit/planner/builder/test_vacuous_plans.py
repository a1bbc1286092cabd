"""A plan whose promises a run keeps that brought nothing goes back to the model, with the reason."""

from __future__ import annotations

import pytest

from services.planner.builder.inputs import PlanInput
from services.planner.builder.plan import agent_file
from shared.errors import BadRequest

DELIVERED = {"check": "delivered", "contains": ["inbox"], "says": "보고서를 보냈어요"}
ROWS = {"check": "rows", "path": "outputs/a.csv", "min": 1, "says": "상품이 하나 이상"}
BIG = {"check": "file", "path": "outputs/a.csv", "min": 1, "says": "파일이 있어요"}
NAMED = {"check": "text", "contains": ["새 상품 봇"], "says": "제목이 있어요"}
FRESH = {
    "check": "fresh",
    "path": "outputs/a.csv",
    "fields": ["day"],
    "max_age_s": 604_800,
    "says": "새 날짜",
}
DAILY = {"cron": "0 9 * * *", "timezone": "Asia/Seoul"}
WEEKLY = {"cron": "0 9 * * 1", "timezone": "Asia/Seoul"}
SHOP = {"host": "shop.example.com", "path": "/new", "why": "상품을 읽어요"}


def plan(*contract: object, **more: object) -> PlanInput:
    given = {
        "name": "새 상품 봇",
        "summary": "새 상품을 알려요",
        "steps": ["읽어요"],
        "schedule": DAILY,
        "hosts": [SHOP],
        "channels": [{"kind": "inbox", "why": "보고"}],
        "contract": [*contract, DELIVERED],
        "seconds_per_run": 3,
        **more,
    }
    return PlanInput.model_validate(given)


@pytest.mark.parametrize(
    ("vacuous", "twin", "says"),
    [
        (plan(BIG), plan(ROWS), "error or sign-in page"),
        (plan(NAMED, hosts=[]), plan(NAMED, ROWS, hosts=[]), "words the code writes by itself"),
        (plan(ROWS, news_expected=True), plan(ROWS), "Last time's result"),
        (
            plan(ROWS, FRESH, news_expected=True),
            plan(ROWS, FRESH, news_expected=True, schedule=WEEKLY),
            "Last time",
        ),
    ],
    ids=[
        "error page",
        "its own name",
        "yesterday's",
        "fresh for a week, every day",
    ],
)
def test_it_is_refused_and_its_twin_is_not(vacuous: PlanInput, twin: PlanInput, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        agent_file(vacuous, "ko")

    assert agent_file(twin, "ko").contract
