"""The store on Firestore: a named database per service, one commit = one batch with preconditions.

The emulator is found through FIRESTORE_EMULATOR_HOST by Google's client itself. Collections that begin with
`_` (outbox, inbox, claims) wake only watches of the process that committed; the others wake every process.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.field_path import FieldPath

from shared.clock import Clock, stamp
from shared.errors import Conflict, ProjectError
from shared.events.envelope import Envelope, Event
from shared.ids import Ids
from shared.store.firestore_changes import COMMIT_S, EXPIRES, ChangeFeed, FeedWatch, note
from shared.store.firestore_documents import (
    READ_S,
    FirestoreReader,
    Snapshot,
    answering,
    decode,
    document,
    encode,
    place,
)
from shared.store.firestore_shards import OUTBOX, UNSENT, shard_of
from shared.store.lanes import Held, Lanes
from shared.store.marks import INBOX, KEEP_MARKS
from shared.store.port import Cause, Document, Query, T, Tx
from shared.store.signal import Signal
from shared.store.together import Raced, Together, Write

_TRIES = 30
_TRIES_OF_CREATE = 4  # an existing document rarely goes away: fewer tries than for a lost race
_MAX_WAIT_S = 1.0  # decision 64 shows what it does to a crowd
_BATCH = 400  # deletes per commit of mark_sent


class _FirestoreTx:
    """Buffers writes and remembers what was read; `_write` turns both into one batch."""

    def __init__(
        self, reader: FirestoreReader, service: str, cause: Cause, clock: Clock, ids: Ids, held: Held
    ) -> None:
        self._reader = reader
        self._held = held
        self._service = service
        self._cause = cause
        self._clock = clock
        self._group = ids.new("evt")
        self.seen: dict[tuple[str, str], Snapshot] = {}
        self.writes: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
        self.events: list[Envelope] = []
        self.shared = False  # something read here is not committed yet

    @property
    def cause(self) -> Cause:
        return self._cause

    @property
    def empty(self) -> bool:
        return not self.writes and not self.events

    def get(self, collection: str, id: str) -> Document | None:
        self._held.enter((collection, id))
        before = self._held.load
        written = before.writes.get((collection, id)) if before is not None else None
        if written is not None and (collection, id) not in self.seen:
            self.shared = True
            return None if written.kind == "delete" else self._uncommitted(id, written)
        snapshot = self._reader.snapshot(collection, id)
        self.seen.setdefault((collection, id), snapshot)
        return document(snapshot) if snapshot.exists else None

    def _uncommitted(self, id: str, written: Write) -> Document:
        """What another transaction of this commit wrote; it stays so while this one lasts."""
        return Document(id, decode(written.fields), f"before-{self._group}")

    def query(self, query: Query) -> list[Document]:
        return self._reader.query(query)

    def put(self, collection: str, id: str, data: dict[str, Any]) -> None:
        kind = "create" if self.writes.get((collection, id), ("", {}))[0] == "create" else "put"
        self.writes[(collection, id)] = (kind, data)

    def create(self, collection: str, id: str, data: dict[str, Any]) -> None:
        self.writes[(collection, id)] = ("create", data)

    def delete(self, collection: str, id: str) -> None:
        self.writes[(collection, id)] = ("delete", {})

    def emit(self, event: Event, *, cause: Cause | None = None) -> str:
        """Ids of one commit share a stem and are numbered: the outbox sorts by commit time, then by id."""
        cause = cause or self._cause
        envelope = Envelope(
            id=f"{self._group}-{len(self.events):03}",
            source=f"/services/{self._service}",
            type=event.type(),
            subject=event.subject(),
            time=stamp(self._clock.now()),
            workspace_id=cause.workspace_id,
            actor=cause.actor,
            traceparent=cause.traceparent,
            data=event.model_dump(mode="json"),
        )
        self.events.append(envelope)
        return envelope.id


class FirestoreStore(FirestoreReader):
    def __init__(self, service: str, client: firestore.Client, clock: Clock, ids: Ids) -> None:
        super().__init__(client)
        self._service = service
        self._clock = clock
        self._ids = ids
        self._signal = Signal(clock)
        self._feed = ChangeFeed(client, self._signal, clock)
        self._lanes = Lanes(clock, self._carry_out)
        self._jitter = random.Random(ids.token())  # spreads retries; nothing to guess
        self._carry: Callable[[Sequence[Envelope]], bool] | None = None

    def transact(self, function: Callable[[Tx], T], *, cause: Cause) -> T:
        existed, alone = 0, False
        for attempt in range(_TRIES):
            with self._lanes.held(alone=alone) as held:
                try:
                    return self._tried(function, cause, held)
                except exceptions.AlreadyExists:
                    existed += 1
                    if existed == _TRIES_OF_CREATE:
                        break
                except Raced as raced:
                    existed, alone = 0, alone or raced.alone
                if not held.passed:  # else one of those behind pauses for all, and they wait for it
                    self._pause(attempt)
        raise Conflict("Somebody else changed this at the same time; read it again and retry.")

    def _tried(self, function: Callable[[Tx], T], cause: Cause, held: Held) -> T:
        tx = _FirestoreTx(self, self._service, cause, self._clock, self._ids, held)
        try:
            result = function(tx)
        except Exception as error:
            if tx.shared and not held.settled():
                raise Raced from error  # what it found wrong may never have been so
            raise
        self._commit(tx, held)
        return result

    def _pause(self, attempt: int) -> None:
        longest = min(_MAX_WAIT_S, 0.01 * 2.0**attempt)
        self._clock.wait(threading.Event(), self._jitter.uniform(0, longest))

    def _commit(self, tx: _FirestoreTx, held: Held) -> None:
        if tx.empty:
            if tx.shared and not held.settled():
                raise Raced
            return
        writes = {
            key: Write(kind, {} if kind == "delete" else self._fields(key, data), tx.seen.get(key))
            for key, (kind, data) in tx.writes.items()
        }
        events = {(OUTBOX, envelope.id): _sent(envelope) for envelope in tx.events}
        held.commit(Together(self._clock.monotonic(), writes, events), tx.seen.keys())
        touched = {collection for collection, _ in tx.writes} | ({OUTBOX} if tx.events else set())
        if tx.events and self._carry and self._carry(tx.events):
            touched.discard(OUTBOX)
        self._signal.notify(touched)

    def _carry_out(self, together: Together) -> None:
        """What may not be done together may be by each alone; only of those that share nothing the caller hears."""
        together.error = Raced()
        try:
            self._send(together)
            together.error = None
        except (exceptions.FailedPrecondition, exceptions.Aborted, exceptions.NotFound):
            self._lanes.collided(key for key, write in together.writes.items() if write.seen is not None)
        except (exceptions.AlreadyExists, exceptions.InvalidArgument) as error:
            if not self._outrun(together):
                together.error = Raced(alone=True) if together.members > 1 else error
        except (exceptions.GoogleAPICallError, ProjectError) as error:
            together.error = error
        finally:
            together.done.set()

    def _outrun(self, together: Together) -> bool:
        """Whether what it read has changed: two who count to the same number make the same document, too, and which
        of the two reasons Firestore gives is its own choice."""
        read = {key: write.seen for key, write in together.writes.items() if write.seen is not None}
        now = {key: self.snapshot(*key) for key in read}
        changed = [key for key, seen in read.items() if seen.update_time != now[key].update_time]
        self._lanes.collided(changed)
        return bool(changed)

    def _send(self, together: Together) -> None:
        batch = self.client.batch()
        for (collection, id), write in together.writes.items():
            where = place(self.client, collection, id)
            _write(batch, self.client, where, write.kind, write.fields, write.seen)
        for (collection, id), fields in together.created.items():
            batch.create(place(self.client, collection, id), fields)
        touched = {collection for collection, _ in together.writes}
        note(batch, self.client, touched, self._clock.now(), self._ids)
        with answering():
            # Never repeated by the client: after a lost answer the repetition would look like a lost race and
            # the function would run twice. The caller gets Unavailable and decides.
            batch.commit(retry=None, timeout=COMMIT_S)

    def _fields(self, key: tuple[str, str], data: dict[str, Any]) -> dict[str, Any]:
        collection, id = key
        return encode(id, data) | self._expiry(collection)

    def _expiry(self, collection: str) -> dict[str, Any]:
        return {EXPIRES: self._clock.now() + KEEP_MARKS} if collection == INBOX else {}

    def watch(self, collections: Sequence[str], *, elsewhere: bool = False) -> FeedWatch:
        watch = self._signal.watch(collections)
        if all(name.startswith("_") for name in collections):
            return FeedWatch(watch, None)
        self._feed.start()
        return FeedWatch(watch, self._feed)

    def on_emitted(self, carry: Callable[[Sequence[Envelope]], bool]) -> None:
        self._carry = carry

    def outbox(self, limit: int) -> list[Envelope]:
        rows = self._select(replace(UNSENT, limit=limit))
        with answering():
            return [Envelope.from_text(row.get("envelope")) for row in rows.stream(timeout=READ_S)]

    def mark_sent(self, event_ids: Sequence[str]) -> None:
        for start in range(0, len(event_ids), _BATCH):
            batch = self.client.batch()
            for id in event_ids[start : start + _BATCH]:
                batch.delete(place(self.client, OUTBOX, id))
            with answering():
                batch.commit(timeout=COMMIT_S)

    def forget_marks(self) -> None:
        """Nothing to do: terraform's TTL policy reads when each expires."""

    def scrub(self) -> None:
        """Nothing to do: Firestore has no files of ours, and deletes for good by itself."""

    def close(self) -> None:
        self._feed.close()
        self._signal.close()

    def disconnect(self) -> None:
        close: Callable[[], None] = self.client.close
        close()


def _sent(envelope: Envelope) -> dict[str, Any]:
    return {
        "envelope": envelope.text(),
        "committed_at": firestore.SERVER_TIMESTAMP,
        "shard": shard_of(envelope.id),
    }


def _write(
    batch: firestore.WriteBatch,
    client: firestore.Client,
    reference: firestore.DocumentReference,
    kind: str,
    fields: dict[str, Any],
    seen: Snapshot | None,
) -> None:
    """Adds one write, conditional on what the function saw of this document."""
    if kind == "create":
        batch.create(reference, fields)
    elif kind == "delete":
        _delete(batch, client, reference, seen)
    elif seen is None:
        batch.set(reference, fields)
    elif not seen.exists:
        batch.create(reference, fields)
    else:
        # `update` takes a precondition and `set` does not, so the fields that are gone are named.
        gone = dict.fromkeys((seen.to_dict() or {}).keys() - fields.keys(), firestore.DELETE_FIELD)
        named = {FieldPath(name).to_api_repr(): value for name, value in (gone | fields).items()}
        batch.update(reference, named, option=client.write_option(last_update_time=seen.update_time))


def _delete(
    batch: firestore.WriteBatch,
    client: firestore.Client,
    reference: firestore.DocumentReference,
    seen: Snapshot | None,
) -> None:
    if seen is None:
        batch.delete(reference)
    elif seen.exists:
        batch.delete(reference, option=client.write_option(last_update_time=seen.update_time))
    else:
        batch.delete(reference, option=client.write_option(exists=False))


class FirestoreDatabases:
    """`database` names the Firestore database of a service; by default they are called alike."""

    def __init__(
        self,
        project: str,
        clock: Clock,
        ids: Ids,
        *,
        database: Callable[[str], str] = lambda service: service,
    ) -> None:
        self._project = project
        self._clock = clock
        self._ids = ids
        self._database = database
        self._stores: dict[str, FirestoreStore] = {}
        self._lock = threading.Lock()

    def own(self, service: str) -> FirestoreStore:
        with self._lock:
            if service not in self._stores:
                client = firestore.Client(project=self._project, database=self._database(service))
                self._stores[service] = FirestoreStore(service, client, self._clock, self._ids)
            return self._stores[service]

    def read(self, service: str) -> FirestoreReader:
        return FirestoreReader(self.own(service).client)

    def watch(self, service: str, collections: Sequence[str]) -> FeedWatch:
        return self.own(service).watch(collections)

    def close(self) -> None:
        with self._lock:
            for store in self._stores.values():
                store.close()
                store.disconnect()
            self._stores.clear()


__all__ = ["FirestoreDatabases", "FirestoreReader", "FirestoreStore"]
