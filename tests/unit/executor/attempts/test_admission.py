"""Runs start while their promises fit the machine; who waits is called fairly, and everybody is called."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.executor.attempts.admission import Admission, Wish

MB = 1 << 20


def wish(run: str, workspace: str = "one", memory: int = MB, since: str = "", watched: bool = False) -> Wish:
    return Wish(run, workspace, memory, since, watched)


def test_a_run_waits_while_promised_memory_does_not_fit() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=8)
    assert admission.enter("a1", wish("a", memory=600 * MB)) == 0
    assert admission.enter("b1", wish("b", memory=500 * MB)) == 1
    assert admission.enter("c1", wish("c", memory=400 * MB)) == 0
    assert admission.called() == []
    admission.leave("a1")
    assert admission.called() == ["b"]
    assert admission.enter("b1", wish("b", memory=500 * MB)) == 0
    assert admission.called() == []


def test_a_run_that_fits_no_machine_starts_when_it_is_alone() -> None:
    admission = Admission(memory_bytes=100 * MB, slots=8)
    assert admission.enter("big1", wish("big", memory=4000 * MB)) == 0
    assert admission.enter("small1", wish("small", "two", 1)) == 1
    admission.leave("big1")
    assert admission.enter("small1", wish("small", "two", 1)) == 0
    assert admission.enter("big1", wish("big", memory=4000 * MB)) == 1


def test_a_place_that_becomes_free_is_kept_for_the_one_whose_turn_it_is() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=1)
    assert admission.enter("a1", wish("a")) == 0
    assert admission.enter("b1", wish("b", since="1")) == 1
    admission.leave("a1")
    assert admission.enter("c1", wish("c", since="0")) == 1  # however long it has waited: it comes too late
    assert not admission.waits("b")
    assert admission.waits("c")
    assert admission.enter("b1", wish("b", since="1")) == 0


def test_workspaces_take_turns_and_within_one_the_oldest_goes_first() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=1)
    admission.enter("now", wish("now", "other"))
    for n in range(4):
        admission.enter(f"a{n}", wish(f"a{n}", "much", since=f"{9 - n}"))
    admission.enter("b", wish("b", "little", since="99"))
    order, inside = [], "now"
    while admission.places():
        admission.leave(inside)
        (inside,) = admission.called()
        order.append(inside)
        assert admission.enter(inside, wish(inside, "much" if inside[0] == "a" else "little")) == 0
    assert order == ["a3", "b", "a2", "a1", "a0"]


def test_who_has_nothing_running_goes_before_who_has_much() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=3)
    for n in range(3):
        admission.enter(f"a{n}", wish(f"a{n}", "much"))
    admission.enter("a3", wish("a3", "much", since="1"))
    admission.enter("b", wish("b", "little", since="2"))
    admission.leave("a0")
    assert admission.called() == ["b"]


def test_what_a_person_watches_goes_before_the_backlog_of_the_same_workspace() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=1)
    admission.enter("now", wish("now"))
    admission.enter("s", wish("s", since="1"))
    admission.enter("o", wish("o", "other", since="2"))
    assert admission.enter("w", wish("w", since="3", watched=True)) == 2
    assert admission.places() == {"o": 1, "w": 2, "s": 3}


def test_entering_twice_is_one_promise_and_leaving_twice_gives_back_one() -> None:
    admission = Admission(memory_bytes=100 * MB, slots=8)
    assert [admission.enter("a1", wish("a", memory=60 * MB)) for _ in range(3)] == [0] * 3
    assert admission.spare_bytes() == 40 * MB
    assert admission.enter("b1", wish("b", memory=60 * MB)) == 1
    for _ in range(2):
        admission.leave("a1")
    assert admission.enter("b1", wish("b", memory=60 * MB)) == 0
    assert admission.enter("a1", wish("a", memory=60 * MB)) == 1


def test_a_run_that_is_forgotten_leaves_its_place_to_the_next() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=1)
    admission.enter("a1", wish("a"))
    for n in range(3):
        admission.enter(f"b{n}", wish(f"b{n}", since=str(n)))
    admission.forget("b0")
    admission.leave("a1")
    assert admission.called() == ["b1"]
    admission.forget("b1")
    assert admission.called() == ["b2"]


def test_a_place_kept_in_vain_goes_to_the_next_after_some_looks() -> None:
    admission = Admission(memory_bytes=1000 * MB, slots=1)
    admission.enter("a1", wish("a"))
    for n in range(2):
        admission.enter(f"b{n}", wish(f"b{n}", since=str(n)))
    admission.leave("a1")
    for _ in range(3):
        admission.look()
        assert admission.called() == ["b0"]
    admission.look()
    assert admission.called() == ["b1"]


def test_this_machine_has_places_by_itself() -> None:
    assert Admission().enter("a1", wish("a", memory=64 * MB)) == 0


@pytest.mark.parametrize("how", ["smaller", "of ever new workspaces", "watched"])
def test_nobody_waits_for_ever_while_others_keep_coming_that_are(how: str) -> None:
    admission = Admission(memory_bytes=1000, slots=4)
    inside = [f"f{n}" for n in range(4)]
    for name in inside:
        admission.enter(name, wish(name, "mine", 200, since="00"))
    patient = wish("patient", "mine", 900 if how == "smaller" else 200, since="01")
    assert admission.enter("patient", patient) > 0
    for n in range(200):
        name = f"n{n:03d}"
        other = wish(name, name if "new" in how else "mine", 200, f"1{n:03d}", watched=how == "watched")
        admission.enter(name, other)
        admission.leave(inside.pop(0))
        for called in admission.called():
            if called == "patient":
                return
            inside.append(called)
            assert admission.enter(called, wish(called, called, 200)) == 0
        if not inside:
            break
    pytest.fail("it was never called")


class Crowd(RuleBasedStateMachine):
    """Comings, goings and changes of mind in any order, on a small machine."""

    def __init__(self) -> None:
        super().__init__()
        self.slots, self.memory = 3, 1000
        self.admission = Admission(memory_bytes=self.memory, slots=self.slots)
        self.number = 0
        self.inside: dict[str, Wish] = {}
        self.waiting: dict[str, Wish] = {}

    @rule(
        workspace=st.sampled_from("xyz"), memory=st.sampled_from([1, 200, 600, 1500]), watched=st.booleans()
    )
    def somebody_comes(self, workspace: str, memory: int, watched: bool) -> None:
        self.number += 1
        came = wish(f"r{self.number}", workspace, memory, f"{self.number:04d}", watched)
        self.tries(came)

    @rule(dice=st.randoms(use_true_random=False))
    def somebody_leaves(self, dice: random.Random) -> None:
        if self.inside:
            gone = dice.choice(sorted(self.inside))
            del self.inside[gone]
            self.admission.leave(gone)
            self.come_in()

    @rule(dice=st.randoms(use_true_random=False))
    def somebody_gives_up(self, dice: random.Random) -> None:
        if self.waiting:
            gone = dice.choice(sorted(self.waiting))
            del self.waiting[gone]
            self.admission.forget(gone)
            self.come_in()

    @rule(dice=st.randoms(use_true_random=False))
    def somebody_tries_again(self, dice: random.Random) -> None:
        everybody = sorted({**self.inside, **self.waiting})
        if everybody:
            name = dice.choice(everybody)
            self.tries(self.inside.get(name) or self.waiting[name])

    def tries(self, who: Wish) -> None:
        place = self.admission.enter(who.run_id, who)
        if place == 0:
            self.waiting.pop(who.run_id, None)
            self.inside[who.run_id] = who
        else:
            self.waiting[who.run_id] = who
            assert 1 <= place <= len(self.waiting)
        self.come_in()

    def come_in(self) -> None:
        for name in self.admission.called():
            assert self.admission.enter(name, self.waiting[name]) == 0
            self.inside[name] = self.waiting.pop(name)

    @invariant()
    def promises_are_kept(self) -> None:
        promised = sum(who.memory_bytes for who in self.inside.values())
        assert len(self.inside) <= self.slots
        assert promised <= self.memory or len(self.inside) == 1

    @invariant()
    def nothing_lies_idle_that_somebody_could_use(self) -> None:
        """Short of the drain for somebody overtaken too often, which this small crowd rarely reaches."""
        promised = sum(who.memory_bytes for who in self.inside.values())
        if len(self.inside) < self.slots and self.number < 30:
            for who in self.waiting.values():
                assert self.inside, who
                assert promised + who.memory_bytes > self.memory, who

    @invariant()
    def places_are_a_line(self) -> None:
        assert sorted(self.admission.places().values()) == list(range(1, len(self.waiting) + 1))
        assert set(self.admission.places()) == set(self.waiting)


TestCrowd = Crowd.TestCase


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=3, max_size=40))
def test_no_workspace_gets_two_more_turns_than_another_that_waits(crowd: list[tuple[str, bool]]) -> None:
    admission = Admission(memory_bytes=10_000, slots=1)
    admission.enter("first", wish("first", "nobody"))
    left = Counter(workspace for workspace, _ in crowd)
    for n, (workspace, watched) in enumerate(crowd):
        admission.enter(f"{workspace}{n}", wish(f"{workspace}{n}", workspace, 1, f"{n:03d}", watched))
    inside, had = "first", Counter[str]()
    while admission.places() or admission.called():
        admission.leave(inside)
        (inside,) = admission.called()
        assert admission.enter(inside, wish(inside)) == 0
        had[inside[0]] += 1
        left[inside[0]] -= 1
        waiting = [workspace for workspace in "abc" if left[workspace] > 0]
        assert all(had[inside[0]] - had[other] <= 1 for other in waiting if other != inside[0]), had
