"""What became of each request, kept on disk so that another call goes on where this one stopped.

A request is written down with what it may spend before it is asked, and again with what it spent. Where the second
line is missing the process died in between: nobody knows what it spent, so all of it counts.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """stage, why: "" when the report was right. cost_usd: None when nobody knows the model's price. capped: it
    ended for want of tokens, which says nothing about the model; such a request is asked again."""

    id: str
    server: str
    model: str
    stage: str
    why: str
    tokens: int
    cost_usd: float | None
    seconds: float
    questions: int
    capped: bool = False

    @property
    def right(self) -> bool:
        return not self.stage


class Journal:
    """One line a result, oldest first; the newest of a request counts. Of one server and model.

    lost: tokens of requests that were begun and have no result.
    """

    def __init__(self, path: Path, server: str, model: str) -> None:
        self._path, self._server, self._model = path, server, model
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.all: list[Result] = []
        self.lost = 0
        given: dict[str, int] = {}
        for one in map(json.loads, lines):
            if (one["server"], one["model"]) != (server, model):
                continue
            if "begun" in one:
                self.lost += given.pop(one["begun"], 0)
                given[one["begun"]] = one["tokens"]
            else:
                given.pop(one["id"], None)
                self.all.append(Result(**one))
        self.lost += sum(given.values())

    @property
    def done(self) -> dict[str, Result]:
        return {one.id: one for one in self.all if not one.capped}

    @property
    def tokens(self) -> int:
        """Of every try, also of those that count for nothing or were lost."""
        return sum(one.tokens for one in self.all) + self.lost

    @property
    def usd(self) -> float:
        """Without what was lost, whose price nobody knows."""
        return sum(one.cost_usd or 0 for one in self.all)

    def begin(self, id: str, tokens: int) -> None:
        """Before it is asked. tokens: what it may spend."""
        self._write({"begun": id, "server": self._server, "model": self._model, "tokens": tokens})

    def note(self, result: Result) -> None:
        self.all.append(result)
        self._write(asdict(result))

    def _write(self, line: Mapping[str, object]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def forget(self) -> None:
        """The results of this server and model; those of others stay."""
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        others = [
            line
            for line in lines
            if (json.loads(line)["server"], json.loads(line)["model"]) != (self._server, self._model)
        ]
        if lines:
            self._path.write_text("".join(f"{line}\n" for line in others), encoding="utf-8")
        self.all, self.lost = [], 0


def summary(found: list[Result]) -> str:
    """A table by language and in all, then what went wrong where."""
    lines = [
        f"{'':<10}{'asked':>7}{'right':>7}{'tokens, median':>16}{'cost, all':>14}{'seconds, median':>17}"
    ]
    for name, here in (
        ("Korean", [one for one in found if one.id.startswith("ko-")]),
        ("English", [one for one in found if one.id.startswith("en-")]),
        ("all", found),
    ):
        if not here:
            continue
        right = sum(one.right for one in here)
        tokens = round(statistics.median(one.tokens for one in here))
        seconds = statistics.median(one.seconds for one in here)
        lines.append(f"{name:<10}{len(here):>7}{right:>7}{tokens:>16,}{_money(here):>14}{seconds:>17.1f}")
    lines += [f"- {one.id}: {one.stage}: {one.why}" for one in found if not one.right]
    return "\n".join(lines)


def _money(found: list[Result]) -> str:
    known = [one.cost_usd for one in found if one.cost_usd is not None]
    return f"${sum(known):.2f}" if len(known) == len(found) else "unknown"
