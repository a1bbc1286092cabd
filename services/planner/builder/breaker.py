"""When a build has gone astray: too many turns or failed tests, questions without end, nothing that moves. Pure."""

from __future__ import annotations

import hashlib
import json

from services.planner.model import Work
from services.planner.ports import LlmAnswer

# Decisions: twice what the longest good builds took against the scripted dialogues.
MAX_TURNS = 30  # since a person last spoke or decided
MAX_ASKS = 5  # rounds of questions before there is a plan
MAX_TESTS = 6  # failed rehearsals in a row
_SAME = 3  # the same step this often among the last `_WINDOW`
_WINDOW = 9


def signature(answer: LlmAnswer, digest: str) -> str:
    """What a step tries to do, so that the same step looks the same. digest: of the agent's files before it."""
    calls = [(call.name, call.input if call.input is not None else call.raw) for call in answer.calls]
    said = json.dumps(calls or answer.text.strip()[:200], ensure_ascii=False, sort_keys=True, default=str)
    # The same test of other files is another step; writing the same file again is not.
    tests = digest if any(name == "run_test" for name, _ in calls) else ""
    return hashlib.sha256(f"{said}\n{tests}".encode()).hexdigest()[:16]


def noted(work: Work, step: str) -> Work:
    return work.but(recent=(*work.recent, step)[-_WINDOW:], turns=work.turns + 1, since=work.since + 1)


def tripped(work: Work) -> str:
    """The trouble's code, "" when all is well. Asked after a step was noted."""
    if work.failed_tests >= MAX_TESTS:
        return "tests_fail"
    if work.recent and work.recent.count(work.recent[-1]) >= _SAME:
        return "looping"
    return "too_many_turns" if work.since >= MAX_TURNS else ""


def asked(work: Work) -> Work:
    """One more round of questions; after the first plan they are not counted."""
    return work.but(asks=work.asks + 1) if work.phase == "plan" else work


def asks_forever(work: Work) -> bool:
    """Asked before the next round is shown: a plan is welcome after any number of questions."""
    return work.asks >= MAX_ASKS and work.phase == "plan"


def afresh(work: Work) -> Work:
    """A person spoke: what went round in circles before may go on."""
    return work.but(
        recent=(), since=0, failures=0, failed_tests=0, asks=0 if work.phase == "code" else work.asks
    )
