"""The recorder of an attempt that outlives this process: what it heard is in the store before anybody is told so.

Feed entries, what is remembered for the end, and the sandbox's mark stand in one commit, so each report counts once
whichever process hears it. Why: docs/decisions/0052.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.executor import repository
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.left_out import LeftOut
from services.executor.attempts.sink import AttemptRecorder, Entry, joined
from services.executor.attempts.under_way import HeardSoFar, Keeping, NotTaken, UnderWay
from services.executor.ports import Ended, Mark, Superseded
from services.executor.repository import UNDER_WAY
from services.executor.tapes.taped import Taped
from shared.clock import Clock, stamp
from shared.records.executor import Run
from shared.store.port import Cause, Store, Tx
from shared.telemetry.watching import Watching


@dataclass(frozen=True)
class _Save:
    """One commit: tried until it stands, with the same content. heard: how many entries of the buffer are in it."""

    record: UnderWay
    entries: list[Entry]
    heard: int
    also: tuple[Callable[[Tx], None], ...]


class LastingRecorder(AttemptRecorder):
    """known: what an earlier process heard; None: it begins here. on_superseded: told when another process hears it,
    and nothing that comes after counts."""

    lasts = True

    def __init__(
        self,
        run: Run,
        store: Store,
        clock: Clock,
        decoys: DecoyWatch,
        taped: Taped,
        watching: Watching,
        *,
        keeping: Keeping,
        known: UnderWay | None,
        on_ended: Callable[[AttemptRecorder, Ended], None],
        on_superseded: Callable[[AttemptRecorder], None],
    ) -> None:
        super().__init__(
            run, store, clock, decoys, taped, watching, on_buffered=lambda: None, on_ended=on_ended
        )
        self._keeping = keeping
        self._on_superseded = on_superseded
        self._batch = threading.RLock()
        self._now: Callable[[], Mark] = dict
        self._mark: Mark = {}
        self._saves = 0
        self._unsaved: _Save | None = None
        if known is not None:
            self._go_on(known)

    def begin(self) -> None:
        """Before anything of it may run. Raises: Unavailable."""
        self._keeping.begin(self._record())

    def marked(self, now: Callable[[], Mark]) -> Mark:
        self._now = now
        return self._mark

    @contextmanager
    def batch(self, also: Callable[[Tx], None] | None = None) -> Iterator[None]:
        with self._batch:
            yield
            if self._unsaved is not None:  # whose answer was lost
                self._write(self._unsaved)
            self._saves += 1
            with self._lock:
                heard = list(self._entries)
            self._unsaved = _Save(self._record(), joined(heard), len(heard), (also,) if also else ())
            self._write(self._unsaved)

    def demand_ours(self) -> None:
        try:
            self._keeping.demand(self.attempt_id)
        except Superseded:
            self._on_superseded(self)
            raise

    def pending(self) -> bool:
        """Batches write it."""
        return False

    def hurry(self, *, full: bool) -> None:
        return None

    def _write(self, save: _Save) -> None:
        now = stamp(self._clock.now())

        def work(tx: Tx) -> None:
            found = self._keeping.held(tx, self.attempt_id)
            if found.saves >= save.record.saves:
                return
            tx.put(UNDER_WAY, self.attempt_id, save.record.to_doc())
            if save.entries:
                repository.append(tx, self.run, save.entries, now)
            for also in save.also:
                also(tx)

        try:
            self._store.transact(work, cause=self.cause)
        except Superseded:
            self._on_superseded(self)
            raise
        with self._lock:
            del self._entries[: save.heard]
            self._bytes = 0
        self._mark = save.record.mark
        self._unsaved = None

    def _record(self) -> UnderWay:
        with self._lock:
            heard = HeardSoFar(
                steps=self._steps,
                deliveries=tuple(self.deliveries),
                refusals=tuple(self.refusals),
                would_send=tuple(self.would_send),
                hosts=tuple(self.hosts.values()),
                requests=tuple(self.requests),
                problems=tuple(NotTaken(name=one.name, code=one.code) for one in self.problems),
                text_bytes=self._text_bytes,
                body_bytes=self._body_bytes,
                error_tail=self.error_tail,
                wrote=self.wrote,
                decoy=self.decoys.seen,
                tails={name: base64.b64encode(tail).decode() for name, tail in self.decoys.tails.items()},
            )
        return UnderWay(
            id=self.attempt_id,
            workspace_id=self.run.workspace_id,
            run_id=self.run.id,
            holder=self._keeping.life,
            begun_at=self.begun_at,
            began_ns=self._began_ns,
            traceparent=self.cause.traceparent,
            saves=self._saves,
            mark=dict(self._now()),
            taped=self.taped.so_far(),
            heard=heard,
        )

    def _go_on(self, known: UnderWay) -> None:
        heard = known.heard
        self.begun_at, self._began_ns = known.begun_at, known.began_ns
        self.cause = Cause(self.run.workspace_id, f"agent:{self.run.agent_id}", known.traceparent)
        self._saves, self._mark = known.saves, known.mark
        self._steps = heard.steps
        self.deliveries, self.refusals = list(heard.deliveries), list(heard.refusals)
        self.would_send, self.requests = list(heard.would_send), list(heard.requests)
        self.hosts = {(one.host, one.verdict): one for one in heard.hosts}
        self.problems = [LeftOut(one.name, one.code) for one in heard.problems]
        self._text_bytes, self._body_bytes = heard.text_bytes, heard.body_bytes
        self.error_tail = heard.error_tail
        self.wrote = self.wrote or heard.wrote
        self.decoys.go_on(heard.decoy, {name: base64.b64decode(tail) for name, tail in heard.tails.items()})
        self.taped.go_on(known.taped)
