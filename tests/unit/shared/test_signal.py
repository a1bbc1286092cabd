"""Which watches a change wakes inside one process."""

from __future__ import annotations

import pytest

from shared.clock import SystemClock
from shared.store.signal import Signal


@pytest.mark.parametrize(
    ("watched", "changed", "wakes"),
    [
        ("runs", "runs", True),
        ("runs", "runs/run_1", True),
        ("runs/run_1", "runs/run_1", True),
        ("runs/run_1", "runs/run_1-00000002", True),
        ("runs/run_1", "runs", True),
        ("runs/run_1", "runs/run_2", False),
        ("runs", "run_entries/run_1", False),
        ("run_entries/run_1", "runs/run_1", False),
        ("runs/run_1", "run", False),
    ],
)
def test_a_change_wakes_the_watches_it_concerns(watched: str, changed: str, wakes: bool) -> None:
    signal = Signal(SystemClock())
    watch = signal.watch([watched])

    signal.notify({changed})

    assert watch.wait(0) is wakes


def test_a_closed_watch_is_not_woken_any_more_and_the_others_are() -> None:
    signal = Signal(SystemClock())
    closed, open_one = signal.watch(["runs", "agents"]), signal.watch(["runs"])
    closed.close()
    closed.wait(0)

    signal.notify({"runs/run_1", "agents"})

    assert [closed.wait(0), open_one.wait(0)] == [False, True]


def test_watches_of_other_documents_sleep_when_one_document_changes() -> None:
    signal = Signal(SystemClock())
    one, two, all_of_them = (signal.watch([name]) for name in ("runs/run_1", "runs/run_2", "runs"))

    signal.notify({"runs/run_1"})

    assert [watch.wait(0) for watch in (one, two, all_of_them)] == [True, False, True]
