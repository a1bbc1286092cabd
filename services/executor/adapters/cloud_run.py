"""Sandboxes that are executions of Cloud Run Jobs: the port, the claim before the call, the watch over who is silent.

docs/decisions/0037-runs-elsewhere.md says why it is so, 0052 how attempts outlive this process. Read next:
remote_attempt.py (one attempt), executions.py.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services.executor.adapters import host, shapes
from services.executor.adapters.claims import Claim, Claims
from services.executor.adapters.executions import Executions
from services.executor.adapters.job_proof import JobProofs
from services.executor.adapters.packed import PackedSites
from services.executor.adapters.remote_attempt import RemoteAttempt, Surroundings
from services.executor.adapters.shapes import Shape
from services.executor.ports import AttemptSink, Ended, EndReason, Enforcement, Order, Waiting
from services.executor.run_api.messages import ADDRESS, ATTEMPT, ATTEMPT_OVER, TOKEN, Install
from shared.errors import BadRequest, Interrupted, NotFound, ProjectError, Unavailable
from shared.vault.run_tokens import AttemptTokens

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_CLOSE_S = 20.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """Seconds.

    look      between two looks at attempts that are silent
    quiet     a process calls every second; after this Google is asked whether it still runs
    handing   what may be under way when an execution is over: its last request
    listed    until an execution that began must be found in the list of them
    start     until the first call: an image is pulled, and Direct VPC egress may take a minute or more
              (source: cloud.google.com/run/docs/configuring/vpc-direct-vpc)
    given_up  silence after which a run that should be running is cancelled, while we were here to hear it
    around    what the execution may take beyond the run's own limit: start, packages, handing in
    """

    look: float = 2.0
    quiet: float = 15.0
    handing: float = 15.0
    listed: float = 60.0
    start: float = 600.0
    given_up: float = 420.0
    around: float = 900.0


class CloudRunSandbox:
    """address: of the Run API, as the jobs reach it. take_up: set before the first request; asked about an attempt that
    somebody asks for and nobody here hears: False when it is over, Unavailable while it is being taken up."""

    def __init__(
        self,
        executions: Executions,
        claims: Claims,
        tokens: AttemptTokens,
        offered: Sequence[Shape],
        address: str,
        around: Surroundings,
        proofs: JobProofs,
        packed: PackedSites,
        patience: Patience = Patience(),
    ) -> None:
        self._executions = executions
        self._claims = claims
        self._tokens = tokens
        self._shapes = offered
        self._address = address
        self._around = around
        self._proofs = proofs
        self.packed = packed
        self._patience = patience
        self._clock = around.clock
        self._lock = threading.Lock()
        self._attempts: dict[str, RemoteAttempt] = {}
        self._closed = False
        self._unwatched = threading.Event()
        self._watch: threading.Thread | None = None
        self._seen_over: dict[str, float] = {}
        self.take_up: Callable[[str], bool] = lambda attempt_id: False

    def start(self, order: Order, sink: AttemptSink) -> str:
        if not _ID.fullmatch(order.id):
            raise BadRequest("An attempt id may hold letters, digits, dot, dash and underscore only.")
        if order.writable:
            raise BadRequest("A run elsewhere cannot write into this machine's folders.")
        claim = self._claims.find(order.id)
        if claim is not None:  # what it runs in was proven when it was claimed, perhaps by an earlier version
            attempt = RemoteAttempt(order, sink, claim.job, self._around)
            if attempt.needs_folders:
                self._lend(attempt)
            return self._start(attempt, claim)
        self._demand_proof()
        job = shapes.fitting(self._shapes, order).job
        attempt = RemoteAttempt(order, sink, job, self._around)
        self._lend(attempt)
        return self._start(attempt)

    def install(self, order: Order, install: Install, sink: AttemptSink) -> str:
        """As `start`, in the job of their own that packages have; the order holds its bounds and its way out."""
        self._demand_proof()
        job = shapes.JOB.format(shapes.PACKAGES)
        return self._start(RemoteAttempt(order, sink, job, self._around, install=install))

    def _demand_proof(self) -> None:
        found = self.enforcement()
        if "all" in found.missing:
            raise Unavailable(found.missing["all"])

    def prove(self, order: Order, sink: AttemptSink) -> None:
        """The attacks, in the smallest job there is."""
        self._start(RemoteAttempt(order, sink, self._shapes[0].job, self._around, doctor=True))

    def _start(self, attempt: RemoteAttempt, claim: Claim | None = None) -> str:
        id = attempt.order.id
        with self._lock:
            if id in self._attempts:
                return id
            if self._closed:
                raise Unavailable("This sandbox is closed.")
            self._attempts[id] = attempt
            self._look_after()
        try:
            if claim is None:
                self._begin(attempt)
            else:
                self._go_on(attempt, claim)
        except BaseException:
            with self._lock:
                self._attempts.pop(id, None)
            raise
        return id

    def attempt(self, token: str) -> RemoteAttempt:
        """Whose token it is. Raises: NotAuthenticated, NotFound when that attempt is over, Unavailable while nobody
        hears it here."""
        id = self._tokens.read(token)
        found = self._attempts.get(id)
        if found is None and self._closed:
            raise Unavailable("This executor is leaving; another will answer.")
        if found is None and self.take_up(id):
            found = self._attempts.get(id)
        if found is None:
            raise NotFound("This attempt is over.", code=ATTEMPT_OVER)
        return found

    def observe(self, handle: str) -> Literal["running", "unknown"] | Ended:
        attempt = self._attempts.get(handle)
        return "unknown" if attempt is None else attempt.ended or "running"

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        """Also one that another process heard before: it is written down, for whoever hears it next."""
        attempt = self._attempts.get(handle)
        if attempt is not None:
            if attempt.ended is not None:
                return
            attempt.reason = attempt.reason or reason
        claim = self._claims.stop(handle, reason)
        name = attempt.execution.name if attempt is not None else claim.execution if claim is not None else ""
        if name:
            with suppress(Unavailable):  # it learns of it by its next report, too
                self._executions.cancel(name)

    def release(self, handle: str) -> None:
        attempt = self._attempts.get(handle)
        if attempt is None or attempt.ended is None:
            return
        attempt.over.wait(_CLOSE_S)
        with self._lock:
            self._attempts.pop(handle, None)
            self._seen_over.pop(handle, None)
        attempt.known()
        self._claims.take_back(handle)
        attempt.remove()

    def let_go(self, handle: str) -> None:
        """Forget one that goes on without this process. Unknown ones are ignored."""
        with self._lock:
            attempt = self._attempts.pop(handle, None)
            self._seen_over.pop(handle, None)
        if attempt is not None:
            attempt.remove()

    def sweep(self, known: Collection[str]) -> None:
        strangers = [
            id for id, one in list(self._attempts.items()) if id not in known and not one.of_this_process
        ]
        for id in strangers:
            self.stop(id)
        for id in strangers:
            attempt = self._attempts[id]
            if not attempt.over.wait(_CLOSE_S):
                attempt.finish("lost", "It was told to stop and did not say that it had.")
            self.release(id)
        self._claims.forget_old()
        for claim in self._claims.all():
            if claim.attempt_id not in known and claim.attempt_id not in self._attempts:
                self._cancel_left(claim.attempt_id, claim.job, claim.execution)

    def warm(self, order: Order, on_gone: Callable[[str], None]) -> None:
        """Executions do not wait for runs: each minute of waiting would be paid for."""

    def waiting(self) -> tuple[Waiting, ...]:
        return ()

    def cool(self, id: str) -> None:
        """There are none."""

    def enforcement(self) -> Enforcement:
        """Until a job has proven its sandbox nothing may run, and asking makes one try."""
        found = self._proofs.enforcement()
        if "all" in found.missing:
            self._proofs.begin(self)
        return found

    def close(self) -> None:
        with self._lock:
            self._closed = True
            left = list(self._attempts.values())
        for attempt in [one for one in left if one.lasts]:
            self.let_go(attempt.order.id)
        left = [one for one in left if not one.lasts]
        for attempt in left:
            with suppress(Unavailable):
                self.stop(attempt.order.id)
        until = self._clock.monotonic() + _CLOSE_S
        for attempt in left:
            if not attempt.over.wait(max(0.0, until - self._clock.monotonic())):
                attempt.finish("lost", "The executor ended before the run had said that it was over.")
        self._unwatched.set()
        if self._watch is not None:
            self._watch.join(_CLOSE_S)
            self._executions.close()
            self._watch = None

    def _lasts(self, attempt: RemoteAttempt) -> float:
        return attempt.order.limits.wall_s + self._patience.around

    def _lend(self, attempt: RemoteAttempt) -> None:
        order = attempt.order
        attempt.links = self.packed.links(order.site_dirs, int(self._lasts(attempt)))
        for folder in (order.code_dir, *order.site_dirs):
            if folder not in attempt.links:
                host.demand_readable(folder)

    def _go_on(self, attempt: RemoteAttempt, claim: Claim) -> None:
        """With what somebody has begun, or may have: the watch looks what came of it."""
        attempt.uncertain = True
        attempt.execution.name = claim.execution
        if claim.stop is not None:
            self.stop(attempt.order.id, claim.stop)

    def _begin(self, attempt: RemoteAttempt) -> None:
        order, execution = attempt.order, attempt.execution
        lasts = self._lasts(attempt)
        if not self._claims.make(order.id, execution.job):
            attempt.uncertain = True  # another process was faster
            return
        variables = {
            ADDRESS: self._address,
            ATTEMPT: order.id,
            TOKEN: self._tokens.mint(order.id, self._clock.now() + timedelta(seconds=lasts)),
        }
        try:
            execution.name = self._executions.run(execution.job, variables, int(lasts))
        except Interrupted:
            return  # the watch looks for it, too
        except ProjectError:
            self._claims.take_back(order.id)
            raise
        self._claims.name(order.id, execution.name)
        if attempt.reason is not None:  # stopped while Google was asked
            self.stop(order.id, attempt.reason)

    def _cancel_left(self, attempt_id: str, job: str, name: str) -> None:
        """What an earlier life began. The claim stays while its attempt may yet be asked for again."""
        try:
            found = name or self._executions.find(job, attempt_id)
            if found and not self._executions.look(found).over:
                self._executions.cancel(found)
        except Unavailable as error:
            log.warning("attempt %s of an earlier life was not cancelled: %s", attempt_id, error.detail)

    def _look_after(self) -> None:
        if self._watch is None:
            self._watch = threading.Thread(target=self._watch_all, name="executions", daemon=True)
            self._watch.start()

    def _watch_all(self) -> None:
        while not self._clock.wait(self._unwatched, self._patience.look):
            for attempt in list(self._attempts.values()):
                try:
                    self._look_at(attempt)
                except Unavailable as error:
                    log.warning("attempt %s cannot be looked at: %s", attempt.order.id, error.detail)
                except Exception:
                    log.exception("attempt %s: the look at it failed", attempt.order.id)

    def _look_at(self, attempt: RemoteAttempt) -> None:
        now, patience = self._clock.monotonic(), self._patience
        silent = now - attempt.heard_at
        if attempt.ended is not None or (attempt.begun and silent < patience.quiet and not attempt.reason):
            return
        attempt.demand_ours()
        if not attempt.execution.name:
            self._seek(attempt, now)
        if attempt.execution.name and self._is_over(attempt, now):
            return
        limit = patience.given_up if attempt.begun else patience.start
        if silent >= limit:
            if attempt.execution.name:
                self._executions.cancel(attempt.execution.name)
            attempt.finish(
                "lost" if attempt.begun else "unstartable", "Nothing was heard from where it runs."
            )

    def _seek(self, attempt: RemoteAttempt, now: float) -> None:
        """Google did not answer when it was asked to start it. A start that is not listed after a while, and has not
        called, is none; should it come after all it is told that the attempt is over."""
        name = self._executions.find(attempt.execution.job, attempt.order.id)
        if name is not None:
            attempt.execution.name = name
            self._claims.name(attempt.order.id, name)
            if attempt.reason is not None:
                self.stop(attempt.order.id, attempt.reason)
        elif not attempt.begun and now - attempt.asked_at >= self._patience.listed:
            attempt.finish("lost", "Google did not say whether it started the run, and it did not appear.")

    def _is_over(self, attempt: RemoteAttempt, now: float) -> bool:
        """Ended at Google, and had the time to say so."""
        seen = self._executions.look(attempt.execution.name)
        if not seen.over:
            return False
        since = self._seen_over.setdefault(attempt.order.id, now)
        if now - since < self._patience.handing:
            return False
        if attempt.begun or attempt.uncertain:
            attempt.finish("lost", seen.why or "Where it ran ended without saying how the run had.")
        else:
            attempt.finish(
                "unstartable", seen.why or "Where it should run ended before it had asked for the work."
            )
        return True
