"""What a long proof has found so far, kept on disk so that another call goes on where this one stopped."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Found = dict[str, Any]
ROOT = Path(__file__).parents[2]


class Record:
    """One line a finding, oldest first. what: the proof's name."""

    def __init__(self, what: str) -> None:
        self._path = ROOT / ".cache" / f"prove-{what}.jsonl"

    def known(self) -> list[Found]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]

    def note(self, found: Mapping[str, Any]) -> None:
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("a", encoding="utf-8") as record:
            record.write(json.dumps(found, ensure_ascii=False) + "\n")

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def asked(
    arguments: Sequence[str], about: str | None, record: Record, points: int = 0, *, called: str = "points"
) -> int:
    """Reads --again, which forgets earlier findings, and --points, or what they are called, where there is a number of
    them; that number."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--again", action="store_true", help="forget what was found earlier")
    if points:
        options.add_argument(f"--{called}", type=int, default=points)
    chosen = options.parse_args(arguments)
    if chosen.again:
        record.forget()
    return int(getattr(chosen, called, 0))


def at_points(
    record: Record, stages: Sequence[str], points: int, prove: Callable[[str, int], Found]
) -> list[Found]:
    """Every finding, old and new: the stages in turn, each with another seed every time. `problem` says what did not
    hold."""
    found = record.known()
    done = {(one["stage"], one["seed"]) for one in found}
    for number in range(points):
        stage, seed = stages[number % len(stages)], number // len(stages)
        if (stage, seed) in done:
            continue
        one = prove(stage, seed)
        found.append(one)
        record.note(one)
        print(f"{number + 1}/{points} {stage} seed {seed}: {one['problem'] or 'held'}", flush=True)
    return found
