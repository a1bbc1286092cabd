"""Who collided over a document waits in line for it, and a line commits together; nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.clock import FakeClock, SystemClock
from shared.store.lanes import MOST, Held, Lanes
from shared.store.together import Key, Raced, Together, Write

ONE, OTHER = ("counters", "one"), ("counters", "other")
_LONG_S = 600.0


class Commits:
    """Notes what each commit carries; `refuse` is the error of the next ones."""

    def __init__(self) -> None:
        self.carried: list[dict[Key, Write]] = []
        self.refuse: Exception | None = None

    def __call__(self, together: Together) -> None:
        together.error = self.refuse
        if self.refuse is None:
            self.carried.append(together.writes)
        together.done.set()


def writing(*names: str, kind: str = "put", seen: str | None = None) -> Together:
    return Together(
        FakeClock().monotonic(), {("counters", name): Write(kind, {"by": name}, seen) for name in names}, {}
    )


def line_of(
    lanes: Lanes, count: int, act: Callable[[Held, int], None], pool: ThreadPoolExecutor
) -> list[Future[None]]:
    """So many, one behind the other, who do `act` when their turn has come."""

    def come(number: int) -> None:
        with lanes.held() as held:
            held.enter(ONE)
            act(held, number)

    found = []
    for number in range(count):
        found.append(pool.submit(come, number))
        _until(lambda: lanes.waiting(ONE) == len(found))
    return found


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(60_000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


def committing(*more: str, read: Collection[Key] = ()) -> Callable[[Held, int], None]:
    return lambda held, number: held.commit(writing("one", f"own{number}", *more), read)


def hot(commits: Commits) -> Lanes:
    lanes = Lanes(FakeClock(), commits, _LONG_S)
    lanes.collided([ONE])
    return lanes


def test_nobody_waits_for_a_document_that_nobody_collided_over() -> None:
    lanes = Lanes(FakeClock(), Commits())
    lanes.collided([ONE])
    assert lanes.turn(OTHER) is None


def test_the_next_ones_come_one_at_a_time_while_it_is_contended() -> None:
    lanes = Lanes(SystemClock(), Commits(), _LONG_S)
    lanes.collided([ONE])
    inside, most = 0, 0

    def pass_through() -> None:
        nonlocal inside, most
        with lanes.held() as held:
            held.enter(ONE)
            held.enter(ONE)
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.002)
            inside -= 1

    threads = [threading.Thread(target=pass_through) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_line_is_forgotten_two_seconds_after_the_last_collision() -> None:
    clock = FakeClock()
    lanes = Lanes(clock, Commits())
    lanes.collided([ONE])
    clock.advance(seconds=1)
    with lanes.held() as held:
        held.enter(ONE)
        assert lanes.waiting(ONE) == 0
    assert lanes.turn(ONE) is not None
    lanes.release(ONE)
    clock.advance(seconds=2)
    assert lanes.turn(ONE) is None


def test_two_who_want_each_others_documents_both_go_on() -> None:
    lanes = Lanes(SystemClock(), Commits(), 0.05)
    lanes.collided([ONE, OTHER])
    both = threading.Barrier(2)

    def want(first: tuple[str, str], second: tuple[str, str]) -> None:
        with lanes.held() as held:
            held.enter(first)
            both.wait(_LONG_S)
            held.enter(second)

    threads = [threading.Thread(target=want, args=pair) for pair in ((ONE, OTHER), (OTHER, ONE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LONG_S)
    assert not any(thread.is_alive() for thread in threads)


def test_a_line_commits_together() -> None:
    commits = Commits()
    lanes = hot(commits)
    with ThreadPoolExecutor(8) as pool, lanes.held() as first:
        first.enter(ONE)
        others = line_of(lanes, 5, committing(), pool)
        first.commit(writing("one", "first", seen="what was there"), [ONE])
        for done in others:
            done.result(_LONG_S)

    (carried,) = commits.carried
    assert {name for _, name in carried} == {"one", "first", *(f"own{number}" for number in range(5))}
    assert carried[ONE].seen == "what was there", "the condition is the first one's"


def test_a_long_line_is_several_commits() -> None:
    commits = Commits()
    lanes = hot(commits)
    with ThreadPoolExecutor(MOST + 5) as pool, lanes.held() as first:
        first.enter(ONE)
        others = line_of(lanes, MOST + 3, committing(), pool)
        first.commit(writing("one", "first"), [ONE])
        for done in others:
            done.result(_LONG_S)

    assert [len(carried) for carried in commits.carried] == [MOST + 1, 4 + 1]


def test_everybody_runs_again_when_the_commit_is_refused() -> None:
    commits = Commits()
    lanes = hot(commits)
    commits.refuse = Raced(alone=True)
    with ThreadPoolExecutor(8) as pool, lanes.held() as first:
        first.enter(ONE)
        others = line_of(lanes, 3, committing(), pool)
        with pytest.raises(Raced):
            first.commit(writing("one"), [ONE])
        errors = [done.exception(_LONG_S) for done in others]

    assert [isinstance(error, Raced) and error.alone for error in errors] == [True] * 3


def test_what_was_left_is_committed_when_the_next_one_fails() -> None:
    def fail(_held: Held, _number: int) -> None:
        raise LookupError("on purpose")

    commits = Commits()
    lanes = hot(commits)
    with ThreadPoolExecutor(8) as pool, lanes.held() as first:
        first.enter(ONE)
        (other,) = line_of(lanes, 1, fail, pool)
        first.commit(writing("one", "first"), [ONE])
        error = other.exception(_LONG_S)

    assert isinstance(error, LookupError)
    assert [len(carried) for carried in commits.carried] == [2]


@pytest.mark.parametrize(
    "late",
    [
        lambda held, _number: held.commit(writing("one"), [("counters", "first")]),
        lambda held, _number: held.commit(writing("first", kind="create"), []),
        lambda held, _number: held.commit(writing("first", kind="delete"), []),
    ],
)
def test_who_read_too_early_or_makes_what_was_made_runs_again_alone(
    late: Callable[[Held, int], None],
) -> None:
    commits = Commits()
    lanes = hot(commits)
    with ThreadPoolExecutor(8) as pool, lanes.held() as first:
        first.enter(ONE)
        (other,) = line_of(lanes, 1, late, pool)
        first.commit(writing("one", "first"), [ONE])
        error = other.exception(_LONG_S)

    assert isinstance(error, Raced)
    assert [len(carried) for carried in commits.carried] == [2]


def test_what_was_left_to_one_who_waits_for_it_is_taken_back() -> None:
    commits = Commits()
    lanes = hot(commits)
    committed = threading.Event()

    def wait_for_the_first(held: Held, _number: int) -> None:
        assert committed.wait(_LONG_S)
        held.commit(writing("one"), [])

    with ThreadPoolExecutor(8) as pool, lanes.held() as first:
        first.enter(ONE)
        (other,) = line_of(lanes, 1, wait_for_the_first, pool)
        lanes.patience_s = 0.01
        first.commit(writing("one", "first"), [ONE])
        committed.set()
        error = other.exception(_LONG_S)

    assert isinstance(error, Raced), "what it was left has been committed without it"
    assert [len(carried) for carried in commits.carried] == [2]
