"""Starts attempts, hears them, and writes down how they ended. One object per executor process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from services.executor import repository
from services.executor.attempts import prepare
from services.executor.attempts.admission import Admission, Wish
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.gathering import gather
from services.executor.attempts.lasting_sink import LastingRecorder
from services.executor.attempts.sink import AttemptRecorder, Entry
from services.executor.attempts.surroundings import Surroundings
from services.executor.attempts.taking_up import TakingUp
from services.executor.attempts.under_way import UnderWay
from services.executor.attempts.warm import WarmPolicy, WarmRules
from services.executor.attempts.warming import Warming
from services.executor.egress.decoys import fresh_decoys
from services.executor.model import AttemptResult, attempt_of
from services.executor.ports import Ended, Enforcement, Order, Sandbox
from services.executor.tapes.retention import put_away
from services.executor.tapes.taped import Taped
from services.executor.tapes.variation import Varied
from shared.clock import stamp
from shared.errors import ProjectError, Unavailable
from shared.events.run import AttemptEnded
from shared.records.executor import Artifact, Run
from shared.records.tapes import TapeRecord
from shared.store.port import Cause, Tx

_FLUSH_S = 0.25  # design, section 5
_WATCHED = ("test", "manual", "replay")  # somebody sits in front of it

log = logging.getLogger(__name__)


# (commit, how the attempt ended, feed entries not written yet) -> whether the run is decided with it, and the
# entries are written.
Decide = Callable[[Tx, AttemptResult, Sequence[Entry]], bool]


def _undecided(tx: Tx, result: AttemptResult, entries: Sequence[Entry]) -> bool:
    return False


class RunsElsewhere(Sandbox, Protocol):
    """Where attempts may go on without this process."""

    take_up: Callable[[str], bool]

    def let_go(self, handle: str) -> None: ...


class Attempts:
    """elsewhere: where runs go, if not into `sandbox`; they outlive this process when around.keeping says so.

    decide, again.begin: set before `open`."""

    def __init__(
        self, around: Surroundings, sandbox: Sandbox, elsewhere: RunsElsewhere | None = None
    ) -> None:
        self._around = around
        self._sandbox = sandbox = elsewhere or sandbox
        self._elsewhere = elsewhere
        rules = WarmRules(memory_bytes=around.warm_bytes)
        self.warming = Warming(sandbox, around.egress, around.clock, WarmPolicy(rules))
        self._live: dict[str, AttemptRecorder] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="attempt-end")
        self.again = TakingUp(around.keeping, around.store, self.is_live, self._give_up)
        self.decide: Decide = _undecided
        self._stopping = threading.Event()
        self._dirty = threading.Event()
        self._flusher = threading.Thread(target=self._flush_loop, name="attempt-logs", daemon=True)
        if elsewhere is not None:
            elsewhere.take_up = self.again.asked

    def open(self) -> Enforcement:
        """Begin; says what a sandbox here holds to. Before the first start: `sweep`."""
        self._flusher.start()
        return self._sandbox.enforcement()

    def sweep(self) -> None:
        """Clear what an earlier life left running and nobody will hear again."""
        if self._around.keeping is not None:
            with self._lock:
                known = set(self._live)
            self._sandbox.sweep(known | self._around.keeping.living())
        elif "all" not in self._sandbox.enforcement().missing:
            self._sandbox.sweep(())

    def enforcement(self) -> Enforcement:
        return self._sandbox.enforcement()

    def close(self) -> None:
        """Let go of attempts that outlive this process and kill all others, which are marked lost at the next start.
        May be called twice."""
        self._stopping.set()
        self._dirty.set()
        self.warming.close()
        self._sandbox.close()
        self._around.ways.stop()
        self.again.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def is_live(self, attempt_id: str) -> bool:
        with self._lock:
            return attempt_id in self._live

    def start(self, run: Run, varied: Varied | None = None) -> int:
        """Begin the run's current attempt, or hear one again that has begun. 0: that is done; else there is no room,
        and this is the run's place in the line. varied: what a replay is given instead of its recording. Raises as
        `prepare.read_basis`, and Unavailable when no sandbox works here. The same attempt twice starts once."""
        around = self._around
        attempt_id = attempt_of(run)
        if self.is_live(attempt_id):
            return 0
        known = around.keeping.take(attempt_id) if around.keeping is not None else None
        read = prepare.read_basis if known is None else prepare.find_basis
        basis = read(run, around.store, around.gateway, around.planner)
        limits = prepare.limits_of(basis.manifest)
        subject, seed = prepare.subject(basis), around.keeping.seed(attempt_id) if around.keeping else b""
        prefix = known.taped.prefix if known is not None else ""
        taped = around.tapes.begin(run, subject, varied, seed=seed, prefix=prefix)
        watched = run.kind in _WATCHED
        wish = Wish(run.id, run.workspace_id, limits.memory_bytes, run.requested_at, watched)
        if known is not None:
            around.admission.hold(attempt_id, wish)
        elif place := around.admission.enter(attempt_id, wish):
            return place
        with self._lock:
            if attempt_id in self._live:
                return 0
            recorder = self._recorder(run, taped, known)
            recorder.language = basis.version.agent_file.agent.language
            recorder.asks_model = prepare.asks_model(basis)
            self._live[attempt_id] = recorder
        try:
            self._launch(run, basis, recorder, known)
        except BaseException:
            if known is None and around.keeping is not None:
                with suppress(Unavailable):  # then the next try finds it begun, and goes on from nothing
                    around.keeping.drop(attempt_id)
            self._forget(attempt_id)
            raise
        return 0

    def _recorder(self, run: Run, taped: Taped, known: UnderWay | None) -> AttemptRecorder:
        around, attempt_id = self._around, attempt_of(run)
        decoys = DecoyWatch(fresh_decoys(taped.chance), lambda: self._tripped(attempt_id))
        if around.keeping is None:
            return AttemptRecorder(
                run,
                around.store,
                around.clock,
                decoys,
                taped,
                around.watching,
                on_buffered=self._dirty.set,
                on_ended=self._ended,
            )
        return LastingRecorder(
            run,
            around.store,
            around.clock,
            decoys,
            taped,
            around.watching,
            keeping=around.keeping,
            known=known,
            on_ended=self._ended,
            on_superseded=self._let_go,
        )

    def _launch(
        self, run: Run, basis: prepare.Basis, recorder: AttemptRecorder, known: UnderWay | None
    ) -> None:
        around = self._around
        if known is not None:
            around.ways.hear(recorder)
            if recorder.decoys.seen:
                self._tripped(recorder.attempt_id)
        if known is not None and run.status == "running":  # it has all it was given
            code = around.folders.code / basis.version.id
            order = Order(recorder.attempt_id, code, limits=prepare.limits_of(basis.manifest))
        else:
            order = self._order(run, basis, recorder)
            if known is not None:
                order = replace(order, now=known.taped.now)
                recorder.taped.go_on(known.taped)
            elif isinstance(recorder, LastingRecorder):
                recorder.begin()
        for exchange in self.warming.contacts(order.warm_key):
            recorder.exchange(exchange)
        self._sandbox.start(order, recorder)
        self.warming.ran(order, run.agent_id)

    def _order(self, run: Run, basis: prepare.Basis, recorder: AttemptRecorder) -> Order:
        around = self._around
        bindings = prepare.placeholders(basis, recorder.taped.chance)
        hosts = {binding.name: binding.host for binding in bindings}

        def reveal(name: str) -> str:
            return around.reveal(run, basis.grant.secrets[name], hosts[name])

        out = prepare.egress_run(
            basis,
            recorder.attempt_id,
            bindings,
            recorder.decoys.decoys,
            record=recorder.exchange,
            reveal=reveal,
            before_write=recorder.before_write,
            model=around.model(run),
        )
        out = recorder.taped.egress(out)
        state = None
        if basis.manifest.state and run.state_base is not None:
            version = repository.state_of(around.store, run.agent_id, run.state_base)
            state = around.blobs.get(version.blob_key) if version else None
            if version is None:
                recorder.taped.without_state()
        state = recorder.taped.memory(state)
        order = prepare.make_order(
            basis,
            recorder.attempt_id,
            prepare.code_folder(basis.version, around.blobs, around.folders),
            bindings,
            recorder.decoys.decoys,
            state,
            around.folders,
            around.clock,
            around.fonts,
        )
        order = recorder.taped.order(order)
        return replace(order, egress=lambda listener: around.ways.open(out, recorder, listener))

    @property
    def line(self) -> Admission:
        """Who waits for room here."""
        return self._around.admission

    def stop(self, attempt_id: str) -> None:
        self._sandbox.stop(attempt_id)

    def _give_up(self, run: Run) -> None:
        self.stop(attempt_of(run))
        self.lose(run)

    def _tripped(self, attempt_id: str) -> None:
        """Nothing more of it is wanted. Off the thread that saw it: the gateway's must not wait."""
        if not self._stopping.is_set():
            self._pool.submit(self._sandbox.stop, attempt_id)

    def _let_go(self, recorder: AttemptRecorder) -> None:
        """It goes on without us: another process hears it, or will when it is asked."""
        with self._lock:
            if self._live.get(recorder.attempt_id) is not recorder:
                return
        self._around.ways.let_go(recorder.attempt_id)
        if self._elsewhere is not None:
            self._elsewhere.let_go(recorder.attempt_id)
        self._forget(recorder.attempt_id)

    def lose(self, run: Run, decoy: str = "") -> None:
        """Write down that the run's current attempt died with its machine or its executor."""
        self._around.ways.forget(attempt_of(run))
        result = AttemptResult(
            id=attempt_of(run),
            run_id=run.id,
            workspace_id=run.workspace_id,
            number=run.attempt,
            reason="lost",
            exit_code=None,
            wrote=run.wrote,
            decoy=decoy,
        )
        self._write_down(
            run, result, [], cause=Cause(run.workspace_id, f"agent:{run.agent_id}", run.traceparent)
        )

    def _ended(self, recorder: AttemptRecorder, ended: Ended) -> None:
        if not self._stopping.is_set():
            self._pool.submit(self._finish, recorder, ended)

    def _finish(self, recorder: AttemptRecorder, ended: Ended) -> None:
        around, going_on = self._around, False
        try:
            around.ways.close(recorder)
            result, artifacts = gather(recorder, ended, around)
            around.admission.leave(recorder.attempt_id)  # who waits for room may see the end at once
            tape = around.tapes.finish(recorder.taped, around.gateway)
            with recorder.taken() as entries:
                self._write_down(
                    recorder.run, result, artifacts, entries, tape, cause=recorder.cause, ours=recorder.lasts
                )
            recorder.written_down(result.reason)
        except Exception as error:
            if recorder.lasts and isinstance(error, ProjectError) and error.retryable:
                log.warning("attempt %s is not written down yet: %s", recorder.attempt_id, error.detail)
                going_on = True  # whoever is told of its end again tries again
                self._let_go(recorder)
                return
            # A defect here would leave the run running for ever; a lost attempt is at least an end.
            log.exception("attempt %s could not be written down", recorder.attempt_id)
            self.lose(recorder.run, recorder.decoys.seen)
        finally:
            if not going_on:
                self._be_done(recorder.attempt_id)

    def _be_done(self, attempt_id: str) -> None:
        try:
            self._sandbox.release(attempt_id)
        finally:
            self._forget(attempt_id)
        self._around.ways.remove(attempt_id)

    def _write_down(
        self,
        run: Run,
        result: AttemptResult,
        artifacts: list[Artifact],
        entries: Sequence[Entry] = (),
        tape: TapeRecord | None = None,
        *,
        cause: Cause,
        ours: bool = False,
    ) -> None:
        """entries: what was heard last and stands in no feed yet. Where nothing has to be checked the same commit
        decides the run; else that is done when the fact arrives. ours: raises Superseded if another one hears it."""
        now, keeping = stamp(self._around.clock.now()), self._around.keeping

        def write(tx: Tx) -> None:
            if keeping is not None:
                if ours:
                    keeping.held(tx, result.id)
                tx.delete(repository.UNDER_WAY, result.id)
            if tx.get(repository.ATTEMPTS, result.id) is not None:
                return
            tx.create(repository.ATTEMPTS, result.id, result.model_dump(mode="json"))
            repository.save_artifacts(tx, artifacts)
            put_away(tx, tape, now)
            files = [("file", {"artifact_id": a.id, "name": a.name, "size": a.size}) for a in artifacts]
            heard = [*entries, *files]
            if self.decide(tx, result, heard):
                return
            if heard:
                repository.append(tx, run, heard, now)
            tx.emit(AttemptEnded(run_id=run.id, attempt_id=result.id))

        self._around.store.transact(write, cause=cause)

    def _forget(self, attempt_id: str) -> None:
        with self._lock:
            self._live.pop(attempt_id, None)
        self._around.admission.leave(attempt_id)

    def _flush_loop(self) -> None:
        while not self._stopping.is_set():
            self._dirty.wait()
            self._dirty.clear()
            self._around.clock.wait(self._stopping, _FLUSH_S)
            with self._lock:
                live = list(self._live.values())
            for recorder in live:
                if recorder.pending():
                    recorder.flush()
