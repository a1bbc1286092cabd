"""docs/scale.md shows the figures that follow from this code, and the arithmetic behind them adds up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.catalog import TYPES
from tests.prove import scale
from tests.prove.scale_model import EVENTS, Lateness, contend, due_by_minute, lateness, pushes
from tests.repo.hcl import block
from tests.repo.tree import ROOT


def test_the_page_shows_the_figures_of_this_code() -> None:
    assert scale.current(scale.PAGE.read_text(encoding="utf-8")), "run: python -m tests.prove.scale"


def test_what_waits_in_any_case_is_what_terraform_makes() -> None:
    services = block((ROOT / "terraform/env/prod.tfvars").read_text(encoding="utf-8"), "services =")
    sizes = [
        {
            key: float(re.sub(r"\D", "", said))
            for key, said in re.findall(r'(\w+) = ("?\d+(?:Gi|Mi)?"?)', line)
        }
        | {"unit": 1 if 'Gi"' in line else 1 / 1024}
        for line in services.strip().splitlines()
    ]

    assert sum(one["min"] * one["cpu"] for one in sizes) == scale.ALWAYS_VCPU
    assert sum(one["min"] * one["memory"] * one["unit"] for one in sizes) == scale.ALWAYS_GIB


def test_twice_the_agents_are_twice_the_runs_and_nine_is_the_fullest_minute() -> None:
    one, two = due_by_minute(1000), due_by_minute(2000)

    assert sum(two) == pytest.approx(2 * sum(one))
    assert max(one) == one[9 * 60]
    assert sum(one) == pytest.approx(1000 * (0.80 + 0.05 * 24 + 0.01 * 144))


def test_nothing_is_late_when_there_is_room_for_the_fullest_minute() -> None:
    due = [0.0, 5.0, 100.0, 0.0, 1.0]

    assert lateness(due, 100) == Lateness(worst=0, late=0.0, caught_up=True)
    assert lateness(due, 50).worst == 1
    assert lateness(due, 50).late == pytest.approx(50 / 106)
    assert not lateness(due, 1).caught_up


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60).filter(any), st.floats(1, 1000))
def test_more_room_never_makes_anything_later(due: list[float], room: float) -> None:
    less, more = lateness(due, room), lateness(due, room * 2)

    assert more.worst <= less.worst
    assert more.late <= less.late + 1e-6


def test_each_event_of_a_run_is_one_and_more_is_pushed_than_wanted() -> None:
    sent, wanted = pushes()

    assert all(f"agentbuilder.{name}.v1" in TYPES for name in EVENTS)
    assert len(EVENTS) < wanted < sent


def test_a_document_alone_is_written_at_once_and_a_crowd_tries_again() -> None:
    alone = contend(1, 1.0, commit_s=0.04, tries=30, longest_s=0.5)
    crowd = contend(50, 0.1, commit_s=0.04, tries=30, longest_s=0.5, instances=50)

    assert (alone.tries, alone.given_up) == (1.0, 0)
    assert crowd.tries > 2
    assert contend(500, 0.1, commit_s=0.04, tries=3, longest_s=0.5, instances=500).given_up > 400


def test_a_line_that_commits_together_takes_what_one_by_one_cannot() -> None:
    one = contend(1000, 10.0, commit_s=0.04, tries=30, longest_s=1.0)
    together = contend(1000, 10.0, commit_s=0.04, tries=30, longest_s=1.0, together=20)

    assert (round(one.seconds), one.given_up) == (40, 0)
    assert (round(together.seconds), together.given_up) == (10, 0)
