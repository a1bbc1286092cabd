"""The reviewer: reads an agent's code without running it and holds what it can reach against the manifest.

Why it refuses what it refuses: docs/decisions/0030-the-reviewer.md. How it reads: `world.py`, then `expressions.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from services.planner.review import powers
from services.planner.review.addresses import canonical
from services.planner.review.compare import Remark, Weight, compare
from services.planner.review.distributions import installed, is_there
from services.planner.review.finding import Finding, Review, Trace
from services.planner.review.says import says, tells_model
from services.planner.review.statements import execute
from services.planner.review.world import World
from shared.agentfile.model import AgentFile, Language

MOST_ROUNDS = 8
MOST_CODE_BYTES = 2_000_000
_COMPILED = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".pyo", ".pth")


def review(
    files: Mapping[str, bytes],
    agent_file: AgentFile,
    packages: Collection[str] = (),
    language: Language = "ko",
) -> Review:
    """Pure; nothing of it is executed, and nothing that the files hold makes it raise.

    files     a bundle by path; what is no Python is data that the code may read
    packages  names of all locked packages; empty: not known yet, the agent file's own list counts
    """
    manifest = agent_file.manifest
    world = World(
        files,
        secrets=frozenset(use.name for use in manifest.secrets),
        secret_hosts={use.name: canonical(use.host) for use in manifest.secrets},
    )
    remarks = list(_parse(world, files))
    remarks += _look_through(world)
    names = installed(agent_file.agent.packages, packages)
    traces = [trace for trace in _found(world, files, names) if _counts(trace, names)]
    traces.sort(
        key=lambda trace: (trace.finding.file, trace.finding.line, trace.finding.kind, trace.finding.what)
    )
    for trace in traces:
        remarks += compare(trace, manifest)
    return Review(
        capabilities=tuple(dict.fromkeys(trace.finding for trace in traces)),
        differences=_sentences(remarks, "difference", language),
        doubts=_sentences(remarks, "doubt", language),
        refusals=_sentences(remarks, "refusal", language),
        for_model="\n".join(_for_model(remarks)),
    )


def _parse(world: World, files: Mapping[str, bytes]) -> Iterator[Remark]:
    code = {name: data for name, data in sorted(files.items()) if name.endswith(".py")}
    if sum(map(len, code.values())) > MOST_CODE_BYTES:
        yield Remark("refusal", "refuse_intricate", next(iter(code)), 1)
        return
    for name, data in code.items():
        try:
            world.trees[name] = ast.parse(data)
        except SyntaxError as error:
            yield _unreadable(name, error.lineno or 1, error.msg or "invalid syntax")
        except (ValueError, RecursionError, MemoryError) as error:
            yield _unreadable(name, 1, str(error)[:200] or "not Python")
        else:
            world.modules[name] = world.scope("module", None, name)


def _unreadable(file: str, line: int, detail: str) -> Remark:
    return Remark("refusal", "refuse_syntax", file, line, {"detail": detail})


def _look_through(world: World) -> Iterator[Remark]:
    """Rounds until nothing new turns up: first with what is known, then with all else unknown. The last round
    writes down what is found."""
    try:
        _settle(world)
        world.settled = True
        _settle(world)
        tired = world.is_tired
        world.recording, world.steps = True, 0
        _round(world)
    except RecursionError:
        tired = True
    if tired or world.is_tired:
        yield Remark("refusal", "refuse_intricate", next(iter(world.modules)), 1)


def _settle(world: World) -> None:
    for _ in range(MOST_ROUNDS):
        world.changed, world.heap.changed = False, False
        _round(world)
        world.round += 1
        if not (world.changed or world.heap.changed):
            break


def _round(world: World) -> None:
    for name, tree in world.trees.items():
        execute(world, world.modules[name], tree.body)
    for scope, tree in list(world.fragments.values()):
        execute(world, scope, tree.body)


def _found(world: World, files: Mapping[str, bytes], names: frozenset[str]) -> Iterator[Trace]:
    for traces in world.traces.values():
        yield from traces
    for name in sorted(files):
        if name.endswith(_COMPILED):
            yield Trace(Finding("native", name, name, 1, certain=True))
    for name in sorted(names & powers.PACKAGES):
        yield Trace(Finding("package", name, "agent.toml", 0, certain=False), about="power")
    for name in sorted(names & powers.MINERS):
        yield Trace(Finding("package", name, "agent.toml", 0, certain=True), about="miner")


def _counts(trace: Trace, names: frozenset[str]) -> bool:
    """An import of what will be there, or one that the code can do without, is nothing."""
    if trace.finding.kind != "package" or trace.about not in ("import", "optional"):
        return True
    return trace.about == "import" and not is_there(trace.finding.what, names)


def _sentences(remarks: list[Remark], weight: Weight, language: Language) -> tuple[str, ...]:
    """Each once: the first place stands for all."""
    found: dict[tuple[str, str], str] = {}
    for remark in remarks:
        if remark.weight == weight:
            text = says(language, remark.key, remark.file, remark.line, **remark.values)
            found.setdefault((remark.key, repr(sorted(remark.values.items()))), text)
    return tuple(found.values())


def _for_model(remarks: list[Remark]) -> Iterator[str]:
    order: tuple[Weight, ...] = ("refusal", "difference", "doubt")
    for weight in order:
        lines = [
            tells_model(remark.key, remark.file, remark.line, **remark.values)
            for remark in remarks
            if remark.weight == weight and remark.curable
        ]
        yield from dict.fromkeys(lines)
