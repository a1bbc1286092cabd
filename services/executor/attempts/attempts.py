"""Starts attempts, hears them, and writes down how they ended. One object per executor process."""

from __future__ import annotations

import hashlib
import logging
import mimetypes
import shutil
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from services.executor import repository
from services.executor.attempts import collector, prepare
from services.executor.attempts.admission import Admission, Wish
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.model_use import model_use
from services.executor.attempts.sink import AttemptRecorder, Entry
from services.executor.attempts.warm import WarmPolicy, WarmRules
from services.executor.attempts.warming import Warming
from services.executor.attempts.ways import Ways
from services.executor.egress.decoys import fresh_decoys
from services.executor.egress.model import EgressReport, EgressRun, Recorder
from services.executor.egress.model_host import ModelDoor
from services.executor.environments.folders import Folders
from services.executor.model import AttemptResult, attempt_of
from services.executor.ports import Ended, Enforcement, Sandbox
from services.executor.tapes.retention import put_away
from services.executor.tapes.taped import Tapes
from services.executor.tapes.variation import Varied
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.events.run import AttemptEnded
from shared.ids import Ids, derived
from shared.records.executor import Artifact, Run, RunUsage
from shared.records.tapes import TapeRecord
from shared.store.port import Cause, Reader, Store, Tx
from shared.telemetry.watching import Watching

_FLUSH_S = 0.25  # design, section 5
_ERROR_LINES = 12
_WATCHED = ("test", "manual", "replay")  # somebody sits in front of it

log = logging.getLogger(__name__)


class Egress(Protocol):
    """The gateway as an attempt needs it."""

    def open(self, run: EgressRun, listener: socket.socket) -> str: ...

    def close(self, run_id: str) -> EgressReport: ...

    def guard(self, listener: socket.socket, record: Recorder) -> None: ...

    def unguard(self, listener: socket.socket) -> None: ...


@dataclass(frozen=True)
class Surroundings:
    """Everything an attempt touches on the trusted side."""

    store: Store
    gateway: Reader
    planner: Reader
    blobs: Blobs
    clock: Clock
    ids: Ids
    folders: Folders
    egress: Egress
    ways: Ways
    admission: Admission
    reveal: Callable[[Run, str, str], str]
    fonts: Path | None
    tapes: Tapes
    warm_bytes: int
    model: Callable[[Run], ModelDoor | None]
    watching: Watching


# (commit, how the attempt ended, feed entries not written yet) -> whether the run is decided with it, and the
# entries are written.
Decide = Callable[[Tx, AttemptResult, Sequence[Entry]], bool]


def _undecided(tx: Tx, result: AttemptResult, entries: Sequence[Entry]) -> bool:
    return False


class Attempts:
    def __init__(self, around: Surroundings, sandbox: Sandbox) -> None:
        self._around = around
        self._sandbox = sandbox
        rules = WarmRules(memory_bytes=around.warm_bytes)
        self.warming = Warming(sandbox, around.egress, around.clock, WarmPolicy(rules))
        self._live: dict[str, AttemptRecorder] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="attempt-end")
        self.decide: Decide = _undecided
        self._stopping = threading.Event()
        self._dirty = threading.Event()
        self._flusher = threading.Thread(target=self._flush_loop, name="attempt-logs", daemon=True)

    def open(self) -> Enforcement:
        """Clear what an earlier life left on this machine and begin; says what a sandbox here holds to."""
        self._flusher.start()
        found = self._sandbox.enforcement()
        if "all" not in found.missing:
            self._sandbox.sweep(())
        return found

    def enforcement(self) -> Enforcement:
        return self._sandbox.enforcement()

    def close(self) -> None:
        """Kill all attempts; they are marked lost at the next start. May be called twice."""
        self._stopping.set()
        self._dirty.set()
        self.warming.close()
        self._sandbox.close()
        self._around.ways.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def is_live(self, attempt_id: str) -> bool:
        with self._lock:
            return attempt_id in self._live

    def start(self, run: Run, varied: Varied | None = None) -> int:
        """Begin the run's current attempt. 0: it has begun; else there is no room, and this is the run's place in
        the line. varied: what a replay is given instead of its recording. Raises as `prepare.read_basis`, and
        Unavailable when no sandbox works here. The same attempt twice starts once."""
        around = self._around
        attempt_id = attempt_of(run)
        basis = prepare.read_basis(run, around.store, around.gateway, around.planner)
        limits = prepare.limits_of(basis.manifest)
        taped = around.tapes.begin(run, prepare.subject(basis), varied)
        place = around.admission.enter(
            attempt_id,
            Wish(run.id, run.workspace_id, limits.memory_bytes, run.requested_at, run.kind in _WATCHED),
        )
        if place:
            return place
        with self._lock:
            if attempt_id in self._live:
                return 0
            recorder = AttemptRecorder(
                run,
                around.store,
                around.clock,
                DecoyWatch(fresh_decoys(taped.chance), lambda: self._tripped(attempt_id)),
                taped,
                around.watching,
                on_buffered=self._dirty.set,
                on_ended=self._ended,
            )
            recorder.language = basis.version.agent_file.agent.language
            recorder.asks_model = prepare.asks_model(basis)
            self._live[attempt_id] = recorder
        try:
            self._launch(run, basis, recorder)
        except BaseException:
            self._forget(attempt_id)
            raise
        return 0

    def _launch(self, run: Run, basis: prepare.Basis, recorder: AttemptRecorder) -> None:
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
        order = replace(order, egress=lambda listener: around.ways.open(out, recorder, listener))
        for exchange in self.warming.contacts(order.warm_key):
            recorder.exchange(exchange)
        self._sandbox.start(order, recorder)
        self.warming.ran(order, run.agent_id)

    @property
    def line(self) -> Admission:
        """Who waits for room here."""
        return self._around.admission

    def stop(self, attempt_id: str) -> None:
        self._sandbox.stop(attempt_id)

    def _tripped(self, attempt_id: str) -> None:
        """Nothing more of it is wanted. Off the thread that saw it: the gateway's must not wait."""
        if not self._stopping.is_set():
            self._pool.submit(self._sandbox.stop, attempt_id)

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
        try:
            self._around.ways.close(recorder)
            result, artifacts = self._gather(recorder, ended)
            self._around.admission.leave(recorder.attempt_id)  # who waits for room may see the end at once
            tape = self._around.tapes.finish(recorder.taped, self._around.gateway)
            with recorder.taken() as entries:
                self._write_down(recorder.run, result, artifacts, entries, tape, cause=recorder.cause)
            recorder.written_down(result.reason)
        except Exception:
            # A defect here would leave the run running for ever; a lost attempt is at least an end.
            log.exception("attempt %s could not be written down", recorder.attempt_id)
            self.lose(recorder.run, recorder.decoys.seen)
        finally:
            self._sandbox.release(recorder.attempt_id)
            self._forget(recorder.attempt_id)

    def _gather(self, recorder: AttemptRecorder, ended: Ended) -> tuple[AttemptResult, list[Artifact]]:
        run, around = recorder.run, self._around
        folder = around.folders.attempt(recorder.attempt_id)
        shutil.rmtree(folder, ignore_errors=True)
        outputs = collector.Collected(folder / "outputs")
        state_key, state_hash, state_size = None, "", 0
        problems = list(recorder.problems)
        if ended.box is not None:
            outputs = collector.collect(ended.box / "outputs", folder / "outputs", max_bytes=64 << 20)
            state = collector.collect(
                ended.box / "state", folder / "state", max_bytes=16 << 20, compose=False
            )
            problems += [*outputs.problems, *state.problems]
            recorder.decoys.files("file", outputs.folder, outputs.files)
            recorder.decoys.files("state", state.folder, state.files)
            recorder.decoys.texts("file name", [problem.name for problem in problems])
            # An emptied folder is also something to remember, where there was something before.
            something = bool(state.files) or run.state_base is not None
            if ended.reason == "exited" and ended.exit_code == 0 and something:
                data = collector.archive(state)
                state_key = f"executor/state/{run.agent_id}/{recorder.attempt_id}.tar"
                around.blobs.put(state_key, data)
                state_size, state_hash = len(data), hashlib.sha256(data).hexdigest()
        artifacts = [self._store_artifact(run, outputs, name) for name in outputs.files]
        lines = [line for line in recorder.error_tail.splitlines() if line.strip()]
        asked = model_use(run, around.planner) if recorder.asks_model else RunUsage()
        usage = asked.model_copy(
            update={
                "wall_ms": ended.usage.wall_ms,
                "cpu_ms": ended.usage.cpu_ms,
                "memory_peak_bytes": ended.usage.memory_peak_bytes,
            }
        )
        result = AttemptResult(
            id=recorder.attempt_id,
            run_id=run.id,
            workspace_id=run.workspace_id,
            number=run.attempt,
            reason=ended.reason,
            exit_code=ended.exit_code,
            detail=ended.detail,
            error_lines=tuple(lines[-_ERROR_LINES:]),
            usage=usage,
            deliveries=tuple(recorder.deliveries),
            refusals=tuple(recorder.refusals),
            would_send=tuple(recorder.would_send),
            hosts=tuple(recorder.hosts.values()),
            wrote=recorder.wrote,
            files=outputs.files,
            problems=collector.sentences(problems, recorder.language),
            state_key=state_key,
            state_sha256=state_hash,
            state_size=state_size,
            decoy=recorder.decoys.seen,
            tape=recorder.taped.setting,
            requests=tuple(recorder.requests),
            begun_at=recorder.begun_at,
            ended_at=recorder.ended_at,
        )
        return result, artifacts

    def _store_artifact(self, run: Run, outputs: collector.Collected, name: str) -> Artifact:
        digest = outputs.hashes[name]
        key = f"executor/artifacts/{run.workspace_id}/{digest}"
        if self._around.blobs.info(key) is None:
            self._around.blobs.put_file(key, outputs.folder / name)
        return Artifact(
            id=derived("art", run.id, name),
            workspace_id=run.workspace_id,
            run_id=run.id,
            agent_id=run.agent_id,
            name=name,
            size=outputs.files[name],
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            sha256=digest,
            blob_key=key,
            at=stamp(self._around.clock.now()),
        )

    def _write_down(
        self,
        run: Run,
        result: AttemptResult,
        artifacts: list[Artifact],
        entries: Sequence[Entry] = (),
        tape: TapeRecord | None = None,
        *,
        cause: Cause,
    ) -> None:
        """entries: what was heard last and stands in no feed yet. Where nothing has to be checked the same commit
        decides the run; else that is done when the fact arrives."""
        now = stamp(self._around.clock.now())

        def write(tx: Tx) -> None:
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
