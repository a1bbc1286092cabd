"""Which watches a change wakes inside one process."""

from __future__ import annotations

import pytest

from shared.clock import SystemClock
from shared.store.signal import Signal, SignalWatch


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
    assert SignalWatch(SystemClock(), [watched]).concerns(changed) is wakes


def test_watches_of_other_documents_sleep_when_one_document_changes() -> None:
    signal = Signal(SystemClock())
    one, two, all_of_them = (signal.watch([name]) for name in ("runs/run_1", "runs/run_2", "runs"))

    signal.notify({"runs/run_1"})

    assert [watch.wait(0) for watch in (one, two, all_of_them)] == [True, False, True]
