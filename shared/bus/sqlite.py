"""The bus on SQLite: one log of events, one cursor per service, retries and dead letters beside it.

A cursor is kept in memory and saved when there is a pause: after a kill some events come again, which every
handler survives.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from shared.bus.disorder import Disorder
from shared.bus.port import Awaits, DeadLetter, Received, Receiver
from shared.clock import Clock, moment, stamp
from shared.errors import NotFound, Unavailable
from shared.events.envelope import Envelope
from shared.ids import Ids

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    n INTEGER PRIMARY KEY, topic TEXT NOT NULL, at TEXT NOT NULL, envelope TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cursors (service TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS retries (
    n INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, due_at TEXT NOT NULL, tries INTEGER NOT NULL,
    envelope TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS retries_due ON retries (service, due_at);
CREATE TABLE IF NOT EXISTS dead (
    id TEXT PRIMARY KEY, service TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,
    envelope TEXT NOT NULL);
"""
_BATCH = 64
_HANDED = 1000  # events a consumer may have before it in memory; then it reads the log again
_POLL_S = 0.02  # only where other processes publish into the same file
_IDLE_S = 5.0
_SAVE_S = 0.5
_UNKNOWN = ""  # sorts before every time: look
_GIVE_UP_S = 600  # design, section 4
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 30.0
_KEEP = timedelta(hours=1)  # a service that subscribes for the first time still finds the last hour

log = logging.getLogger(__name__)


class SqliteBus:
    """`other_processes`: poll the file for their events too. `disorder`: deliver doubled and shuffled."""

    local = True

    def __init__(
        self,
        path: Path,
        clock: Clock,
        ids: Ids,
        *,
        other_processes: bool = False,
        disorder: Disorder | None = None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._poll = other_processes
        self._disorder = disorder
        self._lock = threading.Lock()
        self._connection = _open(path)
        self._consumers: list[_Consumer] = []
        self._stopping = threading.Event()

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        if not envelopes:
            return
        now = stamp(self._clock.now())
        values = [value for e in envelopes for value in (e.topic, now, e.text())]
        marks = ", ".join(["(?, ?, ?)"] * len(envelopes))
        insert = f"INSERT INTO events (topic, at, envelope) VALUES {marks}"  # noqa: S608 - marks only
        try:
            with self._lock:
                newest = self._connection.execute(insert, values).lastrowid or 0
                numbered = list(enumerate(envelopes, newest - len(envelopes) + 1))
                for consumer in self._consumers:
                    consumer.offer(numbered)
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:  # the latter: it has stopped
            raise Unavailable(f"the event log did not take the events: {error}") from error
        for consumer in self._consumers:
            if any(map(consumer.awaits, envelopes)):
                consumer.wake()

    def subscribe(
        self, service: str, topics: Sequence[str], receive: Receiver, *, awaits: Awaits | None = None
    ) -> None:
        with self._lock:
            self._connection.execute("INSERT OR IGNORE INTO cursors (service, n) VALUES (?, 0)", (service,))
        self._consumers.append(_Consumer(self, service, tuple(topics), receive, awaits))

    def start(self) -> None:
        for consumer in self._consumers:
            consumer.start()

    def stop(self) -> None:
        self._stopping.set()
        for consumer in self._consumers:
            consumer.wake()
        for consumer in self._consumers:
            consumer.join()
        with self._lock:
            self._connection.close()

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, service, reason, at, envelope FROM dead ORDER BY at DESC LIMIT ?", (limit,)
            ).fetchall()
        return [DeadLetter(row[0], row[1], row[2], row[3], Envelope.from_text(row[4])) for row in rows]

    def replay(self, dead_letter_id: str) -> None:
        now = stamp(self._clock.now())
        with self._lock:
            row = self._connection.execute(
                "DELETE FROM dead WHERE id=? RETURNING service, envelope", (dead_letter_id,)
            ).fetchone()
            if row is None:
                raise NotFound("No such dead letter.")
            self._connection.execute(
                "INSERT INTO retries (service, due_at, tries, envelope) VALUES (?, ?, 0, ?)",
                (row[0], now, row[1]),
            )
        for consumer in self._consumers:
            consumer.look_again()

    def trim(self) -> None:
        """Forget events every service has passed and that are over an hour old. Never the newest: its number must
        not be given again, to an event that a cursor would have passed already."""
        before = stamp(self._clock.now() - _KEEP)
        with self._lock:
            self._connection.execute(
                "DELETE FROM events WHERE at < ? AND n <= (SELECT coalesce(min(n), 0) FROM cursors) "
                "AND n < (SELECT max(n) FROM events)",
                (before,),
            )


class _Consumer:
    """One service's thread: its batch of the log, then its due retries, then waits.

    Nobody else moves its cursor or its retries, so both are known here; only `replay`, and another process,
    may add a retry. What can be answered from memory is: statements of five consumers meet at one lock. So
    what this process publishes is handed over as it is, once the log has it; the log is read at the start,
    where other processes publish, and by a consumer that has fallen far behind.
    """

    def __init__(
        self,
        bus: SqliteBus,
        service: str,
        topics: tuple[str, ...],
        receive: Receiver,
        awaits: Awaits | None,
    ) -> None:
        self._topics = frozenset(topics)
        self._awaits = awaits
        self._bus = bus
        self._service = service
        self._receive = receive
        marks = ", ".join("?" * len(topics))
        self._newer = (
            f"SELECT n, envelope FROM events WHERE n > ? AND topic IN ({marks}) "  # noqa: S608 - marks only
            f"ORDER BY n LIMIT {_BATCH}"
        )
        self._handed: deque[tuple[int, Envelope]] = deque()
        self._behind = True
        self._cursor = 0
        self._saved = 0
        self._save_at = 0.0
        self._retry_at: str | None = _UNKNOWN
        self._event = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bus-{service}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def awaits(self, envelope: Envelope) -> bool:
        """Of the 25 deliveries of a run 8 lead to anything; the others wait for one that does, or a pause."""
        return envelope.topic in self._topics and (self._awaits is None or self._awaits(envelope))

    def offer(self, numbered: Sequence[tuple[int, Envelope]]) -> None:
        """Called with the bus's lock held, so in the order of the log and never while it is being read."""
        if self._behind:
            return
        self._handed.extend((n, e) for n, e in numbered if e.topic in self._topics)
        if len(self._handed) > _HANDED:
            self._behind = True
            self._handed.clear()

    def wake(self) -> None:
        self._event.set()

    def look_again(self) -> None:
        """Somebody else has put a retry before this consumer."""
        self._retry_at = _UNKNOWN
        self._event.set()

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        bus = self._bus
        with bus._lock:
            row = bus._connection.execute(
                "SELECT n FROM cursors WHERE service=?", (self._service,)
            ).fetchone()
        self._cursor = self._saved = row[0]
        while not bus._stopping.is_set():
            self._event.clear()  # before looking: what comes while we work sets it again
            try:
                busy = self._deliver_new() | self._deliver_retries()
                if bus._clock.monotonic() >= self._save_at:
                    self._save()
            except sqlite3.OperationalError as error:
                log.warning("the event log is busy: %s", error)
                busy = False
            if not busy:
                self._event.wait(_POLL_S if bus._poll else self._pause())
        self._save()

    def _save(self) -> None:
        """The cursor, at most every half second: a commit that nobody waits for."""
        if self._saved != self._cursor:
            with self._bus._lock:
                self._bus._connection.execute(
                    "UPDATE cursors SET n=? WHERE service=? AND n < ?",
                    (self._cursor, self._service, self._cursor),
                )
            self._saved = self._cursor
        self._save_at = self._bus._clock.monotonic() + _SAVE_S

    def _pause(self) -> float:
        pause = _SAVE_S if self._saved != self._cursor else _IDLE_S
        due = self._retry_at  # once: another thread may put _UNKNOWN there
        if due is None:
            return pause
        left = (moment(due) - self._bus._clock.now()).total_seconds() if due != _UNKNOWN else 0
        return min(pause, max(0.001, left))

    def _deliver_new(self) -> bool:
        """True when the batch was full, so that there may be more."""
        bus = self._bus
        new = self._read() if self._behind else self._taken()
        arriving = [(envelope, 0.0) for _, envelope in new]
        if bus._disorder is not None:
            arriving = bus._disorder.arrange([envelope for envelope, _ in arriving])
        for envelope, delay_s in arriving:
            if bus._stopping.is_set():
                return False
            if delay_s:
                self._later(envelope, delay_s, 0)
            else:
                self._deliver(envelope, 0)
        if new:
            self._cursor = new[-1][0]
        return len(new) == _BATCH

    def _read(self) -> list[tuple[int, Envelope]]:
        bus = self._bus
        with bus._lock:
            rows = bus._connection.execute(self._newer, (self._cursor, *self._topics)).fetchall()
            self._behind = bus._poll or len(rows) == _BATCH
        return [(row[0], Envelope.from_text(row[1])) for row in rows]

    def _taken(self) -> list[tuple[int, Envelope]]:
        """`offer` may empty it meanwhile; what it held is read from the log then."""
        taken: list[tuple[int, Envelope]] = []
        with suppress(IndexError):
            while len(taken) < _BATCH:
                taken.append(self._handed.popleft())
        return taken

    def _deliver_retries(self) -> bool:
        """True when some were due, so that there may be more."""
        bus = self._bus
        now = stamp(bus._clock.now())
        if not bus._poll and (self._retry_at is None or self._retry_at > now):
            return False
        with bus._lock:
            rows = bus._connection.execute(
                "SELECT n, envelope, tries FROM retries WHERE service=? AND due_at<=? "
                "ORDER BY due_at LIMIT ?",
                (self._service, now, _BATCH),
            ).fetchall()
        for n, text, tries in rows:
            if bus._stopping.is_set():
                return False
            self._deliver(Envelope.from_text(text), tries)
            with bus._lock:
                bus._connection.execute("DELETE FROM retries WHERE n=?", (n,))
        with bus._lock:
            row = bus._connection.execute(
                "SELECT min(due_at) FROM retries WHERE service=?", (self._service,)
            ).fetchone()
            self._retry_at = row[0]
        return bool(rows)

    def _deliver(self, envelope: Envelope, tries: int) -> None:
        try:
            received = self._receive(envelope)
        except Exception as error:
            # The receiver already turns everything it knows into a verdict; what still arrives is a defect.
            log.exception("receiver of %s failed on %s", self._service, envelope.type)
            received = Received("retry", f"{type(error).__name__}: {error}")
        if received.verdict == "ack":
            return
        # By what was waited for, not by the clock: a machine that slept has tried nothing meanwhile.
        if received.verdict == "dead" or sum(map(_pause_s, range(tries))) >= _GIVE_UP_S:
            self._bury(envelope, received.reason)
        else:
            self._later(envelope, _pause_s(tries), tries + 1)

    def _later(self, envelope: Envelope, delay_s: float, tries: int) -> None:
        due = stamp(self._bus._clock.now() + timedelta(seconds=delay_s))
        with self._bus._lock:
            self._bus._connection.execute(
                "INSERT INTO retries (service, due_at, tries, envelope) VALUES (?, ?, ?, ?)",
                (self._service, due, tries, envelope.text()),
            )
            self._retry_at = due if self._retry_at is None else min(self._retry_at, due)

    def _bury(self, envelope: Envelope, reason: str) -> None:
        log.warning("dead letter for %s: %s (%s)", self._service, envelope.type, reason)
        with self._bus._lock:
            self._bus._connection.execute(
                "INSERT INTO dead (id, service, at, reason, envelope) VALUES (?, ?, ?, ?, ?)",
                (
                    self._bus._ids.new("dead"),
                    self._service,
                    stamp(self._bus._clock.now()),
                    reason,
                    envelope.text(),
                ),
            )


def _open(path: Path) -> sqlite3.Connection:
    """Makes the file when it is not there. One process at a time, held apart by a lock on the folder: while a
    fresh file is turned to WAL, SQLite answers "database is locked" to others instead of letting them wait."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_SCHEMA)
        columns = {row[1] for row in connection.execute("PRAGMA table_info(retries)")}
        if "first_at" in columns:  # of the first layout
            connection.execute("ALTER TABLE retries DROP COLUMN first_at")
        return connection
    finally:
        os.close(folder)


def _pause_s(tries: int) -> float:
    """Before the next try, after so many before the last one."""
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**tries)
