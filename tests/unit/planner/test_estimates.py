"""What a plan says it will cost: never less than what its caps let runs spend, and unknown where no price is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planner.prices import price_of
from services.planner.prices.estimates import estimate
from shared.agentfile.model import AgentFile
from shared.records.planner import Tokens
from tests.unit.planner.conftest import FILE

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
MODEL = "claude-opus-5-5"
NOTHING = Tokens(input=0, output=0)


def file(per_run: int, per_day: int, cron: str | None = "0 9 * * *") -> AgentFile:
    made = FILE.model_dump(mode="json")
    made["manifest"]["tokens"] = {"per_run": per_run, "per_day": per_day}
    made["schedule"] = {"cron": cron, "timezone": "Asia/Seoul"} if cron else None
    return AgentFile.model_validate(made)


def test_code_that_asks_no_model_costs_nothing_whatever_the_price() -> None:
    made = estimate(file(0, 0), seconds=3, so_far=NOTHING, model=None, now=NOW)
    assert (made.tokens_per_month, made.cost_usd_micros_per_month, made.priced) == (0, 0, True)
    assert made.seconds_per_run == 3


def test_a_month_is_the_runs_of_thirty_days_at_most_what_the_days_allow() -> None:
    daily = estimate(file(4_000, 40_000), seconds=3, so_far=NOTHING, model=MODEL, now=NOW)
    assert daily.tokens_per_month == 30 * 4_000
    hourly = estimate(file(4_000, 40_000, "0 * * * *"), seconds=3, so_far=NOTHING, model=MODEL, now=NOW)
    assert hourly.tokens_per_month == 30 * 40_000
    assert (
        estimate(file(4_000, 8_000, None), seconds=3, so_far=NOTHING, model=MODEL, now=NOW).tokens_per_month
        == 0
    )


def test_a_build_is_twice_what_it_took_to_the_plan() -> None:
    so_far = Tokens(input=9_000, output=1_200, cost_usd_micros=60_000)
    made = estimate(file(0, 0), seconds=3, so_far=so_far, model=MODEL, now=NOW)
    assert (made.tokens_build, made.cost_usd_micros_build) == (21_000, 120_000)


@pytest.mark.parametrize(
    ("so_far", "model", "per_run"),
    [
        (Tokens(input=9, output=1, priced=False), MODEL, 0),
        (NOTHING, "somebody-elses", 4_000),
        (NOTHING, None, 4_000),
    ],
)
def test_what_nobody_knows_the_price_of_is_said_to_be_unknown(
    so_far: Tokens, model: str | None, per_run: int
) -> None:
    made = estimate(file(per_run, per_run * 2), seconds=3, so_far=so_far, model=model, now=NOW)
    assert (made.priced, made.cost_usd_micros_build, made.cost_usd_micros_per_month) == (False, 0, 0)


@given(st.integers(1, 50_000), st.integers(1, 20), st.sampled_from(["0 9 * * *", "0 * * * *", "0 9 * * 1"]))
def test_no_month_costs_more_than_was_said(per_run: int, times: int, cron: str) -> None:
    made = estimate(file(per_run, per_run * times, cron), seconds=3, so_far=NOTHING, model=MODEL, now=NOW)
    price = price_of(MODEL)
    assert price is not None
    dearest = max(price.input, price.output, price.cache_write_5m, price.cache_write_1h)
    assert made.cost_usd_micros_per_month >= made.tokens_per_month * dearest - 1
    assert made.tokens_per_month <= per_run * times * 30
