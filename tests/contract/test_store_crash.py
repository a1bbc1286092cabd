"""Documents and events of one commit stand or fall together when the process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter

import pytest

from shared.clock import SystemClock
from shared.store.port import Document, Query, Store
from tests.contract.adapters import StoreKind


@pytest.mark.parametrize("commits", [1, 7, 40])
def test_every_document_has_its_event_and_every_event_its_document_when_killed(
    stores: StoreKind, commits: int
) -> None:
    process = subprocess.Popen(stores.command("many"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(commits):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()

    store = stores.open(SystemClock()).own("ledger")
    documents = [d.id for d in _all(store)]
    events = [e.data["at"] for e in store.outbox(10_000)]
    assert Counter(documents) == Counter(events)
    assert {f"{n}-{part}" for n in range(last + 1) for part in "ab"} <= set(documents)
    assert len(documents) % 2 == 0


def _all(store: Store) -> list[Document]:
    found: list[Document] = []
    after = None
    while page := store.query(Query("things", order_by="n", after=after)):
        found += page
        after = (page[-1].data["n"], page[-1].id)
    return found
