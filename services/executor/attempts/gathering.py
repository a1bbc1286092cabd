"""What an attempt left, taken in and put away: outputs as artifacts, memory as one archive; and the result."""

from __future__ import annotations

import hashlib
import mimetypes
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from services.executor.attempts import collector
from services.executor.attempts.model_use import model_use
from services.executor.attempts.sink import AttemptRecorder
from services.executor.attempts.surroundings import Surroundings
from services.executor.model import AttemptResult
from services.executor.ports import Ended
from shared.blobs.port import Blobs
from shared.clock import stamp
from shared.errors import DecodeError, NotFound
from shared.ids import derived
from shared.records.executor import Artifact, Run, RunUsage

_ERROR_LINES = 12
_CHUNK = 1 << 20


def gather(
    recorder: AttemptRecorder, ended: Ended, around: Surroundings
) -> tuple[AttemptResult, list[Artifact]]:
    """The same again when it is done again."""
    run = recorder.run
    folder = around.folders.attempt(recorder.attempt_id)
    shutil.rmtree(folder, ignore_errors=True)
    outputs = collector.Collected(folder / "outputs")
    state_key, state_hash, state_size = None, "", 0
    problems = list(recorder.problems)
    if ended.box is not None:
        outputs = collector.collect(ended.box / "outputs", folder / "outputs", max_bytes=64 << 20)
        state = collector.collect(ended.box / "state", folder / "state", max_bytes=16 << 20, compose=False)
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
    artifacts = [_store_artifact(run, outputs, name, around) for name in outputs.files]
    lines = [line for line in recorder.error_tail.splitlines() if line.strip()]
    result = AttemptResult(
        id=recorder.attempt_id,
        run_id=run.id,
        workspace_id=run.workspace_id,
        number=run.attempt,
        reason=ended.reason,
        exit_code=ended.exit_code,
        detail=ended.detail,
        error_lines=tuple(lines[-_ERROR_LINES:]),
        usage=_usage(recorder, ended, around),
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


def _usage(recorder: AttemptRecorder, ended: Ended, around: Surroundings) -> RunUsage:
    asked = model_use(recorder.run, around.planner) if recorder.asks_model else RunUsage()
    measured = ended.usage
    return asked.model_copy(
        update={
            "wall_ms": measured.wall_ms,
            "cpu_ms": measured.cpu_ms,
            "memory_peak_bytes": measured.memory_peak_bytes,
        }
    )


def _store_artifact(run: Run, outputs: collector.Collected, name: str, around: Surroundings) -> Artifact:
    digest = outputs.hashes[name]
    key = f"executor/artifacts/{run.workspace_id}/{digest}"
    if around.blobs.info(key) is None:
        around.blobs.put_file(key, outputs.folder / name)
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
        at=stamp(around.clock.now()),
    )


def bring_back(files: Mapping[str, int], artifacts: Sequence[Artifact], folder: Path, blobs: Blobs) -> None:
    """An attempt's outputs, to a machine that has not collected them: all or none, and nothing where they lie already.
    files: their names; artifacts: of the whole run, of which an earlier attempt may have left others. Raises:
    NotFound, Unavailable, DecodeError when what is kept is not what was collected."""
    if folder.is_dir():
        return
    known = {artifact.name: artifact for artifact in artifacts}
    coming = folder.with_name(f"{folder.name}.coming")
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    for name in files:
        if name not in known:
            raise NotFound(f"Nothing is kept of {name}.")
        _fetch(known[name], coming / name, blobs)
    coming.rename(folder)


def _fetch(artifact: Artifact, target: Path, blobs: Blobs) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with closing(blobs.open(artifact.blob_key)) as stream, target.open("wb") as sink:
        while sink.tell() <= artifact.size and (piece := stream.read(_CHUNK)):
            digest.update(piece)
            sink.write(piece)
    if digest.hexdigest() != artifact.sha256:
        raise DecodeError(f"What is kept of {artifact.name} is not what was collected.")
