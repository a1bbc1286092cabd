"""What a profile hands a service: its own database, those it may read, and nothing of the others."""

from __future__ import annotations

import multiprocessing
import stat
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from shared.bus.sqlite import SqliteBus
from shared.clock import FakeClock, SystemClock
from shared.errors import Misconfigured
from shared.ids import RandomIds
from shared.runtime import profiles
from shared.runtime.profiles import READS, Engines, prepared
from shared.runtime.settings import Settings
from shared.store.port import Cause

ROUNDS = 100


def embedded(folder: Path) -> Settings:
    return Settings.model_validate({"data_dir": folder})


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    made = profiles.engines(embedded(tmp_path / "data"), list(READS), project_dir=tmp_path)
    yield made
    made.bus.stop()
    made.close()


def test_every_service_reads_exactly_whom_the_table_names(engines: Engines) -> None:
    for service, others in READS.items():
        kit = engines.kit(service)
        assert set(kit.readers) == set(others)
        for other in READS:
            if other in (*others, service):
                kit.watch(other, ["anything"]).close()
            else:
                with pytest.raises(Misconfigured, match=f"{service} may not read {other}"):
                    kit.watch(other, ["anything"])


def test_a_reader_sees_what_the_owner_wrote_and_has_no_way_to_write(engines: Engines) -> None:
    ledger, gateway = engines.kit("ledger"), engines.kit("gateway")
    ledger.store.transact(lambda tx: tx.put("budgets", "b", {"cap": 1}), cause=Cause("w", "service:ledger"))
    reader = gateway.readers["ledger"]
    found = reader.get("budgets", "b")
    assert found is not None
    assert found.data == {"cap": 1}
    assert not hasattr(reader, "transact")


def test_a_clock_that_is_handed_in_is_everybodys(tmp_path: Path) -> None:
    clock = FakeClock()
    made = profiles.engines(embedded(tmp_path), ["ledger"], project_dir=tmp_path, clock=clock)
    assert made.kit("ledger").clock is clock
    made.bus.stop()
    made.close()


def test_the_data_folder_is_made_private_and_holds_nothing_else_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    assert prepared(folder) == folder.resolve()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    prepared(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_a_data_folder_that_cannot_be_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="AB_DATA_DIR") as error:
        prepared(tmp_path / "file" / "data")
    assert error.value.code == "data_unwritable"


def test_the_cloud_needs_a_project(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="AB_GCP_PROJECT"):
        profiles.engines(
            Settings.model_validate({"profile": "gcp", "data_dir": tmp_path}),
            ["ledger"],
            project_dir=tmp_path,
        )


def begin(root: Path, together: Barrier, told: Queue[str]) -> None:
    """One of five processes, on one fresh folder after the other."""
    for number in range(ROUNDS):
        folder = root / str(number)
        together.wait(30)
        try:
            SqliteBus(prepared(folder) / "bus.db", SystemClock(), RandomIds(), other_processes=True).stop()
            told.put("")
        except BaseException as error:  # noqa: BLE001 - whatever it was, the test says it
            told.put(f"{error!r} from {error.__cause__!r}")


def test_five_processes_may_begin_on_a_fresh_folder_at_the_same_moment(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    together, told = spawn.Barrier(len(READS)), spawn.Queue()
    processes = [spawn.Process(target=begin, args=(tmp_path, together, told)) for _ in READS]
    for process in processes:
        process.start()
    said = {told.get(timeout=50) for _ in range(ROUNDS * len(READS))}
    for process in processes:
        process.join(20)
    assert said == {""}
    assert (tmp_path / str(ROUNDS - 1) / "bus.db").exists()
