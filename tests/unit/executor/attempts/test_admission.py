"""Runs start while their promises fit the machine, and nobody has all of it while another wants some."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.executor.attempts.admission import Admission

MB = 1 << 20


def test_a_run_waits_while_promised_memory_does_not_fit() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=8)
    assert admission.enter("a", "one", 600 * MB)
    assert not admission.enter("b", "one", 500 * MB)
    assert admission.enter("c", "one", 400 * MB)
    admission.leave("a")
    assert admission.enter("b", "one", 500 * MB)


def test_a_run_that_fits_no_machine_starts_when_it_is_alone() -> None:
    admission = Admission(memory_bytes=100 * MB, slots=8)
    assert admission.enter("big", "one", 4000 * MB)
    assert not admission.enter("small", "two", 1)
    admission.leave("big")
    assert admission.enter("small", "two", 1)
    assert not admission.enter("big", "one", 4000 * MB)


def test_a_run_waits_while_all_places_are_taken() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=2)
    assert admission.enter("a", "one", MB)
    assert admission.enter("b", "two", MB)
    assert not admission.enter("c", "three", MB)


def test_alone_a_workspace_may_have_all_places() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=4)
    assert [admission.enter(name, "one", MB) for name in "abcde"] == [True] * 4 + [False]


def test_a_workspace_has_half_the_places_while_another_runs() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=4)
    assert admission.enter("other", "two", MB)
    assert [admission.enter(name, "one", MB) for name in "abc"] == [True, True, False]
    assert admission.enter("another", "two", MB)
    admission.leave("other")
    admission.leave("another")
    assert admission.enter("c", "one", MB)


def test_entering_twice_is_one_promise_and_leaving_twice_gives_back_one() -> None:
    admission = Admission(memory_bytes=100 * MB, slots=8)
    assert [admission.enter("a", "one", 60 * MB) for _ in range(3)] == [True] * 3
    assert not admission.enter("b", "one", 60 * MB)
    for _ in range(2):
        admission.leave("a")
    assert admission.enter("b", "one", 60 * MB)
    assert not admission.enter("a", "one", 60 * MB)


def test_this_machine_has_places_by_itself() -> None:
    admission = Admission()
    assert admission.enter("a", "one", 64 * MB)


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_no_order_of_coming_and_going_breaks_a_bound(seed: int, slots: int) -> None:
    dice = random.Random(seed)
    admission = Admission(memory_bytes=1000, slots=slots)
    inside: dict[str, tuple[str, int]] = {}
    for number in range(60):
        if inside and dice.random() < 0.4:
            gone = dice.choice(sorted(inside))
            admission.leave(gone)
            del inside[gone]
            continue
        name, workspace, memory = f"run_{number}", dice.choice("xyz"), dice.choice([1, 200, 600, 1500])
        before = Counter(owner for owner, _ in inside.values())
        fits = not inside or sum(size for _, size in inside.values()) + memory <= 1000
        others = sum(before.values()) - before[workspace]
        share = not others or before[workspace] < max(1, slots // 2)
        assert admission.enter(name, workspace, memory) == (len(inside) < slots and fits and share)
        if len(inside) < slots and fits and share:
            inside[name] = (workspace, memory)
