"""Answers to requests that were under way together come in the order they came then."""

from __future__ import annotations

import asyncio

from services.executor.tapes.replay import TapeReplay
from shared.records.tapes import TapeEntry


def entry(n: int, began_s: float, ended_s: float, **more: object) -> TapeEntry:
    given = {"n": n, "method": "GET", "url": f"http://shop/{n}", "verdict": "sent", "status": 200}
    return TapeEntry.model_validate({**given, "began_s": began_s, "ended_s": ended_s, **more})


def order_of(entries: list[TapeEntry], asked: list[int]) -> list[int]:
    """Asks for those numbers at once; the numbers in the order of their answers."""
    came: list[int] = []

    async def one(replay: TapeReplay, n: int) -> None:
        found = await replay.answer("GET", f"http://shop/{n}", "")
        if found is not None:
            came.append(found.n)
            replay.given(found.n)

    async def all_of_them() -> None:
        replay = TapeReplay(entries, lambda address: b"")
        await asyncio.gather(*(one(replay, n) for n in asked))

    asyncio.run(all_of_them())
    return came


def test_answers_come_as_they_came_then_however_they_are_asked_for() -> None:
    together = [entry(1, 0, 0.9), entry(2, 0.1, 0.5), entry(3, 0.2, 0.7)]

    assert order_of(together, [1, 2, 3]) == [2, 3, 1]
    assert order_of(together, [3, 1, 2]) == [2, 3, 1]


def test_a_request_that_never_comes_again_is_not_waited_for_for_ever() -> None:
    entries = [entry(n, n, n + 0.5) for n in range(1, 40)]

    assert order_of(entries, [39]) == [39]


def test_each_answer_is_given_once() -> None:
    assert order_of([entry(1, 0, 1)], [1, 1]) == [1]


def test_what_is_not_whole_on_the_tape_is_no_answer() -> None:
    lost = [entry(1, 0, 1, lost=True), entry(2, 1, 2, status=0), entry(3, 2, 3, reason="undeclared_path")]

    assert order_of(lost, [1, 2, 3]) == []


def test_an_address_that_differs_in_a_time_alone_gets_its_answer() -> None:
    entries = [entry(1, 0, 1, url="http://shop/1795391789"), entry(2, 1, 2, url="http://shop/4")]

    assert order_of(entries, [1795391790, 5]) == [1]
