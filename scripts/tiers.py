"""`make test`: every tier, two at a time, each with its output in `.cache/tiers/`, shown when it fails.

A tier that cannot run here is skipped with its reason; with CI set, skipping is failing.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import threading
import time
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from scripts import page_build
from scripts.checks import TIERS, Counts, Step, Tier
from scripts.console import CannotContinue, run_command, say
from scripts.layout import CACHE, VENV
from scripts.packages import ensure_dev, ensure_node, node_environment
from scripts.tools import Failed, Tool, clean_environment

AT_ONCE = 2  # the smallest machine this must be quick on has two cores
OUTPUT = CACHE / "tiers"


@dataclass
class Result:
    tier: Tier
    counts: Counts = field(default_factory=Counts)
    reasons: list[str] = field(default_factory=list)
    output: str = ""
    seconds: float = 0.0

    def line(self, strict: bool) -> str:
        if self.counts.failed:
            state = f"FAILED ({self.counts.failed})"
        elif self.counts.skipped and strict:
            state = "FAILED: with CI set nothing may be skipped: " + "; ".join(self.reasons)
        elif self.counts.passed:
            state = f"passed ({self.counts.passed})"
            if self.counts.skipped:
                state += f", {self.counts.skipped} skipped because " + "; ".join(self.reasons)
        else:
            state = "skipped because " + ("; ".join(self.reasons) or "it holds no test")
        return f"  {self.tier.name:<9} {self.seconds:6.1f} s  {state}"


class Runner:
    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self._tools: list[Tool] = []
        self._waiting: queue.SimpleQueue[Tier] = queue.SimpleQueue()
        self._results: list[Result] = []
        self._say = threading.Lock()

    def run(self, tiers: list[Tier]) -> list[Result]:
        for tier in tiers:
            self._waiting.put(tier)
        threads = []
        for _ in range(AT_ONCE):
            tool = Tool()
            self._tools.append(tool)
            threads.append(threading.Thread(target=self._work, args=(tool,), daemon=True))
            threads[-1].start()
        for thread in threads:
            while thread.is_alive():  # a join without a limit would hold Ctrl-C back
                thread.join(0.5)
        return sorted(self._results, key=lambda result: [*TIERS].index(result.tier.name))

    def stop(self) -> None:
        for tool in self._tools:
            tool.stop()

    def _work(self, tool: Tool) -> None:
        while True:
            try:
                tier = self._waiting.get_nowait()
            except queue.Empty:
                return
            result = _run_tier(tier, tool)
            with self._say:
                self._results.append(result)
                if result.counts.failed or (self._strict and result.counts.skipped):
                    say(f"\n===== {tier.name} =====\n{result.output}")
                say(result.line(self._strict))


def _run_tier(tier: Tier, tool: Tool) -> Result:
    result = Result(tier)
    started = time.monotonic()
    try:
        if why := tier.missing():
            result.counts.skipped += 1
            result.reasons.append(why)
        else:
            if tier.needs_node:
                ensure_node(tool)
            if tier.needs_page:
                page_build.build(tool)
            for step in tier.steps():
                _run_step(tier, step, tool, result)
    except CannotContinue as problem:
        result.counts.failed += 1
        said = problem.output if isinstance(problem, Failed) else ""
        result.output += f"{said}{problem}\n"
    result.seconds = time.monotonic() - started
    return result


def _run_step(tier: Tier, step: Step, tool: Tool, result: Result) -> None:
    env = _environment(tier)
    report = OUTPUT / f"{tier.name}-{step.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    lines: list[str] = []
    command = [str(part).replace("{report}", str(report)) for part in step.command]
    status = 0
    try:
        tool.run(f"tiers/{tier.name}-{step.name}", command, cwd=step.cwd, env=env, on_line=lines.append)
    except Failed as failure:
        status = failure.status
    result.output += "\n".join([f"$ {' '.join(command)}", *lines, ""])
    if not step.counted or not report.exists():
        result.counts.add(Counts(failed=1) if status else Counts(passed=1))
        return
    counts, reasons = read_report(report.read_text(encoding="utf-8"))
    if status not in (0, 5) and not counts.failed:  # 5: pytest found no test
        counts.failed = 1
    if status == 5:
        counts, reasons = Counts(skipped=1), ["it holds no test yet"]
    result.counts.add(counts)
    result.reasons += [reason for reason in reasons if reason not in result.reasons]


def read_report(xml: str) -> tuple[Counts, list[str]]:
    """Counts and the reasons of skips from a JUnit file (pytest and vitest write the same form)."""
    counts = Counts()
    reasons: list[str] = []
    for case in ET.fromstring(xml).iter("testcase"):  # noqa: S314 - written by our own test run
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif skipped is not None:
            counts.skipped += 1
            reasons.append(skipped.get("message") or "no reason was given")
        else:
            counts.passed += 1
    return counts, sorted(set(reasons))


def _environment(tier: Tier) -> dict[str, str]:
    """A person's own AB_* settings and model keys stay out of the tests."""
    env = node_environment() if tier.needs_node else clean_environment()
    kept = {key: value for key, value in env.items() if not key.startswith(("AB_", "ANTHROPIC_"))}
    if "CI" in os.environ:
        kept["CI"] = os.environ["CI"]
    elif not tier.needs_node:
        kept.pop("CI", None)
    kept["PATH"] = os.pathsep.join([str(VENV / "bin"), kept.get("PATH", os.defpath)])
    return kept


def main() -> int:
    options = argparse.ArgumentParser(description="Run the tests, tier by tier.")
    options.add_argument("tiers", nargs="*", help=f"some of: {' '.join(TIERS)}; none means all")
    names = options.parse_args().tiers or [*TIERS]
    if unknown := [name for name in names if name not in TIERS]:
        raise CannotContinue(f"There is no tier '{unknown[0]}': choose from {' '.join(TIERS)}.")
    strict = bool(os.environ.get("CI"))
    runner = Runner(strict)

    def end(number: int, frame: object) -> None:
        runner.stop()
        os._exit(128 + number)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    started = time.monotonic()
    say("Preparing packages …")
    ensure_dev(Tool())
    results = runner.run(sorted((TIERS[name] for name in names), key=lambda tier: -tier.weight))
    say(f"\nTiers ({time.monotonic() - started:.0f} s):")
    total = Counts()
    for result in results:
        say(result.line(strict))
        total.add(result.counts)
    say(f"\n{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or (strict and total.skipped) else 0


if __name__ == "__main__":
    run_command(main)
