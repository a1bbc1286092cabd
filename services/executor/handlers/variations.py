"""Replays that are given something else than their recording: what exactly, and whether what came out followed it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError

from services.executor import repository
from services.executor.deps import Deps
from services.executor.model import AttemptResult
from services.executor.ports import Order, RunLimits
from services.executor.tapes import coverage, following
from services.executor.tapes.differences import Teller
from services.executor.tapes.following import FileCells, Given, Report
from services.executor.tapes.places import Page
from services.executor.tapes.renaming import Renaming, renaming
from services.executor.tapes.replay import answerable
from services.executor.tapes.variation import Varied, plain, readable, remembered
from shared.agentfile import bundle, toml
from shared.agentfile.model import Language
from shared.errors import DecodeError, NotFound
from shared.ids import derived
from shared.records.executor import Artifact, Difference, QueuedDelivery, Rows, Run
from shared.records.planner import Version
from shared.records.tapes import TapeContent, TapeRecord

_LIMITS = RunLimits(wall_s=30, cpu_s=30, memory_bytes=512 << 20, disk_bytes=32 << 20, processes=8)
_ANSWER_BYTES = 8 << 20
_BODY_BYTES = 4 << 20  # of one page; longer ones are given as they are
_MOST_FILES = 40
_FILES = TypeAdapter(list[FileCells])


@dataclass(frozen=True)
class _Scene:
    """source: the run that is played again. memory: files it began with. reports: by side (before, remembered, now)."""

    source: Run
    record: TapeRecord
    content: TapeContent
    memory: tuple[bytes, ...]
    kept: str
    reports: Mapping[str, Report]


def varied(run: Run, deps: Deps) -> Varied | None:
    """What a replay is given; None: its recording as it is. Raises: NotFound when that is gone."""
    if not run.variation.startswith("altered"):
        return Varied(run.variation) if run.variation else None
    scene = _scene(run, None, deps)
    return Varied(run.variation, _renaming(run, scene, _pages(scene, deps)))


@dataclass(frozen=True)
class Followed:
    """See shared/records/executor.py, Run."""

    same: bool | None = None
    differences: tuple[Difference, ...] = ()
    sample: tuple[Rows, ...] = ()


def followed(run: Run, result: AttemptResult, language: Language, deps: Deps) -> Followed:
    """See tapes.following and tapes.coverage."""
    teller = Teller(language)
    try:
        scene = _scene(run, result, deps)
        pages = _pages(scene, deps)
        if run.variation == "forgotten":
            return _covered(run, scene, pages, deps, teller)
    except (NotFound, DecodeError):
        return Followed()
    change = _renaming(run, scene, pages)
    same = _judged(run, scene, change, pages, teller)
    return Followed(same, teller.all(), scene.reports["before"].sample())


def _covered(
    run: Run, scene: _Scene, pages: Sequence[tuple[str, bool]], deps: Deps, teller: Teller
) -> Followed:
    """Raises: DecodeError, NotFound."""
    sample = scene.reports["before"].sample()
    record = deps.tapes.tape_of(run.beside) if run.beside else None
    attempt = repository.find_attempt(deps.store, record.id) if record else None
    if record is None or attempt is None or record.workspace_id != run.workspace_id:
        return Followed(sample=sample)
    side = (repository.artifacts_of(deps.store, record.run_id), attempt.deliveries)
    then = _reports(run, {"then": side}, deps)["then"]
    pages_then = _texts(record, deps.tapes.content(record), deps)
    days = [
        coverage.Day(report, [Page(text, grouped=grouped) for text, grouped in shown], scene.kept)
        for report, shown in ((then, pages_then), (scene.reports["now"], pages))
    ]
    same = coverage.covered(days[0], days[1], teller)
    return Followed(same, teller.all(), sample)


def _judged(
    run: Run, scene: _Scene, change: Renaming, pages: Sequence[tuple[str, bool]], teller: Teller
) -> bool | None:
    before, now = scene.reports["before"], scene.reports["now"]
    memory = [text if (text := plain(data)) is not None else data.decode("latin-1") for data in scene.memory]
    if run.variation in ("emptied", "error"):
        remembered = scene.reports["remembered"]
        return following.nothing(before, remembered, now, Given(change, (), memory, scene.kept), teller)
    changed = [change.apply(text, grouped=grouped) for text, grouped in pages]
    if run.variation == "altered_pages":
        return following.pages_altered(before, now, Given(change, changed, memory, scene.kept), teller)
    other = [
        change.apply(text) if plain(data) is not None else text
        for text, data in zip(memory, scene.memory, strict=True)
    ]
    return following.altered(before, now, Given(change, changed, other, scene.kept), teller)


def _scene(run: Run, result: AttemptResult | None, deps: Deps) -> _Scene:
    source = repository.Runs(deps.store).get(run.replay_of or "")
    record, content = deps.tapes.source(run, "en")
    state = repository.state_of(deps.store, source.agent_id, source.state_base) if source.state_base else None
    maker = repository.Runs(deps.store).find(state.run_id) if state else None
    before = repository.find_attempt(deps.store, record.id)
    sides: dict[str, tuple[Sequence[Artifact], Sequence[QueuedDelivery]]] = {
        "before": (repository.artifacts_of(deps.store, source.id), before.deliveries if before else ()),
        "remembered": ((), ()),
        "now": ((), ()),
    }
    if maker is not None:
        sides["remembered"] = (repository.artifacts_of(deps.store, maker.id), maker.deliveries)
    if result is not None:
        sides["now"] = (repository.artifacts_of(deps.store, run.id), result.deliveries)
    archive = deps.blobs.get(state.blob_key) if state else None
    return _Scene(
        source,
        record,
        content,
        tuple(remembered(archive)),
        _kept(run, content, deps),
        _reports(run, sides, deps),
    )


def _renaming(run: Run, scene: _Scene, pages: Sequence[tuple[str, bool]]) -> Renaming:
    before = scene.reports["before"]
    made = renaming(before.texts(), [text for text, _ in pages], scene.kept, before.counts())
    return made.numbers_only() if run.variation == "altered_numbers" else made


def _pages(scene: _Scene, deps: Deps) -> list[tuple[str, bool]]:
    return _texts(scene.record, scene.content, deps)


def _texts(record: TapeRecord, content: TapeContent, deps: Deps) -> list[tuple[str, bool]]:
    """Text of every recorded answer, and whether numbers in it are grouped by commas."""
    found: dict[str, tuple[str, bool]] = {}
    for entry in content.entries:
        if entry.answer_body is None or entry.answer_body in found or not answerable(entry):
            continue
        if entry.answer_size > _BODY_BYTES:
            continue
        text = readable(entry.answer_headers, deps.tapes.body(record, entry.answer_body))
        if text is not None:
            kind = next((value for name, value in entry.answer_headers if name.lower() == "content-type"), "")
            found[entry.answer_body] = (text[0], "csv" not in kind.lower())
    return list(found.values())


def _kept(run: Run, content: TapeContent, deps: Deps) -> str:
    """The code as it is live, or the version's own where none is; its agent file; the addresses it asks; its input."""
    agent = deps.gateway.get("agents", run.agent_id)
    live = agent.data.get("version_id") if agent is not None else None
    document = deps.planner.get("versions", str(live or run.version_id))
    texts = [json.dumps(content.head.input, ensure_ascii=False)]
    texts += [unquote(entry.url) for entry in content.entries]
    if document is not None:
        version = Version.from_doc(document.data)
        texts.append(toml.dump(version.agent_file))
        if live:
            files = bundle.unpack(deps.blobs.get(version.bundle_key))
            texts += [data.decode("utf-8", "replace") for name, data in files.items() if name.endswith(".py")]
    return "\n".join(texts)


def _reports(
    run: Run, sides: Mapping[str, tuple[Sequence[Artifact], Sequence[QueuedDelivery]]], deps: Deps
) -> dict[str, Report]:
    wanted = {a.sha256: a for artifacts, _ in sides.values() for a in artifacts[:_MOST_FILES]}
    read = _cells(run, list(wanted.values()), deps)
    found = {}
    for side, (artifacts, deliveries) in sides.items():
        files = [FileCells(a.name, *read.get(a.sha256, (False, (), ()))) for a in artifacts[:_MOST_FILES]]
        found[side] = Report(tuple(files), tuple(delivery.text for delivery in deliveries))
    return found


_Cells = tuple[bool, tuple[str, ...], tuple[tuple[str, ...], ...]]


def _cells(run: Run, artifacts: Sequence[Artifact], deps: Deps) -> dict[str, _Cells]:
    """By digest. Files are read in a sandbox only."""
    there = [artifact for artifact in artifacts if deps.blobs.info(artifact.blob_key) is not None]
    if not there:
        return {}
    folder = deps.folders.fresh("cells")
    try:
        for number, artifact in enumerate(there):
            with deps.blobs.open(artifact.blob_key) as stream, (folder / str(number)).open("wb") as sink:
                shutil.copyfileobj(stream, sink, 1 << 20)
        order = Order(
            id=derived("cells", run.id, deps.ids.new("try")),
            code_dir=deps.checker_dir,
            entry="cells.py",
            input=[artifact.name for artifact in there],
            limits=_LIMITS,
            mounts={"/files": folder},
            now=deps.now(),
        )
        data = deps.oneshot.run(order, "cells.json", max_bytes=_ANSWER_BYTES)
        files = _FILES.validate_python(json.loads(data or b"[]"))
    except (ValueError, ValidationError, RecursionError):
        return {}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {a.sha256: (f.read, f.header, f.rows) for a, f in zip(there, files, strict=False)}
