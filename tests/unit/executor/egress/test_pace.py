"""Politeness as numbers; nobody waits here."""

from __future__ import annotations

from services.executor.egress.model import Pace
from services.executor.egress.pace import Pacer


def test_a_burst_passes_and_the_rest_queue_half_a_second_apart() -> None:
    pacer = Pacer(Pace(requests_per_s=2, burst=2), now_s=100)

    assert [pacer.take(100) for _ in range(5)] == [0, 0, 0.5, 1.0, 1.5]


def test_time_gives_places_back_but_never_more_than_the_burst() -> None:
    pacer = Pacer(Pace(requests_per_s=2, burst=2), now_s=0)
    for _ in range(2):
        pacer.take(0)

    assert [pacer.take(1000) for _ in range(3)] == [0, 0, 0.5]


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    pacer = Pacer(Pace(requests_per_s=1, burst=1), now_s=10)

    assert [pacer.take(10), pacer.take(5), pacer.take(5)] == [0, 1.0, 2.0]


def test_a_rate_of_zero_means_no_limit() -> None:
    pacer = Pacer(Pace(requests_per_s=0), now_s=0)

    assert {pacer.take(0) for _ in range(100)} == {0.0}
