"""Who changed what, as a collection: every commit to a watched kind of collection leaves one small note.

One listener per database serves every watch of this process. It asks for notes newer than a moment, so a
broken stream catches up by itself and nothing is lost; watching the collections would read them whole.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.clock import Clock
from shared.ids import Ids
from shared.store.firestore_documents import READ_S, answering
from shared.store.firestore_shards import IN_SHARDS, SHARDS, shard_of
from shared.store.port import Query, Where
from shared.store.signal import Signal, SignalWatch

CHANGES = "_changes"
EXPIRES = "expires_at"  # the field of terraform's TTL policies
COMMIT_S = 20.0
QUERIES = (
    Query(CHANGES, (IN_SHARDS, Where("at", ">=", "")), order_by="at"),
    Query(CHANGES, (IN_SHARDS,), order_by="at", descending=True),
)
# A note carries the moment its commit began, so it may appear this long after newer ones: the longest a
# commit may take, and some more.
_OVERLAP = timedelta(seconds=COMMIT_S + 10)
_KEEP = timedelta(hours=1)  # and then within a day: TTL policies take their time
_CHECK_S = 5.0
_RENEW_AFTER = 2000  # notes; the client keeps every document of a listened query in memory


def note(
    batch: firestore.WriteBatch, client: firestore.Client, collections: set[str], now: datetime, ids: Ids
) -> None:
    """Part of a commit. Collections whose name begins with `_` are a process's own and leave no note."""
    shown = sorted(name for name in collections if not name.startswith("_"))
    if shown:
        id = ids.new("chg")
        said = {"collections": shown, "shard": shard_of(id)}
        times = {"at": firestore.SERVER_TIMESTAMP, EXPIRES: now + _KEEP}
        batch.create(client.collection(CHANGES).document(id), said | times)


class ChangeFeed:
    """Turns notes into wake-ups of one Signal. Listens from the first watch until `close`."""

    def __init__(self, client: firestore.Client, signal: Signal, clock: Clock) -> None:
        self._client = client
        self._signal = signal
        self._clock = clock
        self._lock = threading.Lock()
        self._stream: Any = None
        self._newest: datetime | None = None
        self._notes = 0
        self._checked = clock.monotonic()

    def start(self) -> None:
        """Idempotent. What is committed after it returns will wake."""
        with self._lock:
            if self._stream is None:
                self._open(self._server_time() - _OVERLAP)

    def check(self) -> None:
        """Mends a stream that ended, and wakes everybody when a note exists that the stream never showed."""
        with self._lock:
            now = self._clock.monotonic()
            if self._stream is None or now - self._checked < _CHECK_S:
                return
            self._checked = now
            missed = self._missed()
            if missed or self._notes > _RENEW_AFTER or not self._stream.is_active:
                old = self._stream
                self._open(self._server_time() - _OVERLAP)
                old.unsubscribe()
        if missed:
            self._signal.notify(None)

    def close(self) -> None:
        with self._lock:
            if self._stream is not None:
                self._stream.unsubscribe()
                self._stream = None

    def _open(self, since: datetime) -> None:
        self._notes = 0
        newer = self._notes_of_all().where(filter=FieldFilter("at", ">=", since))
        self._stream = newer.order_by("at").on_snapshot(self._changed)

    def _notes_of_all(self) -> Any:
        notes: Any = self._client.collection(CHANGES)
        return notes.where(filter=FieldFilter("shard", "in", list(SHARDS)))

    def _changed(self, _documents: Any, changes: Any, _read_time: Any) -> None:
        touched: set[str] = set()
        for change in changes:
            if change.type.name == "ADDED":
                touched.update(change.document.get("collections"))
                self._newest = max(self._newest or change.document.get("at"), change.document.get("at"))
        self._notes += len(changes)
        self._signal.notify(touched)

    def _missed(self) -> bool:
        newest = self._notes_of_all().order_by("at", direction=firestore.Query.DESCENDING).limit(1)
        try:
            found = [snapshot.get("at") for snapshot in newest.stream(timeout=READ_S)]
        except exceptions.GoogleAPICallError:
            return False
        if not found or (self._newest is not None and found[0] <= self._newest):
            return False
        self._newest = found[0]
        return True

    def _server_time(self) -> datetime:
        with answering():
            moment: datetime = self._client.collection(CHANGES).document("none").get(timeout=READ_S).read_time
        return moment


class FeedWatch:
    """A SignalWatch that looks after the feed whenever it waited in vain."""

    def __init__(self, watch: SignalWatch, feed: ChangeFeed | None) -> None:
        self._watch = watch
        self._feed = feed

    def wait(self, timeout_s: float) -> bool:
        if self._watch.wait(timeout_s):
            return True
        if self._feed is not None:
            self._feed.check()
        return self._watch.wait(0)

    def wake(self) -> None:
        self._watch.wake()

    def close(self) -> None:
        self._watch.close()
