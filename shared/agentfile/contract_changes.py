"""What one contract promises that another does not, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shared.agentfile.model import Check, Language


def weakened(before: Sequence[Check], after: Sequence[Check], language: Language = "ko") -> tuple[str, ...]:
    """One sentence for each promise of `before` that no check of `after` keeps; empty: at least as strong."""
    kept = [check for check in before if any(_as_strong(other, check) for other in after)]
    lost = [check for check in before if check not in kept]
    if language == "ko":
        return tuple(f"더는 약속하지 않아요: {check.says}" for check in lost)
    return tuple(f"No longer promised: {check.says}" for check in lost)


def _as_strong(new: Check, old: Check) -> bool:
    if (new.check, new.path, new.expr) != (old.check, old.path, old.expr):
        return False
    bounds = _above(new.min, old.min) and _below(new.max, old.max) and _below(new.max_age_s, old.max_age_s)
    named = set(new.fields) >= set(old.fields) and set(new.excludes) >= set(old.excludes)
    narrowed = old.check in ("file", "fields") and bool(old.contains)
    allowed = (
        bool(new.contains) and set(new.contains) <= set(old.contains)
        if narrowed
        else set(new.contains) >= set(old.contains)
    )
    return bounds and named and allowed


def _above(new: float | None, old: float | None) -> bool:
    return old is None or (new is not None and new >= old)


def _below(new: float | None, old: float | None) -> bool:
    return old is None or (new is not None and new <= old)
