"""Dead letters in the database of the service that refused them; for buses that keep none themselves."""

from __future__ import annotations

from collections.abc import Sequence

from shared.bus.port import DeadLetter
from shared.clock import Clock, stamp
from shared.errors import NotFound
from shared.events.envelope import Envelope
from shared.ids import derived
from shared.store.port import Cause, Databases, Query

DEAD = "_dead"
NEWEST = Query(DEAD, order_by="at", descending=True)


class StoredLetters:
    """`services`: those whose letters are listed, whether or not they run in this process."""

    def __init__(self, databases: Databases, services: Sequence[str], clock: Clock) -> None:
        self._databases = databases
        self._services = tuple(services)
        self._clock = clock

    def bury(self, service: str, envelope: Envelope, reason: str) -> None:
        """Idempotent: one letter per service and event, holding the newest reason."""
        letter = {"at": stamp(self._clock.now()), "reason": reason, "envelope": vars(envelope)}
        id = derived("dead", service, envelope.source, envelope.id)
        self._databases.own(service).transact(lambda tx: tx.put(DEAD, id, letter), cause=_cause(service))

    def remove(self, service: str, id: str) -> None:
        self._databases.own(service).transact(lambda tx: tx.delete(DEAD, id), cause=_cause(service))

    def newest(self, limit: int) -> list[DeadLetter]:
        found = [
            DeadLetter(d.id, service, d.data["reason"], d.data["at"], Envelope(**d.data["envelope"]))
            for service in self._services
            for d in self._databases.read(service).query(
                Query(DEAD, order_by="at", descending=True, limit=limit)
            )
        ]
        return sorted(found, key=lambda letter: letter.at, reverse=True)[:limit]

    def one(self, id: str) -> DeadLetter:
        """Raises NotFound."""
        for service in self._services:
            found = self._databases.read(service).get(DEAD, id)
            if found is not None:
                envelope = Envelope(**found.data["envelope"])
                return DeadLetter(id, service, found.data["reason"], found.data["at"], envelope)
        raise NotFound("No such dead letter.")


def _cause(service: str) -> Cause:
    return Cause("", f"service:{service}")
