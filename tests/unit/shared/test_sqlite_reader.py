"""How many connections readers hold."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases

FDS = Path("/proc/self/fd")


def opened(file: Path) -> int:
    """Descriptors of this process on that file."""
    links = []
    for fd in FDS.iterdir():
        try:
            links.append(str(fd.readlink()))
        except OSError:  # the one that listed them
            continue
    return links.count(str(file))


@pytest.mark.skipif(not FDS.is_dir(), reason="counting descriptors needs Linux's /proc")
def test_no_descriptors_are_added_when_many_threads_read_one_after_another(tmp_path: Path) -> None:
    databases = SqliteDatabases(tmp_path, SystemClock(), RandomIds())
    databases.own("ledger").transact(lambda tx: tx.put("things", "a", {"n": 1}), cause=Cause("w", "u"))
    reader = databases.read("ledger")
    assert reader.get("things", "a") is not None
    before = opened(tmp_path / "ledger.db")
    leave = threading.Event()

    def read(done: threading.Event) -> None:
        reader.get("things", "a")
        done.set()
        leave.wait(20)

    threads = []
    for _ in range(20):
        done = threading.Event()
        threads.append(threading.Thread(target=read, args=(done,)))
        threads[-1].start()
        assert done.wait(20)
    after = opened(tmp_path / "ledger.db")
    leave.set()
    for thread in threads:
        thread.join()
    databases.close()

    assert after == before
