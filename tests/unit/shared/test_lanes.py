"""Who collided over a document waits in line for it; nobody else waits, and nobody waits for ever."""

from __future__ import annotations

import threading

from shared.clock import FakeClock, SystemClock
from shared.store.lanes import Lanes

ONE, OTHER = ("counters", "one"), ("counters", "other")


def test_nobody_waits_for_a_document_that_nobody_collided_over() -> None:
    lanes = Lanes(FakeClock())
    lanes.collided([ONE])
    assert lanes.lane(OTHER) is None


def test_the_next_ones_come_one_at_a_time_while_it_is_contended() -> None:
    lanes = Lanes(SystemClock())
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
    lanes = Lanes(clock)
    lanes.collided([ONE])
    clock.advance(seconds=1)
    assert lanes.lane(ONE) is not None
    clock.advance(seconds=2)
    assert lanes.lane(ONE) is None


def test_two_who_want_each_others_documents_both_go_on() -> None:
    lanes = Lanes(SystemClock())
    lanes.collided([ONE, OTHER])
    both = threading.Barrier(2)

    def want(first: tuple[str, str], second: tuple[str, str]) -> None:
        with lanes.held() as held:
            held.enter(first)
            both.wait(10)
            held.enter(second)

    threads = [threading.Thread(target=want, args=pair) for pair in ((ONE, OTHER), (OTHER, ONE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
