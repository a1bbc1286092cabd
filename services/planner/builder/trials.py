"""Which replays a mended agent has to stand, in what order, and what they say together. Pure.

Read first: docs/decisions/0033-repair.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.planner.builder.quoting import quoted
from services.planner.model import Language, Trial, Work, say
from shared.records.executor import Run, Variation

GOOD_DAYS = 3
# What a right fix may not change on old pages. Which requests it makes is its own affair, as far as they are recorded.
_RESULTS = frozenset({"output", "delivery", "state", "end", "tape"})
_TOLD = 2_000


@dataclass(frozen=True)
class Wanted:
    """A replay to ask for; see Trial."""

    of: str
    variation: Variation = ""
    today: bool = False
    live: bool = False
    beside: str | None = None


@dataclass(frozen=True)
class Refused:
    """key: the sentence for the person (model.SAY), seen: what was found, as sentences in the agent's language."""

    key: str
    seen: tuple[str, ...]


def wanted(
    trials: Sequence[Trial], today: str, good: Sequence[str], remembers: bool
) -> tuple[str, list[Wanted]]:
    """What comes after these trials, all of which have ended well, and the sentence that says so; nothing when it has
    stood them all. today: the rehearsal. good: runs that went well, newest first. remembers: whether it keeps state.
    """
    done = {(trial.of, trial.variation, trial.live) for trial in trials}
    first = [Wanted(run) for run in good]
    first += [Wanted(good[0], "forgotten")] if good and remembers else []
    measure = next(
        (t.run_id for t in trials if t.variation == "forgotten" and t.end == "kept" and not t.today), None
    )
    second = [Wanted(today, "altered", today=True), Wanted(today, "altered_numbers", today=True)]
    second += [Wanted(today, "altered_pages", today=True)] if remembers else []
    second += [Wanted(run, "altered") for run in good[:1]]
    second += [Wanted(today, "forgotten", today=True, beside=measure or run) for run in good[:1]]
    third = [Wanted(today, "emptied", today=True), Wanted(today, "error", today=True)]
    fourth = [
        Wanted(good[0], trial.variation, live=True)
        for trial in trials
        if trial.variation in ("emptied", "error") and trial.end == "kept" and not trial.live and good
    ]
    for sentence, stage in (
        ("replaying", first),
        ("altering", second),
        ("emptying", third),
        ("comparing", fourth),
    ):
        missing = [want for want in stage if (want.of, want.variation, want.live) not in done]
        if missing:
            return sentence, missing
    return "", []


def ended(trial: Trial, run: Run) -> Trial:
    kept = run.status == "succeeded" and run.outcome == "pending"
    gone = run.status == "refused" and run.reason is not None and run.reason.code == "not_found"
    told = tuple(d.text for d in run.differences if trial.variation or d.kind in _RESULTS)
    reason = (run.reason.text,) if run.reason is not None and not kept else ()
    end = "kept" if kept else "gone" if gone else "broken"
    told = (*told, *reason)
    return trial.model_copy(update={"end": end, "same": run.same, "told": told, "sample": run.sample})


@dataclass(frozen=True)
class Repair:
    """sure: it stood every trial. shown: of the result's entry, see shared/records/planner.py."""

    sure: Literal["sure", "unsure"]
    shown: dict[str, Any]


def repair(work: Work) -> Repair | None:
    """None when nothing was mended."""
    if not work.repairs:
        return None
    stood = bool(work.trials) and all(trial.end for trial in work.trials)
    return Repair("sure" if stood and not work.unsure else "unsure", _shown(work.trials, work.unsure))


def _shown(trials: Sequence[Trial], unsure: Sequence[str]) -> dict[str, Any]:
    """Rows of the good day and of today side by side, and what could not be tried."""
    tried = [trial for trial in trials if trial.variation == "altered" and trial.sample]
    sides = {
        "before": next((trial for trial in tried if not trial.today), None),
        "after": next((trial for trial in tried if trial.today), None),
    }
    shown = {
        side: {"run_id": trial.of, "rows": [rows.model_dump(mode="json") for rows in trial.sample]}
        for side, trial in sides.items()
        if trial is not None
    }
    return {"unsure": list(unsure), **shown} if shown or unsure else {}


def refused(trials: Sequence[Trial]) -> Refused | None:
    """The first of the ended trials that was not stood."""
    noticed = {trial.variation for trial in trials if trial.live and trial.end == "broken"}
    for trial in trials:
        if trial.end in ("", "gone") or trial.live:
            continue
        if not trial.variation:
            if trial.end == "broken" or trial.same is None or trial.told:
                return Refused("not_the_same", trial.told)
        elif trial.variation == "forgotten":
            if trial.end == "kept" and trial.same is False:
                return Refused("not_all_of_it", trial.told)
        elif trial.variation.startswith("altered"):
            if trial.end == "broken":
                return Refused("fails_on_others", trial.told)
            if trial.same is False:
                return Refused("not_from_page", trial.told)
        elif trial.end == "kept" and (trial.same is False or trial.variation in noticed):
            return Refused("not_noticed", trial.told)
    return None


def unsure(trials: Sequence[Trial], good: Sequence[str], language: Language) -> tuple[str, ...]:
    """What the trials could not tell, for the person."""
    found: dict[str, None] = {}
    if not good:
        found[say("no_good_day", language)] = None
    if any(trial.end == "gone" for trial in trials):
        found[say("no_recording", language)] = None
    compared = {trial.variation for trial in trials if trial.live and trial.end in ("kept", "broken")}
    for trial in trials:
        if trial.variation == "altered" and trial.today and trial.end == "kept":
            found |= dict.fromkeys(trial.told)
        if trial.variation == "forgotten" and trial.today and trial.end != "gone" and not trial.same:
            told = trial.told if trial.end == "kept" else ()
            found |= dict.fromkeys(told or (say("not_covered", language),))
        if trial.variation in ("emptied", "error") and not trial.live and trial.end == "kept":
            found |= {} if trial.variation in compared else {say("not_compared", language): None}
    return tuple(found)


_FOR_MODEL = {
    "not_the_same": "Today's pages were read well, but on the recording of a good day the result changed. The same "
    "files, reports and memory must come out of the old pages as then.",
    "not_from_page": "The same pages were given with other titles and numbers in them, and what came out did not "
    "follow: it was written down in the code or taken from memory. Read it from the page, whatever it says.",
    "not_all_of_it": "On a good day the whole list was reported, or another of numbers that stand beside each other. "
    "Today rows of the list are missing, or the other number was read. Report what was reported then, all of it.",
    "fails_on_others": "The same pages were given with other titles and numbers in them, and the program did not come "
    "to a good end. It must read whatever the page says, not what it says today.",
    "not_noticed": "The pages were given empty, or answered 503, and the program said that all was well. Where "
    "nothing can be read it must fail or break a promise; never report remembered or prepared rows.",
}


def for_model(why: Refused) -> str:
    """Values from pages may stand in it: quoted."""
    seen = "\n".join(why.seen)
    return _FOR_MODEL[why.key] + (f"\n{quoted('comparison', seen, _TOLD)}\n" if seen else "")
