"""Claims on executions: written before Google is asked to start one, so that it is never asked twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.executor import repository
from services.executor.ports import EndReason
from shared.clock import Clock, stamp
from shared.errors import Conflict
from shared.store.port import Cause, Document, Store, Tx

_CAUSE = Cause("", "service:executor")
_SWEPT_AT_ONCE = 1000
_KEPT = timedelta(days=1)  # the longest attempt takes an hour


@dataclass(frozen=True)
class Claim:
    """execution: its name at Google; "" when no answer named it. stop: why it is to end; None: nobody said so."""

    attempt_id: str
    job: str
    execution: str
    stop: EndReason | None = None


class Claims:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def make(self, attempt_id: str, job: str) -> bool:
        """False: there is one already, and whatever it led to must not be led to again."""
        about = {"job": job, "execution": "", "at": stamp(self._clock.now())}
        try:
            self._store.transact(lambda tx: tx.create(repository.EXECUTIONS, attempt_id, about), cause=_CAUSE)
        except Conflict:
            return False
        return True

    def name(self, attempt_id: str, execution: str) -> None:
        def write(tx: Tx) -> None:
            found = tx.get(repository.EXECUTIONS, attempt_id)
            if found is not None:
                tx.put(repository.EXECUTIONS, attempt_id, found.data | {"execution": execution})

        self._store.transact(write, cause=_CAUSE)

    def stop(self, attempt_id: str, reason: EndReason) -> Claim | None:
        """Written down, so that whoever hears the attempt next ends it as well. The first reason stands. None: there
        is no claim."""

        def write(tx: Tx) -> Claim | None:
            found = tx.get(repository.EXECUTIONS, attempt_id)
            if found is None:
                return None
            if not found.data.get("stop"):
                tx.put(repository.EXECUTIONS, attempt_id, found.data | {"stop": reason})
            return _claim(found)

        return self._store.transact(write, cause=_CAUSE)

    def find(self, attempt_id: str) -> Claim | None:
        found = self._store.get(repository.EXECUTIONS, attempt_id)
        return _claim(found) if found else None

    def take_back(self, attempt_id: str) -> None:
        """Nothing began, or all of it is over and written down. May be called twice."""
        self._store.transact(lambda tx: tx.delete(repository.EXECUTIONS, attempt_id), cause=_CAUSE)

    def forget_old(self) -> None:
        """Those of a day ago, whose attempts nobody asks for any more; so many at once."""
        before = stamp(self._clock.now() - _KEPT)
        for one in repository.executions(self._store, before, _SWEPT_AT_ONCE):
            self.take_back(one.id)

    def all(self) -> list[Claim]:
        """The oldest first, so many at once."""
        later = stamp(self._clock.now() + _KEPT)
        found = repository.executions(self._store, later, _SWEPT_AT_ONCE)
        return [_claim(one) for one in found]


def _claim(found: Document) -> Claim:
    return Claim(found.id, found.data["job"], found.data["execution"], found.data.get("stop"))
