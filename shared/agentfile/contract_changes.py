"""What changes when one contract takes the place of another: promises no longer made, and promises new or stricter.

What a promise is: `contract_promises.py`. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.agentfile.contract_promises import Bound, Promises, Subject, implied, promises, taken_apart
from shared.agentfile.contract_words import Said, number, span
from shared.agentfile.model import Check, Language


class ContractDiff(NamedTuple):
    """Sentences, each for one promise. Both empty: the contracts promise the same."""

    weaker: tuple[str, ...]
    stronger: tuple[str, ...]


def weakened(before: Sequence[Check], after: Sequence[Check], language: Language = "ko") -> tuple[str, ...]:
    """One sentence for each promise of `before` that `after` no longer makes; empty when it is at least as
    strong. The sentences of the checks (`says`) are no promises: only what is measured counts."""
    old, new = promises(before), promises(after)
    said = _says(before)
    found: list[Said] = []
    for subject, wanted in old.items():
        kept = new.get(subject)
        if kept is None:
            moved = _moved_to(subject, old, new)
            found.append(_gone(subject, said[subject]) if moved is None else _elsewhere(subject, moved))
            continue
        for aspect, bound in wanted.items():
            if not implied(aspect, bound, kept.get(aspect)):
                found.append(_looser(subject, aspect, bound, kept.get(aspect)))
    return _chosen(found, language)


def contract_diff(before: Sequence[Check], after: Sequence[Check], language: Language = "ko") -> ContractDiff:
    """Everything that differs, for showing a change before it is decided."""
    old, new = promises(before), promises(after)
    said = _says(after)
    found: list[Said] = []
    for subject, wanted in new.items():
        kept = old.get(subject)
        if kept is None:
            if _moved_to(subject, new, old) is None:
                found.append(_added(subject, said[subject]))
            continue
        for aspect, bound in wanted.items():
            if not implied(aspect, bound, kept.get(aspect)):
                found.append(_stricter(subject, aspect, bound, kept.get(aspect)))
    return ContractDiff(weakened(before, after, language), _chosen(found, language))


def _says(checks: Sequence[Check]) -> dict[Subject, str]:
    """The sentence of the first check that speaks of each subject."""
    found: dict[Subject, str] = {}
    for check in checks:
        for subject, _, _ in taken_apart(check):
            found.setdefault(subject, check.says)
    return found


def _moved_to(subject: Subject, here: Promises, there: Promises) -> Subject | None:
    """The same promise about another file, where there is one that the old contract does not speak of."""

    def is_it(other: Subject) -> bool:
        same = (other.kind, other.part) == (subject.kind, subject.part) and other.path and subject.path
        return bool(same) and other not in here

    wanted = here[subject].items()
    return next(
        (
            other
            for other, kept in there.items()
            if is_it(other) and all(implied(aspect, bound, kept.get(aspect)) for aspect, bound in wanted)
        ),
        None,
    )


def _chosen(found: Sequence[Said], language: Language) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one[0 if language == "ko" else 1] for one in found))


def _about(subject: Subject) -> Said:
    """What is promised about, as a noun."""
    path, part = subject.path, subject.part
    if subject.kind == "expr":
        return f"조건 {part}", f"the condition {part}"
    if subject.kind == "delivered":
        return "보낼 보고의 수", "how many reports are sent"
    if subject.kind == "text":
        return (
            (f"{path}의 글", f"the text of {path}") if path else ("보낼 보고의 글", "the text of the report")
        )
    if subject.kind == "change":
        of_part = (f"{path}의 '{part}' 열", f"how '{part}' in {path}") if part else (path, f"how {path}")
        return f"{of_part[0]}: 지난번과 달라진 정도", f"{of_part[1]} differs from last time"
    if subject.kind == "fresh":
        return f"{path}의 '{part}' 날짜", f"the date '{part}' in {path}"
    if subject.kind == "fields":
        return f"{path}의 '{part}' 열", f"column '{part}' in {path}"
    return (
        (f"{path}의 줄 수", f"the rows of {path}")
        if subject.kind == "rows"
        else (f"{path} 파일", f"the file {path}")
    )


_ASPECTS: dict[str, Said] = {
    "min": ("가장 작은 값", "the least"),
    "above": ("넘어야 하는 값", "what it must be above"),
    "min_width": ("가장 작은 너비", "the least width"),
    "min_height": ("가장 작은 높이", "the least height"),
    "max": ("가장 큰 값", "the most"),
    "below": ("넘으면 안 되는 값", "what it must be below"),
    "max_age_s": ("가장 오래된 때", "the oldest"),
    "only": ("허락한 값", "the allowed values"),
    "kinds": ("허락한 종류", "the allowed kinds"),
    "contains": ("들어 있어야 하는 것", "what must be in it"),
    "excludes": ("있으면 안 되는 것", "what must not be in it"),
    "format": ("값의 모양", "the form of its values"),
    "language": ("언어", "its language"),
    "unique": ("겹치는 값이 없는지", "whether values repeat"),
    "differs": ("내용이 달라졌는지", "whether it is new"),
    "there": ("있는지", "whether it is there"),
}


def _shown(aspect: str, bound: Bound | None) -> Said:
    if bound is None:
        return "없음", "none"
    if isinstance(bound, frozenset):
        text = ", ".join(f"'{word[:60]}'" for word in sorted(bound)[:5]) + ("…" if len(bound) > 5 else "")
        return text or "없음", text or "none"
    return span(bound) if aspect == "max_age_s" else (number(bound), number(bound))


def _gone(subject: Subject, says: str) -> Said:
    ko, en = _about(subject)
    return f"{ko}: 더는 확인하지 않아요 ({says}).", f"No longer checked: {en} ({says})."


def _added(subject: Subject, says: str) -> Said:
    ko, en = _about(subject)
    return f"{ko}: 새로 확인해요 ({says}).", f"Newly checked: {en} ({says})."


def _elsewhere(subject: Subject, other: Subject) -> Said:
    ko, en = _about(subject)
    return (
        f"{ko}: 이제 {other.path}에서 확인해요.",
        f"Checked in {other.path} from now on: {en}.",
    )


def _looser(subject: Subject, aspect: str, before: Bound, after: Bound | None) -> Said:
    return _differing(subject, aspect, before, after, ("느슨해져요", "Looser"))


def _stricter(subject: Subject, aspect: str, after: Bound, before: Bound | None) -> Said:
    return _differing(subject, aspect, before, after, ("더 엄격해져요", "Stricter"))


def _differing(subject: Subject, aspect: str, before: Bound | None, after: Bound | None, how: Said) -> Said:
    about, name = _about(subject), _ASPECTS[aspect]
    if aspect in ("unique", "differs", "there"):
        ko, en = ("더는 확인하지 않아요", "no longer") if after is None else ("새로 확인해요", "from now on")
        return f"{about[0]}: {name[0]} {ko}.", f"{how[1]}: {about[1]}: {name[1]}, {en}."
    old, new = _shown(aspect, before), _shown(aspect, after)
    return (
        f"{about[0]}: {name[0]}, {how[0]} ({old[0]} → {new[0]}).",
        f"{how[1]}: {about[1]}: {name[1]} ({old[1]} → {new[1]}).",
    )
