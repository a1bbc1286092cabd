"""Which slots are due and what the missed-run policy makes of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.agentfile.model import Schedule
from shared.agentfile.schedule import next_firings

ON_TIME = timedelta(seconds=60)  # decision: a minute is cron's own unit
QUEUE_LIMIT = timedelta(hours=1)  # how long a slot's run may wait for a place before it counts as missed
_AT_MOST = 200  # slots looked at per commit; the next tick goes on from there


@dataclass(frozen=True)
class Due:
    at: datetime
    verdict: Literal["run", "skipped", "missed"]


def due_slots(schedule: Schedule, first: datetime, now: datetime) -> tuple[list[Due], datetime | None]:
    """All slots from `first` (inclusive) to `now`, and the next one after them (None: no more).

    A slot within ON_TIME runs. Older ones follow the policy: skip -> missed; once -> the newest runs, the
    others are skipped; all -> every one runs.
    """
    times = [first, *_between(schedule, first, now)]
    truncated = len(times) > _AT_MOST
    times = times[:_AT_MOST]
    following = next_firings(schedule, times[-1], 1)
    verdicts: list[Due] = []
    for position, at in enumerate(times):
        last = position == len(times) - 1 and not truncated
        verdicts.append(Due(at, _verdict(schedule, at, now, last)))
    return verdicts, (following[0] if following else None)


def _verdict(
    schedule: Schedule, at: datetime, now: datetime, last: bool
) -> Literal["run", "skipped", "missed"]:
    if now - at <= ON_TIME or schedule.missed == "all":
        return "run"
    if schedule.missed == "once":
        return "run" if last else "skipped"
    return "missed"


def _between(schedule: Schedule, first: datetime, now: datetime) -> Sequence[datetime]:
    found: list[datetime] = []
    after = first
    while len(found) <= _AT_MOST:
        step = next_firings(schedule, after, 1)
        if not step or step[0] > now:
            break
        after = step[0]
        found.append(after)
    return found
