"""The outcome contract, evaluated without a model over measured facts, and refused where it proves nothing.

Semantics of each kind: docs/decisions/0013-outcome-contract.md. A check never raises: what is missing or
cannot be read is a check that did not hold, with a sentence that says so. Read next: `contract_checks.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.agentfile.contract_checks import look
from shared.agentfile.contract_hollow import blank_run, error_runs, idle_run, own_words_run, tells_a_repeat
from shared.agentfile.facts import Facts
from shared.agentfile.model import Check, Language, Part

DAY_S = 86_400


class CheckResult(Part):
    """One check read against one run.

    says      the check's own sentence: what should hold
    held      whether it did
    sentence  what was seen and what was expected, for a person
    """

    check: str
    says: str
    held: bool
    sentence: str


def evaluate(checks: Sequence[Check], facts: Facts, language: Language = "ko") -> list[CheckResult]:
    """One result per check, in order. Pure: the same facts give the same results."""
    results = []
    for check in checks:
        seen = look(check, facts)
        results.append(
            CheckResult(
                check=check.check,
                says=check.says,
                held=seen.held,
                sentence=seen.said[0 if language == "ko" else 1],
            )
        )
    return results


def is_vacuous(
    checks: Sequence[Check],
    language: Language = "ko",
    *,
    reads_sources: bool = False,
    own_words: Sequence[str] = (),
    expects_news: bool = False,
    news_every_s: int = DAY_S,
    keeps_state: bool = True,
) -> str | None:
    """Why a contract proves nothing, or None when it proves something.

    Always refused: what a run that did nothing keeps, or one that left every file it names empty and sent one
    blank report. The rest depends on what the agent is:

    reads_sources  it reads pages or services: refused when a run keeps it that got an error page instead. The
                   words its `text` checks ask for are then taken as written by the code itself.
    own_words      texts the agent has of itself (name, title): refused when a report of these alone keeps it
    expects_news   every run must bring something that the last one did not: refused when yesterday's files keep
                   it; `news_every_s` is the time between runs, `keeps_state` whether there is a last run to
                   compare with
    """
    kept = _why_kept(checks, reads_sources, own_words)
    news_is_told = any(tells_a_repeat(check, news_every_s, keeps_state) for check in checks)
    if kept is None and expects_news and not news_is_told:
        kept = "repeat"
    return None if kept is None else _WHY[kept][0 if language == "ko" else 1]


def _why_kept(checks: Sequence[Check], reads_sources: bool, own_words: Sequence[str]) -> str | None:
    """The first kind of run without a result that keeps the contract."""

    def kept_by(facts: Facts) -> bool:
        return all(look(check, facts).held for check in checks)

    if not checks:
        return "none"
    if kept_by(idle_run()):
        return "idle"
    if kept_by(blank_run(checks)):
        return "blank"
    if reads_sources and any(kept_by(facts) for facts in error_runs(checks)):
        return "error_page"
    words = [*own_words, *(word for check in checks for word in check.contains if check.check == "text")]
    if kept_by(own_words_run(checks, words if reads_sources else own_words)):
        return "own_words"
    return None


_WHY = {
    "none": (
        "확인 조건이 없어요. 무엇이 나와야 하는지 하나 이상 정해 주세요.",
        "There is no check. Say at least one thing that must come out.",
    ),
    "idle": (
        "아무 일도 하지 않은 실행도 이 조건을 지켜요. 결과물이 있는지 확인하는 조건을 더해 주세요.",
        "A run that did nothing would keep this. Add a check that something came out.",
    ),
    "blank": (
        "빈 결과도 이 조건을 지켜요. 줄 수나 들어 있어야 할 내용을 확인하는 조건을 더해 주세요.",
        "An empty result would keep this. Add a check on how many rows or which content.",
    ),
    "error_page": (
        "오류나 로그인 화면을 받은 실행도 이 조건을 지켜요. 원본에서 온 줄 수나 값을 확인해 주세요.",
        "A run that got an error or sign-in page would keep this. Check rows or values from the source.",
    ),
    "own_words": (
        "코드가 스스로 쓰는 말만 확인해요. 원본에서 온 내용이 있는지 확인하는 조건을 더해 주세요.",
        "This only checks words the code writes by itself. Add a check on what came from the source.",
    ),
    "repeat": (
        "지난번과 똑같은 결과도 이 조건을 지켜요. 바뀐 내용이나 새 날짜가 있는지 확인해 주세요.",
        "Last time's result would keep this. Check that something changed or that a date is recent.",
    ),
}
