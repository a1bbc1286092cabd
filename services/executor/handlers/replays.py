"""A replay has ended: everything it did is held against what was recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.variations import followed
from services.executor.model import AttemptResult
from services.executor.ports import Order, RunLimits
from services.executor.tapes import differences
from services.executor.tapes.differences import FilePair, Teller
from shared.agentfile.model import Language
from shared.errors import DecodeError, NotFound
from shared.ids import derived
from shared.records.executor import Difference, Rows, Run
from shared.records.tapes import TapeEntry

_LIMITS = RunLimits(wall_s=30, cpu_s=30, memory_bytes=512 << 20, disk_bytes=32 << 20, processes=8)
_STATE = "\n"  # no file of a run can be called so
_ANSWER_BYTES = 4 << 20


class Compared(BaseModel):
    """same None: there was nothing to compare with."""

    model_config = ConfigDict(frozen=True)

    same: bool | None = None
    differences: tuple[Difference, ...] = ()
    sample: tuple[Rows, ...] = ()


class _Answer(BaseModel):
    name: str
    same: bool
    how: str
    before: str
    after: str


_ANSWERS = TypeAdapter(list[_Answer])


def compare(run: Run, result: AttemptResult | None, language: Language, deps: Deps) -> Compared:
    """Reads both attempts' documents, tapes and files; contents of files are looked at in a sandbox only."""
    if run.variation and result is not None:
        told = followed(run, result, language, deps)
        return Compared(same=told.same, differences=told.differences, sample=told.sample)
    source = repository.Runs(deps.store).find(run.replay_of or "")
    record = deps.tapes.tape_of(run.replay_of or "")
    before = repository.find_attempt(deps.store, record.id) if record else None
    if source is None or record is None or before is None or result is None:
        return Compared()
    teller = Teller(language)
    complete = _requests(record.id, result.id, deps, teller)
    old = {a.name: (a.sha256, a.blob_key) for a in repository.artifacts_of(deps.store, source.id)}
    new = {a.name: (a.sha256, a.blob_key) for a in repository.artifacts_of(deps.store, run.id)}
    pairs = _pairs(run, before, result, old, new, deps)
    were, are = ({name: digest for name, (digest, _) in side.items()} for side in (old, new))
    differences.files(were, are, [pair for pair in pairs if pair.name != _STATE], teller)
    differences.deliveries(before.deliveries, result.deliveries, teller)
    differences.state(before, result, next((pair for pair in pairs if pair.name == _STATE), None), teller)
    differences.ends(before, result, teller)
    found = teller.all()
    return Compared(same=not found if complete else False if found else None, differences=found)


def recorded_end(run: Run, deps: Deps) -> str:
    """Now; of a replay, the moment the recorded run ended: how fresh its files are counts from there."""
    source = repository.Runs(deps.store).find(run.replay_of) if run.replay_of else None
    return (source and source.finished_at) or deps.now()


def _requests(before_id: str, after_id: str, deps: Deps, teller: Teller) -> bool:
    """False when one of the tapes is not whole, so that nobody can say they are the same."""
    before, after = (_entries(id, deps) for id in (before_id, after_id))
    if before is None or after is None:
        korean = "녹화를 다 읽을 수 없어서 요청은 비교하지 못했어요."
        teller.tell("tape", "", korean, "The recording cannot be read whole, so requests were not compared.")
        return False
    differences.requests(before[0], after[0], teller)
    if not (before[1] and after[1]):
        korean = "녹화할 수 있는 양을 넘어서 빠진 내용이 있어요. 그 부분은 비교하지 못했어요."
        teller.tell("tape", "", korean, "Some of it was too large to record, and could not be compared.")
        return False
    return True


def _entries(attempt_id: str, deps: Deps) -> tuple[tuple[TapeEntry, ...], bool] | None:
    record = repository.find_tape(deps.store, attempt_id)
    if record is None:
        return None
    try:
        return deps.tapes.content(record).entries, record.complete
    except (NotFound, DecodeError):
        return None


Files = Mapping[str, tuple[str, str]]  # name -> digest and blob


def _pairs(
    run: Run, before: AttemptResult, after: AttemptResult, old: Files, new: Files, deps: Deps
) -> list[FilePair]:
    """The files of both sides whose bytes differ, looked into."""
    wanted = {
        name: (old[name][1], new[name][1]) for name in old if name in new and old[name][0] != new[name][0]
    }
    if before.state_key and after.state_key and before.state_sha256 != after.state_sha256:
        wanted[_STATE] = (before.state_key, after.state_key)
    if not wanted:
        return []
    folder = deps.folders.fresh("compare")
    try:
        names = [name for name, keys in wanted.items() if _fetch(keys, len(_here(folder)), folder, deps)]
        return _looked_at(run, names, folder, deps) + [
            FilePair(name, same=False) for name in wanted if name not in names
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _here(folder: Path) -> list[Path]:
    return list((folder / "after").iterdir()) if (folder / "after").is_dir() else []


def _fetch(keys: tuple[str, str], number: int, folder: Path, deps: Deps) -> bool:
    """False when one of them is no longer there."""
    if any(deps.blobs.info(key) is None for key in keys):
        return False
    for side, key in zip(("before", "after"), keys, strict=True):
        (folder / side).mkdir(exist_ok=True)
        with deps.blobs.open(key) as source, (folder / side / str(number)).open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    return True


def _looked_at(run: Run, names: list[str], folder: Path, deps: Deps) -> list[FilePair]:
    order = Order(
        id=derived("cmp", run.id, deps.ids.new("try")),
        code_dir=deps.checker_dir,
        entry="compare.py",
        input=names,
        limits=_LIMITS,
        mounts={"/before": folder / "before", "/after": folder / "after"},
        now=deps.now(),
    )
    data = deps.oneshot.run(order, "compare.json", max_bytes=_ANSWER_BYTES) if names else b"[]"
    try:
        answers = {answer.name: answer for answer in _ANSWERS.validate_python(json.loads(data or b""))}
    except (ValueError, ValidationError, RecursionError):
        answers = {}
    found = []
    for name in names:
        answer = answers.get(name)
        found.append(FilePair(**answer.model_dump()) if answer else FilePair(name, same=False))
    return found
