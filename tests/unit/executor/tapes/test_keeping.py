"""Tapes are kept a month, with their agent, with their workspace's key, and no longer; a replay starts as then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor import repository
from services.executor.egress.model import EgressRun, PracticeSetting
from services.executor.ports import Order
from services.executor.tapes import retention
from services.executor.tapes.keys import TapeKeys
from services.executor.tapes.taped import Subject, Taped, Tapes
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock, stamp
from shared.errors import NotFound
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.records.tapes import TapeRecord, TapeSetting
from shared.store.port import Cause, Query
from shared.store.sqlite import SqliteDatabases
from shared.vault.keyfile import load_keyring
from tests.unit.executor.tapes.taping import exchange

CAUSE = Cause("wsp_1", "service:executor")
ROOT = Path(__file__).parents[4]


class Room:
    """The executor's tapes on a real store and real files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock, self.ids = FakeClock(), SeededIds()
        self.databases = SqliteDatabases(folder, self.clock, self.ids)
        self.store = self.databases.own("executor")
        self.blobs = FileBlobs(folder / "blobs", self.ids)
        self.keys = TapeKeys(self.store, load_keyring(folder / "vault.key"), self.ids, self.clock)
        self.spool = folder / "tape-spool"
        self.clock_files = (folder / "time_machine",)
        self.tapes = Tapes(
            self.store, self.blobs, self.clock, self.ids, self.keys, self.spool, self.clock_files
        )

    def run(self, id: str = "run_1", **more: object) -> Run:
        given = {"id": id, "workspace_id": "wsp_1", "agent_id": "agent_1", "version_id": "ver_1"}
        times = {"requested_at": stamp(self.clock.now()), "deadline_at": stamp(self.clock.now())}
        state = {"kind": "manual", "status": "running", "attempt": 1, "attempt_id": f"att_{id}"}
        return Run.model_validate({**given, **times, **state, **more})

    def begin(self, run: Run, setting: TapeSetting = "full") -> Taped:
        return self.tapes.begin(run, Subject("ver_1", "env_1", setting, PracticeSetting(), "ko"))

    def recorded(self, run: Run, answered: bytes = b"answer") -> TapeRecord:
        taped = self.begin(run)
        taped.order(
            Order(run.attempt_id or "", self.folder, now="2026-01-05T09:00:00", timezone="Asia/Seoul")
        )
        assert taped.recording is not None
        for n in range(30):
            exchange(taped.recording, answered=answered + b"%d" % n)
        record = taped.finish(1)
        assert record is not None
        self.store.transact(lambda tx: retention.put_away(tx, record, stamp(self.clock.now())), cause=CAUSE)
        return record

    def kept(self) -> set[str]:
        return {found.id for found in self.store.query(Query(repository.TAPES, limit=100))}

    def files(self) -> int:
        return len(list(self.blobs.list("executor/tapes/")))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.tapes.close()
    made.databases.close()


def test_a_tape_is_kept_a_month_and_its_bodies_a_little_longer(room: Room) -> None:
    room.recorded(room.run())
    room.clock.advance(days=29)
    room.tapes.sweep()
    assert room.kept() == {"att_run_1"}

    room.clock.advance(days=2)
    room.tapes.sweep()
    assert room.kept() == set()
    assert room.files() == 30, "the bodies may be another tape's"
    room.clock.advance(days=60)
    room.tapes.sweep()
    assert room.files() == 0


def test_bodies_that_a_younger_tape_points_to_stay(room: Room) -> None:
    room.clock.advance(
        days=retention.PERIOD_DAYS - room.clock.now().timestamp() / 86400 % retention.PERIOD_DAYS - 0.5
    )
    room.recorded(room.run("run_1"))
    young = room.recorded(room.run("run_2"))
    room.clock.advance(days=29)
    room.tapes.sweep()

    assert "att_run_2" in room.kept()
    entries = room.tapes.content(young).entries
    assert all(room.blobs.info(f"{young.prefix}/b-{entry.answer_body}") for entry in entries)


def test_an_agents_tapes_go_with_it_and_anothers_stay(room: Room) -> None:
    room.recorded(room.run("run_1"))
    room.recorded(room.run("run_2", agent_id="agent_2"))
    before = room.files()

    for _ in range(2):
        retention.remove_of_agent(room.store, room.blobs, room.clock, "wsp_1", "agent_1")

    assert room.kept() == {"att_run_2"}
    assert room.files() == before // 2


def test_a_workspaces_tapes_go_with_it(room: Room) -> None:
    room.recorded(room.run("run_1"))
    room.recorded(room.run("run_2", workspace_id="wsp_2"))

    retention.remove_of_workspace(room.store, room.blobs, room.clock, "wsp_1")

    assert room.kept() == {"att_run_2"}
    assert room.files() == 31


def test_a_tape_whose_key_was_destroyed_while_it_was_recorded_is_not_kept(room: Room) -> None:
    taped = room.begin(room.run())
    assert taped.recording is not None
    for _ in range(30):
        exchange(taped.recording, answered=b"answer")
    record = taped.finish(1)
    room.store.transact(lambda tx: tx.delete(repository.TAPE_KEYS, "wsp_1"), cause=CAUSE)
    room.keys.forget("wsp_1")
    room.keys.key("wsp_1")  # the workspace begins again

    room.store.transact(lambda tx: retention.put_away(tx, record, "2026-01-05"), cause=CAUSE)

    assert room.kept() == set()
    assert record is not None
    assert repository.leftovers(room.store, 10) == [record.index_key]


@pytest.mark.parametrize("deleted", [None, "2026-01-05T00:00:00.000000Z"])
def test_a_tape_of_an_agent_that_was_deleted_meanwhile_is_not_kept(room: Room, deleted: str | None) -> None:
    gateway = room.databases.own("gateway")
    gateway.transact(lambda tx: tx.put("agents", "agent_1", {"deleted_at": deleted}), cause=CAUSE)
    taped = room.begin(room.run())
    assert taped.recording is not None
    exchange(taped.recording, answered=b"answer")

    record = room.tapes.finish(taped, gateway)

    assert (record is None) == (deleted is not None)
    assert room.files() == (0 if deleted else 1)


def test_each_workspace_has_a_key_of_its_own_and_keeps_it(room: Room) -> None:
    one, other = room.keys.key("wsp_1"), room.keys.key("wsp_2")
    assert one.key != other.key

    again = TapeKeys(room.store, load_keyring(room.folder / "vault.key"), SeededIds(9), room.clock)
    assert again.key("wsp_1") == one


def test_a_replay_starts_as_the_recorded_run_did(room: Room) -> None:
    room.recorded(room.run(input={"day": 3}))
    room.clock.advance(days=3)
    replayed = room.run("run_2", kind="replay", replay_of="run_1", input="something else")
    taped = room.begin(replayed)
    order = taped.order(Order("att_run_2", room.folder, now="later", warm_key="warm", input="something else"))

    first = room.tapes.tape_of("run_1")
    assert first is not None
    head = room.tapes.content(first).head
    assert (order.input, order.now, order.timezone) == ({"day": 3}, "2026-01-05T09:00:00", "Asia/Seoul")
    assert order.clock == head.clock == FakeClock().now().timestamp()
    assert order.warm_key == ""
    assert taped.chance.seed.hex() == head.seed
    assert order.mounts == {"/clock/time_machine": room.clock_files[0]}
    out = taped.egress(EgressRun("att_run_2", (), lambda exchange: None))
    assert out.replay is not None
    assert out.tape is not None, "a replay is recorded too, to be compared"


def test_two_attempts_never_have_the_same_chance(room: Room) -> None:
    one, other = room.begin(room.run("run_1")), room.begin(room.run("run_2"))

    assert one.chance.seed != other.chance.seed
    assert len(one.chance.for_code()) == 32
    assert one.chance.for_code() != one.chance.seed, "the code must not know what its placeholders come from"


@pytest.mark.parametrize("missing", ["tape", "key", "index", "workspace"])
def test_nothing_is_replayed_when_the_tape_cannot_be_read(room: Room, missing: str) -> None:
    record = room.recorded(room.run())
    if missing == "tape":
        room.store.transact(lambda tx: tx.delete(repository.TAPES, record.id), cause=CAUSE)
    if missing == "key":
        room.store.transact(lambda tx: tx.delete(repository.TAPE_KEYS, "wsp_1"), cause=CAUSE)
        room.keys.forget("wsp_1")
    if missing == "index":
        room.blobs.delete(record.index_key or "")
    other = "wsp_2" if missing == "workspace" else "wsp_1"
    with pytest.raises(NotFound):
        room.begin(room.run("run_2", kind="replay", replay_of="run_1", workspace_id=other))


DIE = """
import sys
from pathlib import Path
from tests.unit.executor.tapes.test_keeping import Room, exchange
room = Room(Path(sys.argv[1]))
room.recorded(room.run("run_whole"))
taped = room.begin(room.run("run_cut"))
exchange(taped.recording, answered=b"of the cut run")
take = taped.recording.take()
take.asked("GET", "/", [])
take.got(b"x" * 500_000)
assert taped.recording.shelf.spool.settle()
print("now", flush=True)
sys.stdin.read()
"""


def test_a_killed_recording_is_swept_and_a_finished_one_is_whole(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", DIE, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"now\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()

    room = Room(tmp_path)
    assert list(room.spool.iterdir()), "it died while a body was half written"
    room.tapes.clear()
    assert not room.spool.exists()
    assert room.kept() == {"att_run_whole"}
    record = room.tapes.tape_of("run_whole")
    assert record is not None
    assert record.complete
    assert len(room.tapes.content(record).entries) == 30
    room.clock.advance(days=91)
    room.tapes.sweep()
    assert room.files() == 0, "what the cut one left goes with its period"
    room.databases.close()
