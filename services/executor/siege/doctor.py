"""`make doctor`: what the sandbox of this machine holds to, shown, tried out with every case, written down."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from services.executor import limits
from services.executor.ports import Enforcement, Sandbox
from services.executor.siege import proof
from services.executor.siege.cases import read
from services.executor.siege.judge import Found, Judge
from shared.clock import Clock, stamp

Say = Callable[[str], None]


def examine(sandbox: Sandbox, folder: Path, data_dir: Path, clock: Clock, say: Say) -> bool:
    """Whether runs may start here. folder: room for the cases, emptied; data_dir: where the proof is kept."""
    found = sandbox.enforcement()
    tell_enforcement(found, say)
    if "all" in found.missing:
        return False
    cases = read()
    say(f"\nTrying {len(cases)} attacks from inside …")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    try:
        results = Judge(sandbox, folder, found.backend).try_all(cases, Progress(len(cases), say).heard)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in table(results):
        say(line)
    proof.write(data_dir, proven(found.backend, results, stamp(clock.now())))
    escaped = [one for one in results if one.verdict == "ESCAPED"]
    if escaped:
        say("\n" + proof.refusal(proven(found.backend, results, "")))
    return not escaped


def proven(backend: str, results: Sequence[Found], at: str) -> proof.Proof:
    return proof.Proof(
        backend=backend,
        kernel=proof.kernel(),
        version=proof.version(),
        held=sum(one.held for one in results),
        total=len(results),
        at=at,
        escaped=tuple(one.case.id for one in results if one.verdict == "ESCAPED"),
        open=tuple(one.case.id for one in results if not one.held and one.verdict != "ESCAPED"),
    )


def tell_enforcement(found: Enforcement, say: Say) -> None:
    say(f"sandbox: {found.backend}")
    if note := limits.note(found, "en"):
        say(f"  {note}")
    for name in sorted(found.enforced):
        say(f"  enforced      {name}")
    for name, text in sorted(found.missing.items()):
        say(f"  not enforced  {name}: {limits.told(text, 'en')}")


class Progress:
    """Says every tenth, and at once what was not held."""

    def __init__(self, total: int, say: Say) -> None:
        self._total = total
        self._say = say
        self._done = 0

    def heard(self, found: Found) -> None:
        self._done += 1
        if not found.held:
            self._say(f"  {found.verdict}  {found.case.id}  {found.shown[:300]}")
        if self._done % 10 == 0 or self._done == self._total:
            self._say(f"  {self._done}/{self._total}")


def table(results: Iterable[Found]) -> list[str]:
    """One line for each category: cases, held, and the verdicts that are not a plain "held"."""
    groups: dict[str, list[Found]] = {}
    for one in results:
        groups.setdefault(one.case.category, []).append(one)
    lines = [f"{'class':<11}{'cases':>6}{'held':>6}{'escaped':>9}"]
    for name, group in sorted(groups.items()):
        lines.append(_line(name, group))
    return [*lines, _line("all", [one for group in groups.values() for one in group])]


def _line(name: str, group: Sequence[Found]) -> str:
    held, out = sum(one.held for one in group), sum(one.verdict == "ESCAPED" for one in group)
    return f"{name:<11}{len(group):>6}{held:>6}{out:>9}"
