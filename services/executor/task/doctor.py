"""`doctor` where runs run: the attacks are tried on the sandbox in this container, and what was found is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from services.executor.ports import Ended, Sandbox, Usage
from services.executor.run_api.messages import PROOF, JobProof
from services.executor.siege.cases import Case, read
from services.executor.siege.doctor import Progress, proven, table
from services.executor.siege.judge import Judge
from shared.clock import Clock, stamp


def examine(
    sandbox: Sandbox,
    folder: Path,
    clock: Clock,
    say: Callable[[str], None],
    cases: Sequence[Case] | None = None,
) -> Ended:
    """cases: all, unless told. Unstartable where no sandbox works."""
    found = sandbox.enforcement()
    if "all" in found.missing:
        return Ended("unstartable", None, Usage(), detail=found.missing["all"])
    tried = read() if cases is None else cases
    siege, box = folder / "siege", folder / "doctor"
    siege.mkdir()
    siege.chmod(0o755)
    began = clock.monotonic()
    results = Judge(sandbox, siege, found.backend).try_all(tried, Progress(len(tried), say).heard)
    for line in table(results):
        say(line)
    all_of_it = proven(found.backend, results, stamp(clock.now()))
    told = JobProof(
        version=all_of_it.version,
        at=all_of_it.at,
        enforced=tuple(sorted(found.enforced)),
        missing=dict(found.missing),
        held=all_of_it.held,
        total=all_of_it.total,
        escaped=all_of_it.escaped,
        open=all_of_it.open,
    )
    (box / "outputs").mkdir(parents=True)
    (box / "outputs" / PROOF).write_text(told.model_dump_json(), encoding="utf-8")
    return Ended("exited", 0, Usage(wall_ms=int((clock.monotonic() - began) * 1000)), box)
