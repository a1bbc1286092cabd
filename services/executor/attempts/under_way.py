"""What is known of attempts that outlive the process which hears them: one document each, written with the feed.

Why: docs/decisions/0052. Read next: lasting_sink.py, which fills it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from services.executor import repository
from services.executor.model import FINISHED, Refusal
from services.executor.ports import Superseded
from services.executor.repository import UNDER_WAY
from services.executor.tapes.taped import TapedSoFar
from shared.errors import Conflict, Unavailable
from shared.records import Record, Shape
from shared.records.executor import HostContact, OutsideRequest, QueuedDelivery
from shared.store.port import Cause, Query, Store, Tx

_AT_ONCE = 1000
_CAUSE = Cause("", "service:executor")


class NotTaken(Shape):
    """As `LeftOut`."""

    name: str
    code: str


class HeardSoFar(Shape):
    """Of `AttemptRecorder`. tails: the end of each stream, base64, where a decoy may have begun."""

    steps: int = 0
    deliveries: tuple[QueuedDelivery, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    would_send: tuple[dict[str, Any], ...] = ()
    hosts: tuple[HostContact, ...] = ()
    requests: tuple[OutsideRequest, ...] = ()
    problems: tuple[NotTaken, ...] = ()
    text_bytes: int = 0
    body_bytes: int = 0
    error_tail: str = ""
    wrote: bool = False
    decoy: str = ""
    tails: dict[str, str] = {}


class UnderWay(Record):
    """id = attempt id. holder: the process that hears it; whoever is asked for it becomes that. saves: counts what was
    written down, so that it is written once when an answer is lost. mark: the sandbox's."""

    run_id: str
    holder: str
    begun_at: str
    began_ns: int
    traceparent: str
    saves: int = 0
    mark: dict[str, Any] = {}
    taped: TapedSoFar
    heard: HeardSoFar = HeardSoFar()


class Keeping:
    """life: this process's name among others that may hear attempts. key: the seeds of attempts follow from it, so
    that each process gives an attempt the same placeholders and decoys and none need be stored."""

    def __init__(self, store: Store, life: str, key: bytes) -> None:
        self._store = store
        self._key = key
        self.life = life

    def seed(self, attempt_id: str) -> bytes:
        return hmac.new(self._key, attempt_id.encode(), hashlib.sha256).digest()

    def find(self, attempt_id: str) -> UnderWay | None:
        found = self._store.get(UNDER_WAY, attempt_id)
        return UnderWay.from_doc(found.data) if found else None

    def take(self, attempt_id: str) -> UnderWay | None:
        """This process hears it from now on. None: nobody has begun it, or it is over."""

        def work(tx: Tx) -> UnderWay | None:
            found = tx.get(UNDER_WAY, attempt_id)
            if found is None:
                return None
            taken = UnderWay.from_doc(found.data | {"holder": self.life})
            tx.put(UNDER_WAY, attempt_id, taken.to_doc())
            return taken

        return self._store.transact(work, cause=_CAUSE)

    def begin(self, record: UnderWay) -> None:
        """Raises: Unavailable when another process has begun it just now: then it is to be taken up."""
        try:
            self._store.transact(lambda tx: tx.create(UNDER_WAY, record.id, record.to_doc()), cause=_CAUSE)
        except Conflict as error:
            raise Unavailable("Another process has begun this attempt.") from error

    def held(self, tx: Tx, attempt_id: str) -> UnderWay:
        """Within the commit that goes on from it. Raises: Superseded."""
        found = tx.get(UNDER_WAY, attempt_id)
        if found is None or found.data["holder"] != self.life:
            raise Superseded("Another process of the executor hears this attempt.")
        return UnderWay.from_doc(found.data)

    def demand(self, attempt_id: str) -> None:
        """Raises: Superseded, Unavailable."""
        found = self._store.get(UNDER_WAY, attempt_id)
        if found is None or found.data["holder"] != self.life:
            raise Superseded("Another process of the executor hears this attempt.")

    def drop(self, attempt_id: str) -> None:
        """Also one that is not there."""
        self._store.transact(lambda tx: tx.delete(UNDER_WAY, attempt_id), cause=_CAUSE)

    def living(self) -> set[str]:
        """Attempts that may go on, whoever hears them; what is left of others is dropped. So many at once."""
        found = self._store.query(Query(UNDER_WAY, order_by="begun_at", limit=_AT_ONCE))
        living = set()
        for one in found:
            run = repository.Runs(self._store).find(one.data["run_id"])
            if run is not None and run.attempt_id == one.id and run.status not in FINISHED:
                living.add(one.id)
            else:
                self.drop(one.id)
        return living
