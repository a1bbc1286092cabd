"""Ways out that lead through `executor-egress`: written down here, opened there; what is seen there is read here.

Read next: `outlet.py`, the other side.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from services.executor import repository
from services.executor.attempts.doors import (
    DoorRecord,
    Opening,
    door_of,
    expired_doors,
    notes_of,
    part_key,
    save_door,
)
from services.executor.attempts.sink import AttemptRecorder
from services.executor.egress.authority import RunAuthority
from services.executor.egress.model import EgressRun
from services.executor.ports import Superseded
from services.executor.repository import DOORS, NOTES
from services.executor.tapes.taped import Taped, Tapes
from shared.clock import Clock, moment, stamp
from shared.errors import DecodeError, NotFound
from shared.store.port import Cause, Store, Tx, Watch
from shared.vault.envelope import Place, seal
from shared.vault.keyring import Keyring

_SOON_S = 1.0
_LOOK_S = 5.0  # between two looks when no note comes: the sweep is due by the clock
_SWEEP_EVERY_S = 600.0
# After the run's own deadline: for whoever still hands in what was seen.
_MARGIN = timedelta(hours=1)

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class RemoteWays:
    """ring: what openings are sealed with. drain_s: how long `close` waits for whoever served the attempt to hand in
    what it saw. Starts its thread with the first way."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tapes: Tapes,
        ring: Keyring,
        drain_s: float = 30.0,
    ) -> None:
        self._drain_s = drain_s
        self._store = store
        self._clock = clock
        self._tapes = tapes
        self._ring = ring
        self._hearing: dict[str, AttemptRecorder] = {}
        # Notes that were heard and may be there still. Not by attempt: what was heard when another process took the
        # attempt over is new to the recorder that takes it back.
        self._heard: WeakKeyDictionary[AttemptRecorder, set[str]] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._watch: Watch | None = None
        self._swept_s: float | None = None

    def open(self, out: EgressRun, recorder: AttemptRecorder, listener: socket.socket) -> str:
        listener.close()
        authority = RunAuthority(self._clock.now())
        run, now = recorder.run, self._clock.now()
        opening = _opening(out, recorder.taped, authority)
        place = Place(run.workspace_id, out.id, 1)
        door = DoorRecord(
            id=out.id,
            workspace_id=run.workspace_id,
            run_id=run.id,
            agent_id=run.agent_id,
            sealed=seal(opening.model_dump_json(), place, self._ring),
            at=stamp(now),
            expires_at=stamp(max(now, moment(run.deadline_at)) + _MARGIN),
        )
        self._transact(door, lambda tx: save_door(tx, door))
        self.hear(recorder)
        return authority.ca_pem

    def hear(self, recorder: AttemptRecorder) -> None:
        with self._lock:
            self._hearing[recorder.attempt_id] = recorder
            if self._thread is None:
                self._thread = threading.Thread(target=self._hear, name="ways", daemon=True)
                self._thread.start()

    def let_go(self, attempt_id: str) -> None:
        with self._lock:
            self._hearing.pop(attempt_id, None)

    def close(self, recorder: AttemptRecorder) -> None:
        with self._lock:
            self._hearing.pop(recorder.attempt_id, None)
        door = self._closed(recorder.attempt_id)
        if door is None:
            return
        door = self._drained(door)
        self._read_notes(door.id, recorder)
        self._read_tapes(door, recorder.taped)
        run = repository.Runs(self._store).find(door.run_id)
        recorder.wrote = recorder.wrote or bool(run and run.wrote)

    def remove(self, attempt_id: str) -> None:
        self.let_go(attempt_id)
        door = door_of(self._store, attempt_id)
        if door is not None:
            self._remove(door)

    def forget(self, attempt_id: str) -> None:
        """What was written down of it goes with the sweep."""
        self.let_go(attempt_id)
        self._closed(attempt_id)

    def stop(self) -> None:
        self._stopping.set()
        if self._watch is not None:
            self._watch.wake()
        if self._thread is not None:
            self._thread.join()

    def _closed(self, attempt_id: str) -> DoorRecord | None:
        door = door_of(self._store, attempt_id)
        if door is None:
            return None
        now = stamp(self._clock.now())

        def work(tx: Tx) -> DoorRecord | None:
            found = door_of(tx, attempt_id)
            if found is None or found.closed_at is not None:
                return found
            save_door(tx, closed := found.but(closed_at=now))
            return closed

        return self._transact(door, work)

    def _drained(self, door: DoorRecord) -> DoorRecord:
        """Waits until every process that served it has handed in what it saw. One that does not in time is taken for
        dead: what it alone knew is lost, except for the writes, which were written down before they left."""
        until_s = self._clock.monotonic() + self._drain_s
        watch = self._store.watch([f"{DOORS}/{door.id}"], elsewhere=True)
        try:
            while not all(holder.over for holder in door.holders.values()):
                if self._clock.monotonic() > until_s:
                    log.warning("attempt %s: some of what left it is not known", door.id)
                    break
                watch.wait(_SOON_S)
                door = door_of(self._store, door.id) or door
        finally:
            watch.close()
        return door

    def _hear(self) -> None:
        watch = self._watch = self._store.watch([NOTES], elsewhere=True)
        try:
            while not self._stopping.is_set():
                watch.wait(_LOOK_S)
                self._hear_all()
                self._sweep()
        finally:
            watch.close()

    def _hear_all(self) -> None:
        with self._lock:
            hearing = list(self._hearing.items())
        for attempt_id, recorder in hearing:
            try:
                self._read_notes(attempt_id, recorder)
            except Superseded:
                log.info("attempt %s: another process hears it", attempt_id)
            except Exception:
                log.exception("attempt %s: what left it could not be read", attempt_id)

    def _read_notes(self, attempt_id: str, recorder: AttemptRecorder) -> None:
        """Each is heard once: it goes in the commit that keeps what it said, or as soon as the store answers."""
        with self._reading:
            heard = self._heard.setdefault(recorder, set())
            while found := notes_of(self._store, attempt_id):
                ids = [id for id, _ in found]
                with recorder.batch(partial(_gone, ids)):
                    for id, exchanges in found:
                        for exchange in exchanges if id not in heard else ():
                            recorder.exchange(exchange)
                        heard.add(id)
                heard.difference_update(ids)

    def _read_tapes(self, door: DoorRecord, taped: Taped) -> None:
        if taped.recording is None:
            return
        for holder in door.holders.values():
            if not holder.over:
                taped.recording.complete = False
            elif holder.tape is not None:
                try:
                    taped.recording.absorb(self._tapes.part(door.workspace_id, door.id, holder.tape))
                except (NotFound, DecodeError):
                    log.exception("attempt %s: a part of its tape is lost", door.id)
                    taped.recording.complete = False

    def _remove(self, door: DoorRecord) -> None:
        def work(tx: Tx) -> None:
            for id, _ in notes_of(self._store, door.id):
                tx.delete(NOTES, id)
            tx.delete(DOORS, door.id)

        self._transact(door, work)
        for name in door.holders:
            self._tapes.remove_part(part_key(door, name))

    def _sweep(self) -> None:
        now_s = self._clock.monotonic()
        if self._swept_s is not None and now_s - self._swept_s < _SWEEP_EVERY_S:
            return
        self._swept_s = now_s
        for door in expired_doors(self._store, stamp(self._clock.now())):
            self._remove(door)

    def _transact(self, door: DoorRecord, work: Callable[[Tx], _T]) -> _T:
        return self._store.transact(work, cause=Cause(door.workspace_id, "service:executor"))


def _gone(ids: list[str], tx: Tx) -> None:
    for id in ids:
        tx.delete(NOTES, id)


def _opening(out: EgressRun, taped: Taped, authority: RunAuthority) -> Opening:
    varied, recording = taped.varied, taped.recording
    return Opening(
        hosts=out.hosts,
        mode=out.mode,
        secrets=out.secrets,
        decoys=out.decoys,
        allowed_writes=tuple(sorted(out.allowed_writes)),
        practice=out.practice,
        pace=out.pace,
        caps=out.caps,
        asks_model=out.model is not None,
        authority=authority.keep().decode("ascii"),
        tape=taped.setting,
        tape_prefix=recording.shelf.prefix if recording else "",
        replayed=taped.replay is not None,
        variation=varied.kind if varied else "",
        phrases=varied.renaming.phrases if varied else {},
        numbers=varied.renaming.numbers if varied else {},
    )
