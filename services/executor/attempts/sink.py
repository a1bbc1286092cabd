"""What one attempt does, heard from the trusted side: buffered into the run's feed, remembered for the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from services.executor import repository
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.left_out import LeftOut
from services.executor.egress.model import Exchange
from services.executor.model import Refusal, attempt_of, may_move
from services.executor.ports import Ended
from services.executor.tapes.taped import Taped
from shared.agentfile.model import Language
from shared.clock import Clock, stamp
from shared.events.run import RunStarted
from shared.ids import derived
from shared.records.executor import HostContact, OutsideRequest, QueuedDelivery, Run
from shared.store.port import Cause, Store, Tx
from shared.telemetry.watching import Watching

_FLUSH_BYTES = 64 << 10  # design, section 5
_MAX_DELIVERIES = 20
_MAX_STEPS = 500
_MAX_REMEMBERED = 50
_MAX_REQUESTS = 40  # a page full of bars; all are counted by host
# Decision: what an attempt says and would send is kept in two documents of at most a megabyte each.
_MAX_TEXTS_BYTES = 400_000
_MAX_BODIES_BYTES = 200_000
_MAX_URL = 2000
_LARGEST = 6  # bytes of one character in JSON: \u0001


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"})

Entry = tuple[str, dict[str, Any]]  # kind and data of a feed entry


class AttemptRecorder:
    """The AttemptSink of one attempt and the recorder of its exchanges. Thread-safe.

    lasts: its attempt goes on without this process (lasting_sink.py)."""

    lasts = False

    def __init__(
        self,
        run: Run,
        store: Store,
        clock: Clock,
        decoys: DecoyWatch,
        taped: Taped,
        watching: Watching,
        *,
        on_buffered: Callable[[], None],
        on_ended: Callable[[AttemptRecorder, Ended], None],
    ) -> None:
        self.run = run
        self.attempt_id = attempt_of(run)
        self._store = store
        self._clock = clock
        self.decoys = decoys
        self.taped = taped
        self._on_buffered = on_buffered
        self._on_ended = on_ended
        self._watching = watching
        self._began_ns = watching.tracer.now_ns()
        self.begun_at = stamp(clock.now())
        self.ended_at: str | None = None
        self.cause = Cause(run.workspace_id, f"agent:{run.agent_id}", watching.tracer.child(run.traceparent))
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._entries: list[Entry] = []
        self._bytes = 0
        self._steps = 0
        self.deliveries: list[QueuedDelivery] = []
        self.refusals: list[Refusal] = []
        self.would_send: list[dict[str, Any]] = []
        self.hosts: dict[tuple[str, str], HostContact] = {}
        self.requests: list[OutsideRequest] = []
        self.problems: list[LeftOut] = []
        self.language: Language = "ko"
        self.asks_model = False
        self._text_bytes = 0
        self._body_bytes = 0
        self.error_tail = ""
        self.wrote = run.wrote

    def first_line(self) -> None:
        now = stamp(self._clock.now())
        self.taped.first_line()

        def started(tx: Tx) -> None:
            run = repository.Runs(tx).find(self.run.id)
            if run is None or run.attempt_id != self.attempt_id or not may_move(run, "running"):
                return
            begun = {"begun_at": self.begun_at, "started_at": run.started_at or now, "first_line_at": now}
            run = run.but(status="running", reason=None, **begun)
            repository.save_run(tx, run)
            repository.append(tx, run, [("status", {"status": "running", "attempt": run.attempt})], now)
            tx.emit(
                RunStarted(
                    run_id=run.id,
                    agent_id=run.agent_id,
                    kind=run.kind,
                    attempt=run.attempt,
                    conversation_id=run.conversation_id,
                )
            )

        self._store.transact(started, cause=self.cause)

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.decoys.output(stream, data)
        text = data.decode(errors="replace").replace("\0", "\ufffd")
        with self._lock:
            if stream == "stderr":
                self.error_tail = (self.error_tail + text)[-4000:]
            self._entries.append(("log", {"stream": stream, "text": text}))
            self._bytes += len(data)
            full = self._bytes >= _FLUSH_BYTES
        self.hurry(full=full)

    def report(self, entry: Mapping[str, object]) -> None:
        kind = entry.get("kind")
        self.decoys.texts(f"{kind}"[:20], _strings(entry))
        if kind == "step" and self._steps < _MAX_STEPS:
            self._steps += 1
            with self._lock:
                self._entries.append(("step", {"name": _text(entry.get("name", ""))[:200]}))
            self.hurry(full=True)
        elif kind == "deliver":
            self._queue_delivery(entry)
        elif kind == "cut":
            with self._lock:
                self.problems = self.problems or [LeftOut("agent", "long_report")]

    def _queue_delivery(self, entry: Mapping[str, object]) -> None:
        with self._lock:
            text = _text(entry.get("text", ""))
            self._text_bytes += _size(text)
            if len(self.deliveries) >= _MAX_DELIVERIES or self._text_bytes > _MAX_TEXTS_BYTES:
                # Sending some of them and calling it delivered would be a lie: the run is told so at its end.
                self.problems = [LeftOut("agent.deliver", "too_many_messages")]
                return
            files = entry.get("files")
            names = tuple(_text(name)[:200] for name in files[:20]) if isinstance(files, list | tuple) else ()
            delivery = QueuedDelivery(
                id=derived("dlv", self.run.id, str(len(self.deliveries))),
                channel=_text(entry.get("channel", ""))[:40],
                text=text,
                files=names,
                status="held",
            )
            self.deliveries.append(delivery)

    def exchange(self, exchange: Exchange) -> None:
        """The gateway's recorder; called from its loop, so it only remembers."""
        self.decoys.trip(f"request to {exchange.host}"[:120], exchange.decoy)
        with self._lock:
            self.wrote = self.wrote or exchange.wrote
            self._count(exchange)
            if len(self.requests) < _MAX_REQUESTS:
                self.requests.append(_request(exchange))
            reached_out = exchange.undeclared or exchange.off_limits
            if reached_out and len(self.refusals) < _MAX_REMEMBERED:
                self.refusals.append(
                    Refusal(
                        askable=exchange.undeclared,
                        scheme=exchange.scheme,
                        host=exchange.host,
                        port=exchange.port,
                        method=exchange.method,
                        path=exchange.path[:500],
                        reason=exchange.reason,
                        mentioned=exchange.mentioned,
                    )
                )
            if exchange.verdict == "would_send" and len(self.would_send) < _MAX_REMEMBERED:
                body = self._shown_body(exchange.body_preview)
                url = exchange.url[:_MAX_URL]
                shown = {"id": exchange.write_id, "method": exchange.method, "url": url, "body": body}
                self.would_send.append(shown)
        self._watch(exchange)
        self.hurry(full=False)

    def _watch(self, exchange: Exchange) -> None:
        """What the operator sees of it. The name of a host that no manifest names is the code's own words."""
        self._watching.meter.add("ab_fetches_total", exchange.verdict)
        tracer, began_ns = self._watching.tracer, exchange.at_ms * 1_000_000
        tracer.record(
            "fetch",
            tracer.child(self.cause.traceparent),
            self.cause.traceparent,
            began_ns,
            began_ns + exchange.duration_ms * 1_000_000,
            {
                "host": "(undeclared)" if exchange.verdict == "refused" else exchange.host,
                "method": exchange.method if exchange.method in _METHODS else "",
                "status": exchange.status,
                "verdict": exchange.verdict,
                "reason": exchange.reason,
            },
            failed=exchange.verdict in ("refused", "failed"),
        )

    def _shown_body(self, preview: bytes) -> str:
        """As much of it as there is still room for."""
        text = _text(preview.decode(errors="replace"))
        left = max(0, _MAX_BODIES_BYTES - self._body_bytes)
        if _size(text) > left:
            text = text[: left // _LARGEST]
        self._body_bytes += _size(text)
        return text

    def _count(self, exchange: Exchange) -> None:
        key = (exchange.host, exchange.verdict)
        known = self.hosts.get(key)
        if known is None:
            known = HostContact(
                host=exchange.host, verdict=exchange.verdict, requests=0, bytes_in=0, bytes_out=0
            )
            data = {"host": exchange.host, "verdict": exchange.verdict, "reason": exchange.reason}
            self._entries.append(("host", data))
        self.hosts[key] = HostContact(
            host=known.host,
            verdict=known.verdict,
            requests=known.requests + 1,
            bytes_in=known.bytes_in + exchange.bytes_in,
            bytes_out=known.bytes_out + exchange.bytes_out,
        )

    def before_write(self, what: str) -> None:
        """See repository.note_write."""
        repository.note_write(self._store, self._clock, self.run.id, self.attempt_id, what)
        with self._lock:
            self.wrote = True

    def hurry(self, *, full: bool) -> None:
        """Something waits to be written. full: at once."""
        if full:
            self.flush()
        else:
            self._on_buffered()

    @contextmanager
    def batch(self, also: Callable[[Tx], None]) -> Iterator[None]:
        """What is heard inside has been heard when `also` is written, which happens at the end."""
        yield
        self._store.transact(also, cause=self.cause)

    def pending(self) -> bool:
        return bool(self._entries)

    def flush(self) -> None:
        """Write what is buffered as feed entries."""
        with self.taken() as entries:
            if entries:
                now = stamp(self._clock.now())
                write = partial(repository.append, run=self.run, entries=entries, now=now)
                self._store.transact(write, cause=self.cause)

    @contextmanager
    def taken(self) -> Iterator[list[Entry]]:
        """What is buffered, neighbouring log pieces of one stream joined, for whoever writes it inside: one at
        a time, so that it is written in the order in which it was heard."""
        with self._writing:
            with self._lock:
                entries, self._entries, self._bytes = joined(self._entries), [], 0
            yield entries

    def ended(self, result: Ended) -> None:
        self.ended_at = stamp(self._clock.now())
        self._on_ended(self, result)

    def written_down(self, reason: str) -> None:
        """The attempt is over for good; the operator may see it."""
        tracer, run = self._watching.tracer, self.run
        tracer.record(
            "attempt",
            self.cause.traceparent,
            run.traceparent,
            self._began_ns,
            tracer.now_ns(),
            {"kind": run.kind, "number": run.attempt, "reason": reason},
            failed=reason != "exited",
        )


def _request(exchange: Exchange) -> OutsideRequest:
    return OutsideRequest(
        at=stamp(datetime.fromtimestamp(exchange.at_ms / 1000, UTC)),
        ms=exchange.duration_ms,
        method=exchange.method[:10],
        host=_text(exchange.host)[:100],
        status=exchange.status,
        verdict=exchange.verdict,
    )


def _strings(claimed: object) -> Iterator[str]:
    """All texts in a claim, keys as well."""
    if isinstance(claimed, Mapping):
        for key, value in claimed.items():
            yield from (*_strings(key), *_strings(value))
    elif isinstance(claimed, list | tuple):
        for value in claimed:
            yield from _strings(value)
    elif isinstance(claimed, str):
        yield claimed


def _text(claimed: object) -> str:
    """What the code claims as text the store takes: JSON can carry halves of characters, and NUL."""
    return str(claimed).encode(errors="replace").decode().replace("\0", "\ufffd")


def _size(text: str) -> int:
    """Bytes it takes in a document."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def joined(entries: list[Entry]) -> list[Entry]:
    """Neighbouring log pieces of one stream as one, as long as it stays of a size to be kept and shown."""
    found: list[Entry] = []
    for kind, data in entries:
        last = found[-1] if found else None
        same = kind == "log" and last is not None and last[0] == "log" and last[1]["stream"] == data["stream"]
        if same and last is not None and len(last[1]["text"]) < _FLUSH_BYTES:
            found[-1] = ("log", {"stream": data["stream"], "text": last[1]["text"] + data["text"]})
        else:
            found.append((kind, data))
    return found
