"""Takes claims, does them outside the store, records the outcome under the attempt's number (fencing)."""

from __future__ import annotations

import logging
import queue
import threading
from datetime import timedelta
from typing import Any

from shared.bus.dispatch import CLAIMS, LEASE, Cut, Failed, Handlers, Job, Slow
from shared.clock import Clock, moment, stamp
from shared.errors import Conflict, ProjectError
from shared.events.envelope import PREFIX
from shared.store.port import Cause, Query, Store, Tx, Watch, Where
from shared.telemetry.trace import Attribute, AttributeName
from shared.telemetry.watching import Watching

_IDLE_S = 5.0
_Taken = tuple[str, dict[str, Any], bool]  # id, the claim, whether its last holder was cut

_GIVE_UP_S = 600.0  # as long as the bus tries to deliver (design, section 4)
DEAD_CLAIMS = "_dead_claims"  # claims whose outcome could not be recorded, with the reason
DUE = Query(CLAIMS, order_by="due_at", limit=1)  # the claim whose turn comes first

log = logging.getLogger(__name__)


class Workers:
    """A service's worker threads, and one that looks for claims that are due. `alone`: no other process works
    on this database, so what is still taken at start was cut by a death and need not wait for its lease to run
    out.

    Who commits a claim hands it to a free worker directly; the looking thread is for all others: those that
    found no worker free, were put back, or were left behind by a death.
    """

    def __init__(
        self,
        service: str,
        handlers: Handlers,
        store: Store,
        deps: Any,
        clock: Clock,
        *,
        threads: int,
        alone: bool,
        watching: Watching | None = None,
    ) -> None:
        self._service = service
        self._slow = {kind.type(): h for kind, h in handlers.items() if isinstance(h, Slow)}
        self._store = store
        self._deps = deps
        self._clock = clock
        self._alone = alone
        self._watching = watching or Watching()
        self._stopping = threading.Event()
        self._held: dict[str, int] = {}
        self._held_lock = threading.Lock()
        self._watch: Watch = store.watch([f"{CLAIMS}/claim_"])
        self._count = threads if self._slow else 0
        self._places = threading.Semaphore(0)
        self._handed: queue.SimpleQueue[_Taken | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"work-{service}-{n}", daemon=True)
            for n in range(self._count)
        ]
        self._looker = threading.Thread(target=self._look, name=f"claims-{service}", daemon=True)
        self._renewer = threading.Thread(target=self._renew, name=f"lease-{service}", daemon=True)

    def start(self) -> None:
        if not self._threads:
            return
        if self._alone:
            self._release_cut()
        for thread in self._threads:
            thread.start()
            self._places.release()
        self._looker.start()
        self._renewer.start()

    def leave(self) -> None:
        """Returns at once: no job is begun any more, by this process."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._watch.close()
        for _ in self._threads:
            self._handed.put(None)
        self._places.release()  # for the one that looks

    def stop(self, timeout_s: float = 3.0) -> None:
        """Waits a little for running jobs; what is still running is taken up again at the next start, or when its
        lease is over."""
        self.leave()
        end = self._clock.monotonic() + timeout_s
        for thread in (self._looker, *self._threads):
            if thread.ident is not None:
                thread.join(max(0.0, end - self._clock.monotonic()))

    def _release_cut(self) -> None:
        now = stamp(self._clock.now())
        far = stamp(self._clock.now() + timedelta(days=1))
        for document in self._store.query(
            Query(CLAIMS, (Where("due_at", "<=", far),), order_by="due_at", limit=1000)
        ):
            if document.data["state"] == "taken":

                def release(tx: Tx, id: str = document.id) -> None:
                    claim = tx.get(CLAIMS, id)
                    if claim is not None:
                        tx.put(CLAIMS, id, {**claim.data, "due_at": now})

                self._store.transact(release, cause=_cause(document.data))

    def place(self) -> bool:
        return not self._stopping.is_set() and self._places.acquire(blocking=False)

    def give_back(self) -> None:
        self._places.release()

    def hand(self, id: str, claim: dict[str, Any]) -> None:
        self._handed.put((id, claim, False))

    def look(self) -> None:
        """For what is due by now, not when this machine's clock was thought to say so. May be called at any time."""
        self._watch.wake()

    def _run(self) -> None:
        while (taken := self._handed.get()) is not None and not self._stopping.is_set():
            try:
                self._do(*taken)
            finally:
                self._places.release()

    def _look(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self._look_once()
            except ProjectError as error:
                log.warning("claims of %s cannot be looked for: %s", self._service, error.detail)
                pause = _IDLE_S
            if pause > 0:
                self._watch.wait(min(_IDLE_S, max(0.001, pause)))

    def _look_once(self) -> float:
        """Seconds until the next claim is due; what is due is handed over."""
        pause = _IDLE_S
        for document in self._store.query(DUE):
            pause = (moment(document.data["due_at"]) - self._clock.now()).total_seconds()
            if pause <= 0:
                self._hand_over(document.id)
        return pause

    def _hand_over(self, id: str) -> None:
        """Waits for a free worker first: what is taken must be begun."""
        self._places.acquire()
        taken = None if self._stopping.is_set() else self._take(id)
        if taken is None:
            self._places.release()
        else:
            self._handed.put((id, *taken))

    def run_due(self) -> bool:
        """Take the claim whose turn it is and do it in the calling thread; False when none is due."""
        for document in self._store.query(DUE):
            taken = self._take(document.id) if moment(document.data["due_at"]) <= self._clock.now() else None
            if taken is not None:
                self._do(document.id, *taken)
                return True
        return False

    def _take(self, id: str) -> tuple[dict[str, Any], bool] | None:
        """The claim as taken by this worker and whether its last holder was cut; None if another has it."""
        now = self._clock.now()

        def take(tx: Tx) -> tuple[dict[str, Any], bool] | None:
            claim = tx.get(CLAIMS, id)
            if claim is None or claim.data["due_at"] > stamp(now):
                return None
            was_cut = claim.data["state"] == "taken"
            data = {
                **claim.data,
                "state": "taken",
                "attempt": claim.data["attempt"] + 1,
                "due_at": stamp(now + LEASE),
            }
            tx.put(CLAIMS, id, data)
            return data, was_cut

        try:
            return self._store.transact(take, cause=Cause("", f"service:{self._service}"))
        except Conflict:
            return None

    def _do(self, id: str, claim: dict[str, Any], was_cut: bool) -> None:
        handler = self._slow.get(claim["type"])
        if handler is None:
            log.error("a claim of %s has no handler in %s", claim["type"], self._service)
            return
        job = handler.job.model_validate(claim["job"])
        with self._held_lock:
            self._held[id] = claim["attempt"]
        try:
            self._see_through(id, handler, job, claim, cut=was_cut and handler.on_cut == "unknown")
        finally:
            with self._held_lock:
                self._held.pop(id, None)

    def _see_through(self, id: str, handler: Slow, job: Job, claim: dict[str, Any], *, cut: bool) -> None:
        began, meter = self._clock.monotonic(), self._watching.meter
        about: dict[AttributeName, Attribute] = {
            "event": claim["type"].removeprefix(PREFIX),
            "tries": claim["tries"],
        }
        with self._watching.tracer.span("work", _cause(claim).traceparent, about) as span:
            outcome = Cut() if cut else self._outcome(id, handler, job, claim)
            if outcome is not _AGAIN:
                self._record(id, handler, job, outcome, claim)
            span.failed = isinstance(outcome, Failed | Cut)
        ended = "again" if outcome is _AGAIN else _ENDS.get(type(outcome), "done")
        meter.add("ab_claims_total", self._service, ended)
        meter.observe("ab_claim_seconds", self._clock.monotonic() - began, self._service)

    def _outcome(self, id: str, handler: Slow, job: Job, claim: dict[str, Any]) -> Any:
        try:
            return handler.do(job, self._deps)
        except ProjectError as error:
            if not error.retryable or claim["tries"] + 1 >= handler.tries:
                return Failed(error.code, error.detail)
            self._later(id, claim, min(60.0, 0.5 * 2 ** claim["tries"]))
            return _AGAIN
        except Exception as error:
            # A defect in `do`: the claim must end and say so, or it would wait forever.
            log.exception("%s failed in %s", claim["type"], self._service)
            return Failed("internal", f"{type(error).__name__}: {error}")

    def _later(self, id: str, claim: dict[str, Any], delay_s: float, state: str = "ready") -> None:
        due = stamp(self._clock.now() + timedelta(seconds=delay_s))

        def put_back(tx: Tx) -> None:
            current = tx.get(CLAIMS, id)
            if current is not None and current.data["attempt"] == claim["attempt"]:
                tx.put(
                    CLAIMS, id, {**current.data, "state": state, "tries": claim["tries"] + 1, "due_at": due}
                )

        self._store.transact(put_back, cause=Cause("", f"service:{self._service}"))
        self._watch.wake()

    def _record(self, id: str, handler: Slow, job: Job, outcome: Any, claim: dict[str, Any]) -> None:
        def record(tx: Tx) -> None:
            current = tx.get(CLAIMS, id)
            if current is None or current.data["attempt"] != claim["attempt"]:
                return
            tx.delete(CLAIMS, id)
            handler.record(job, outcome, tx, self._deps)

        # Its effect is had: what must not be had twice stays taken, so that the next worker finds it cut.
        state = "taken" if handler.on_cut == "unknown" else "ready"
        try:
            self._store.transact(record, cause=Cause(*claim["cause"][:2]))
        except ProjectError as error:
            log.warning("recording %s failed: %s", claim["type"], error.detail)
            self._record_later(id, claim, 1.0, state, error.detail)
        except Exception as error:
            log.exception("recording %s failed in %s", claim["type"], self._service)
            self._record_later(id, claim, 30.0, state, f"{type(error).__name__}: {error}")

    def _record_later(self, id: str, claim: dict[str, Any], delay_s: float, state: str, reason: str) -> None:
        """Again, but not for ever: what cannot be recorded for ten minutes is kept apart, for an operator."""
        if (claim["tries"] + 1) * delay_s < _GIVE_UP_S:
            self._later(id, claim, delay_s, state)
            return
        log.error("%s cannot be recorded in %s and is given up: %s", claim["type"], self._service, reason)
        at = stamp(self._clock.now())

        def bury(tx: Tx) -> None:
            current = tx.get(CLAIMS, id)
            if current is not None and current.data["attempt"] == claim["attempt"]:
                tx.delete(CLAIMS, id)
                tx.put(DEAD_CLAIMS, id, {**current.data, "reason": reason, "at": at})

        self._store.transact(bury, cause=Cause("", f"service:{self._service}"))

    def _renew(self) -> None:
        while not self._clock.wait(self._stopping, LEASE.total_seconds() / 3):
            self.renew_held()

    def renew_held(self) -> None:
        """A full lease from now on every claim that is being done here."""
        with self._held_lock:
            held = dict(self._held)
        due = stamp(self._clock.now() + LEASE)
        for id, attempt in held.items():

            def renew(tx: Tx, id: str = id, attempt: int = attempt, due: str = due) -> None:
                current = tx.get(CLAIMS, id)
                if (
                    current is not None
                    and current.data["attempt"] == attempt
                    and current.data["state"] == "taken"
                ):
                    tx.put(CLAIMS, id, {**current.data, "due_at": due})

            self._store.transact(renew, cause=Cause("", f"service:{self._service}"))


_AGAIN = object()
_ENDS: dict[type, str] = {Failed: "failed", Cut: "cut"}


def _cause(claim: dict[str, Any]) -> Cause:
    return Cause(*claim["cause"])
