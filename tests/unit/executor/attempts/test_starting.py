"""Sandboxes that begin at the same moment: no more than there are places, and nobody waits for ever."""

from __future__ import annotations

import threading

from services.executor.attempts.starting import Starting

_NOBODY_GIVES_UP_S = 60.0


def entered(starting: Starting, attempt_id: str) -> threading.Event:
    inside = threading.Event()

    def enter() -> None:
        starting.enter(attempt_id)
        inside.set()

    threading.Thread(target=enter, daemon=True).start()
    return inside


def test_the_next_begins_when_one_has_begun() -> None:
    starting = Starting(2, _NOBODY_GIVES_UP_S)
    starting.enter("a1")
    starting.enter("a2")
    third = entered(starting, "a3")
    assert not third.wait(0.05)

    starting.leave("a1")

    assert third.wait(10)


def test_a_place_is_given_back_once_when_its_attempt_leaves_often() -> None:
    starting = Starting(1, _NOBODY_GIVES_UP_S)
    starting.enter("a1")
    for _ in range(3):
        starting.leave("a1")
        starting.leave("never entered")
    starting.enter("a2")

    third = entered(starting, "a3")

    assert not third.wait(0.05)
    starting.leave("a2")
    assert third.wait(10)


def test_it_begins_all_the_same_when_those_before_it_take_too_long() -> None:
    starting = Starting(1, 0.01)
    starting.enter("a1")

    assert entered(starting, "a2").wait(10)
