"""The way out as a process of its own: opens doors that other processes wrote down, and hands in what is seen there.

Read next: services/executor/egress/front.py (where connections come from), `doors.py` (what is shared).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from services.executor import repository
from services.executor.attempts.doors import (
    DoorRecord,
    Holder,
    Opening,
    door_of,
    part_key,
    save_door,
)
from services.executor.attempts.index_ways import to_index
from services.executor.attempts.notes import Notes
from services.executor.egress.authority import RunAuthority
from services.executor.egress.front import Front
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import Caps, EgressRun
from services.executor.egress.model_host import ModelDoor
from services.executor.ports import LocalSite
from services.executor.repository import DOORS
from services.executor.tapes.recording import Recording
from services.executor.tapes.renaming import Renaming
from services.executor.tapes.taped import Tapes
from services.executor.tapes.variation import Varied
from shared.clock import Clock, stamp
from shared.errors import Conflict, NotAllowed, ProjectError
from shared.records.executor import Run
from shared.records.gateway import Grant
from shared.store.port import Cause, Reader, Store, Tx
from shared.vault.envelope import Place, open_sealed
from shared.vault.keyring import Keyring

_ALIVE = ("queued", "running")
_LOOK_S = 5.0  # between two looks at doors that nobody closed: they end by the clock

log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Means:
    """What an outlet works with. ring: of openings. attempt_of: whose token it is; raises NotAuthenticated.
    reveal, model: as an attempt's Surroundings have them. index: where builders are led to. name: of this process
    among others."""

    name: str
    store: Store
    gateway: Reader
    clock: Clock
    tapes: Tapes
    egress: EgressGateway
    ring: Keyring
    attempt_of: Callable[[str], str]
    reveal: Callable[[Run, str, str], str]
    model: Callable[[Run], ModelDoor | None]
    index: LocalSite


@dataclass
class _Held:
    door: DoorRecord
    recording: Recording | None
    notes: Notes


class Outlet:
    """The front's gate. cut: set before `start`; told of every attempt whose connections must end."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.cut: Callable[[str], None] = lambda attempt_id: None
        self._held: dict[str, _Held] = {}
        self._opening: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watch = means.store.watch([DOORS], elsewhere=True)
        self._thread = threading.Thread(target=self._look, name="outlet", daemon=True)

    def start(self) -> None:
        """Begins to look for doors that were closed."""
        self._thread.start()

    def stop(self) -> None:
        """Hands in everything. Attempts that go on find the way again in another process."""
        self._stopping.set()
        self._watch.wake()
        self._thread.join()
        self._watch.close()
        for attempt_id in list(self._held):
            self._end(attempt_id)

    def admit(self, token: str) -> str:
        attempt_id = self._means.attempt_of(token)
        with self._lock:
            opening = self._opening.setdefault(attempt_id, threading.Lock())
        with opening:
            if attempt_id not in self._held:
                self._open(attempt_id)
        return attempt_id

    def join(self, attempt_id: str, connection: socket.socket) -> bool:
        return self._means.egress.join(attempt_id, connection)

    def _open(self, attempt_id: str) -> None:
        """Raises: NotAllowed, Unavailable."""
        means = self._means
        if self._stopping.is_set():
            raise Conflict("This way out is being closed.")
        door = door_of(means.store, attempt_id)
        if door is None:
            raise _over()
        if door.run_id:
            self._open_run(door)
        else:
            self._open_to_index(door)

    def _read(self, door: DoorRecord) -> Opening:
        text = open_sealed(door.sealed, Place(door.workspace_id, door.id, 1), self._means.ring)
        return Opening.model_validate_json(text)

    def _open_to_index(self, door: DoorRecord) -> None:
        means = self._means
        opening = self._read(door)
        if not opening.index:
            raise _over()
        door = self._hold(door)
        authority = RunAuthority(means.clock.now(), opening.authority.encode("ascii"))
        means.egress.open(to_index(door.id, means.index, _left(opening.caps, door), authority), None)
        self._held[door.id] = _Held(door, None, Notes(means.store, means.clock, door, means.name))

    def _open_run(self, door: DoorRecord) -> None:
        means = self._means
        run = repository.Runs(means.store).find(door.run_id)
        if run is None or run.attempt_id != door.id or run.status not in _ALIVE:
            raise _over()
        opening = self._read(door)
        grant_doc = means.gateway.get("grants", run.grant_id or "")
        grant = Grant.from_doc(grant_doc.data) if grant_doc else None
        if grant is None or grant.workspace_id != run.workspace_id:
            raise NotAllowed("Nobody has allowed this version to run.", code="no_grant")
        door = self._hold(door)
        try:
            recording = means.tapes.recording(run, opening.tape, opening.tape_prefix)
            notes = Notes(means.store, means.clock, door, means.name)
            out = self._egress_run(opening, door, run, grant, notes)
            means.egress.open(replace(out, tape=recording), None)
        except BaseException:
            self._hand_in(door, Holder(over=True))
            raise
        self._held[door.id] = _Held(door, recording, notes)

    def _hold(self, door: DoorRecord) -> DoorRecord:
        now = stamp(self._means.clock.now())

        def work(tx: Tx) -> DoorRecord:
            found = door_of(tx, door.id)
            if found is None or found.closed_at is not None or found.expires_at < now:
                raise _over()
            held = found.but(holders={**found.holders, self._means.name: Holder()})
            save_door(tx, held)
            return held

        return self._transact(door, work)

    def _egress_run(
        self, opening: Opening, door: DoorRecord, run: Run, grant: Grant, notes: Notes
    ) -> EgressRun:
        means = self._means
        hosts = {binding.name: binding.host for binding in opening.secrets}

        def reveal(name: str) -> str:
            return means.reveal(run, grant.secrets[name], hosts[name])

        varied = Varied(opening.variation, Renaming(opening.phrases, opening.numbers))
        return EgressRun(
            id=door.id,
            hosts=opening.hosts,
            record=notes.add,
            mode=opening.mode,
            secrets=opening.secrets,
            reveal=reveal,
            before_write=partial(repository.note_write, means.store, means.clock, run.id, door.id),
            decoys=opening.decoys,
            # Each is let through once: where another process may have done so, nobody does it again.
            allowed_writes=frozenset() if run.writes else frozenset(opening.allowed_writes),
            practice=opening.practice,
            pace=opening.pace,
            caps=_left(opening.caps, door),
            replay=means.tapes.replay(run, varied if opening.variation else None)
            if opening.replayed
            else None,
            model=means.model(run) if opening.asks_model else None,
            authority=RunAuthority(means.clock.now(), opening.authority.encode("ascii")),
        )

    def _look(self) -> None:
        while not self._stopping.is_set():
            self._watch.wait(_LOOK_S)
            for attempt_id in list(self._held):
                try:
                    if self._is_over(attempt_id):
                        self._end(attempt_id)
                except ProjectError as error:
                    log.warning("attempt %s: %s", attempt_id, error.detail)
                except Exception:
                    log.exception("attempt %s could not be looked at", attempt_id)

    def _is_over(self, attempt_id: str) -> bool:
        door = door_of(self._means.store, attempt_id)
        now = stamp(self._means.clock.now())
        return door is None or door.closed_at is not None or door.expires_at < now

    def _end(self, attempt_id: str) -> None:
        """Nothing of it is here afterwards, and everything it saw is where the executor finds it."""
        means = self._means
        with self._lock:
            held = self._held.pop(attempt_id, None)
            self._opening.pop(attempt_id, None)
        if held is None:
            return
        self.cut(attempt_id)
        means.egress.close(attempt_id)
        held.notes.close()
        key = None
        if held.recording is not None:
            key = part_key(held.door, means.name)
            means.tapes.keep_part(key, held.door.workspace_id, attempt_id, held.recording.part())
        seen = held.notes
        self._hand_in(
            held.door,
            Holder(over=True, tape=key, requests=seen.requests, moved_bytes=seen.moved_bytes),
        )

    def _hand_in(self, door: DoorRecord, over: Holder) -> None:
        def work(tx: Tx) -> None:
            found = door_of(tx, door.id)
            if found is not None:
                save_door(tx, found.but(holders={**found.holders, self._means.name: over}))

        self._transact(door, work)

    def _transact(self, door: DoorRecord, work: Callable[[Tx], _T]) -> _T:
        return self._means.store.transact(work, cause=Cause(door.workspace_id, "service:executor"))


def served(means: Means, listening: socket.socket) -> tuple[Outlet, Front]:
    """Neither is started."""
    outlet = Outlet(means)
    front = Front(outlet, listening)
    outlet.cut = front.cut
    return outlet, front


def _over() -> NotAllowed:
    return NotAllowed("This attempt is over.", code="attempt_over")


def _left(caps: Caps, door: DoorRecord) -> Caps:
    """What other processes have let pass counts as well."""
    requests = sum(holder.requests for holder in door.holders.values())
    moved = sum(holder.moved_bytes for holder in door.holders.values())
    return replace(
        caps,
        run_requests=max(0, caps.run_requests - requests),
        run_bytes=max(0, caps.run_bytes - moved),
    )
