"""Runs' files measured as after a real run: written into a folder, read by the checker's own program in a process
of its own, its answer read back with suspicion."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.executor.checker.facts import read_facts
from shared.agentfile.facts import MAX_TEXT, DeliveryFact, Facts, FileFact

_PROGRAM = Path(__file__).parents[4] / "services/executor/checker"
# As the sandbox starts it: the program's folder first on the path, nothing of the environment; many folders in turn.
_RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import measure
for folder in sys.argv[2:]:
    measure.main(folder + "/outputs", folder + "/facts")
"""


@dataclass(frozen=True)
class Run:
    """files: name below outputs/ -> bytes. reports: (channel, text) that the code queued. now: ISO 8601, offset."""

    files: dict[str, bytes] = field(default_factory=dict)
    reports: tuple[tuple[str, str], ...] = ()
    now: str = "2026-11-22T09:00:00+09:00"

    def put(self, name: str, content: bytes | str) -> Run:
        data = content.encode() if isinstance(content, str) else content
        return replace(self, files=self.files | {name: data})

    def without(self, name: str) -> Run:
        return replace(self, files={other: data for other, data in self.files.items() if other != name})

    def text(self, name: str) -> str:
        return self.files[name].decode("utf-8")

    def saying(self, text: str) -> Run:
        return replace(self, reports=tuple((channel, text) for channel, _ in self.reports))


def measured(folder: Path, pairs: Sequence[tuple[Run | None, Run]]) -> list[Facts]:
    """For each (run before, run) the facts of the run; one process measures them all."""
    runs = [run for pair in pairs for run in pair if run is not None]
    places = {id(run): folder / str(number) for number, run in enumerate(runs)}
    for run in runs:
        (places[id(run)] / "outputs").mkdir(parents=True, exist_ok=True)
        for name, data in run.files.items():
            (places[id(run)] / "outputs" / name).write_bytes(data)
    command = [sys.executable, "-I", "-S", "-c", _RUN, str(_PROGRAM), *map(str, places.values())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return [_facts(places, run, before) for before, run in pairs]


def _facts(places: dict[int, Path], run: Run, before: Run | None) -> Facts:
    previous = None if before is None else _files(places, before)
    sent = tuple(DeliveryFact(channel=channel, text=text[:MAX_TEXT]) for channel, text in run.reports)
    data = (places[id(run)] / "facts" / "facts.json").read_bytes()
    return read_facts(data, now=run.now, deliveries=sent, previous=previous)


def _files(places: dict[int, Path], run: Run) -> dict[str, FileFact]:
    data = (places[id(run)] / "facts" / "facts.json").read_bytes()
    return dict(read_facts(data, now=run.now).files)
