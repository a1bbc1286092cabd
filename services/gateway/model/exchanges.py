"""What a broken run and a good one read at the same address, cut to where they part. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from shared.events.conversation import SeenExchange

MOST_ADDRESSES = 2
MOST_CHARACTERS = 5_000
_BEFORE = 400  # of what both have, for orientation


@dataclass(frozen=True)
class Heard:
    """One recorded exchange. text: None when the answer is no text or was not kept. status 0: no answer."""

    method: str
    url: str
    status: int
    text: str | None


def side_by_side(broken: Sequence[Heard], good: Sequence[Heard]) -> tuple[SeenExchange, ...]:
    """Of the broken run's exchanges those that failed first, then those whose answer differs from the good day's; each
    followed by the good day's, where it asked the same address."""
    then = {(one.method, one.url): one for one in reversed(good)}
    now = {(one.method, one.url): one for one in reversed(broken)}
    ranked = sorted(
        (one for one in reversed(now.values()) if one.text is not None or one.status != 200),
        key=lambda one: _rank(one, then.get((one.method, one.url))),
    )
    found: list[SeenExchange] = []
    for one in ranked[:MOST_ADDRESSES]:
        other = then.get((one.method, one.url))
        start = _parting(one.text or "", (other.text if other else None) or "")
        found.append(_seen(one, "broken", start))
        if other is not None:
            found.append(_seen(other, "good", start))
    return tuple(found)


def _rank(one: Heard, other: Heard | None) -> int:
    if not 200 <= one.status < 400:
        return 0
    if other is not None and other.text != one.text:
        return 1
    return 2 if other is None else 3


def _parting(one: str, other: str) -> int:
    """Where an excerpt begins so that the first difference is in it; 0 when there is nothing to compare with."""
    pairs = zip(one, other, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return max(0, same - _BEFORE) if same < max(len(one), len(other)) else 0


def _seen(one: Heard, run: str, start: int) -> SeenExchange:
    text = one.text or ""
    cut = text[start : start + MOST_CHARACTERS]
    return SeenExchange.model_validate(
        {
            "run": run,
            "request": f"{one.method} {one.url}"[:500],
            "status": one.status,
            "text": cut,
            "start": start,
            "length": len(text),
        }
    )
