"""A day of many agents as arithmetic: what is due in each minute, how late ticks make it, what it sends and
writes, who wants the same document, what it costs. Assumptions stand here as constants, each with its origin."""

from __future__ import annotations

import heapq
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.events.catalog import TYPES
from shared.events.envelope import Event
from shared.events.routing import subscriptions
from shared.store.firestore_shards import SHARDS

MINUTES = 24 * 60
# Assumption: how people choose. Share of agents -> when they run; of those on the hour, most on the minute.
DAILY, HOURLY, OFTEN = 0.80, 0.05, 0.01  # every ten minutes; the rest only by hand or trigger
_HOURS = {7: 0.10, 8: 0.20, 9: 0.35, 10: 0.10}  # of the daily ones; the others evenly over the day
_ON_THE_HOUR, _ON_THE_HALF = 0.8, 0.1
TRIGGERED_A_DAY = 0.14 * 2  # the rest, twice a day each

# One scheduled run as the flows have it: three sites, one file, one message. Counted on the embedded store: commits of
# all five services with the documents they wrote (26 of them lines of the log), deleted and read.
DOCUMENTS, DELETED, READ, NOTES = 86, 5, 100, 21
EVENTS = (
    "run.requested",
    "run.funded",
    "run.started",
    "run.attempt_ended",
    "delivery.requested",
    "run.finished",
    "delivery.settled",
    "run.settled",
)
EVENT_BYTES = 1200  # golden files with their attributes are 0.6 to 1.6 kB
# What one process writes into one collection, per run, sorted by a rising time: Firestore's limit is for each.
RISING = {
    "_outbox of executor, in each shard": 5 / len(SHARDS),
    "_changes of executor, in each shard": 12 / len(SHARDS),
    "schedules.next_at, in each shard": 2 / len(SHARDS),  # an entry goes and one comes
}


def due_by_minute(agents: int) -> list[float]:
    """Expected runs for each minute of a day in the time zone most live in."""
    found = [0.0] * MINUTES
    others = (1 - sum(_HOURS.values())) / (24 - len(_HOURS))
    for hour in range(24):
        daily = agents * DAILY * _HOURS.get(hour, others)
        hourly = agents * HOURLY
        for minute in range(60):
            spread = 1 - _ON_THE_HOUR - _ON_THE_HALF
            share = spread / 60 + {0: _ON_THE_HOUR, 30: _ON_THE_HALF}.get(minute, 0.0)
            often = agents * OFTEN if minute % 10 == 0 else 0.0
            found[hour * 60 + minute] += (daily + hourly) * share + often
    return found


@dataclass(frozen=True)
class Lateness:
    """Of slots, in whole minutes after their own; share later than the minute that counts as on time."""

    worst: int
    late: float
    caught_up: bool


def lateness(due: Sequence[float], made_a_minute: float) -> Lateness:
    """First come first served, ticks on the minute. caught_up: nothing is left when the next day begins."""
    waiting: list[list[float]] = []  # [minute, how many], oldest first
    late = 0.0
    worst = 0
    for now in range(len(due)):
        if due[now]:
            waiting.append([now, due[now]])
        room = made_a_minute
        while waiting and room > 1e-9:
            made = min(room, waiting[0][1])
            waited = now - int(waiting[0][0])
            worst, late = max(worst, waited), late + (made if waited >= 1 else 0.0)
            room -= made
            waiting[0][1] -= made
            if waiting[0][1] <= 1e-9:
                waiting.pop(0)
    left = sum(many for _, many in waiting)
    worst = max([worst, *(len(due) - int(since) for since, _ in waiting)])
    return Lateness(worst, (late + left) / sum(due), left < 1)


def kinds() -> Iterator[type[Event]]:
    for name in EVENTS:
        yield TYPES[f"agentbuilder.{name}.v1"]


def pushes() -> tuple[int, int]:
    """Deliveries a run's events cause, and how many of them their reader wants: topics are shared."""
    readers = subscriptions()
    sent = wanted = 0
    for kind in kinds():
        sent += sum(kind.topic() in topics for topics in readers.values())
        said = re.search(r"Handled by: *(.+)", kind.__doc__ or "")
        wanted += len(re.findall(r"[a-z]+", said[1])) if said else 0
    return sent, wanted


@dataclass(frozen=True)
class Contention:
    seconds: float
    tries: float
    given_up: int


@dataclass
class _Line:
    """waiting, committing: how often each has been refused."""

    waiting: list[int] = field(default_factory=list)
    committing: list[int] = field(default_factory=list)
    read_at: float = 0.0
    free_at: float = 0.0
    refused: int = 0


def contend(
    writers: int,
    span_s: float,
    *,
    commit_s: float,
    tries: int,
    longest_s: float,
    instances: int = 1,
    together: int = 1,
    seed: int = 1,
) -> Contention:
    """Writers of one document who begin within `span_s`, spread over instances. In each they wait in line: as many as
    one commit takes read, commit after `commit_s`, and come again after a jittered pause when another instance
    committed in between, as shared/store/lanes.py and firestore.py do. tries: mean of each."""
    chance = random.Random(seed)
    # When, order, instance, and whether it is somebody who comes (else: the line may go on).
    queue = [
        (chance.uniform(0, span_s), number, chance.randrange(instances), True) for number in range(writers)
    ]
    heapq.heapify(queue)
    lines = [_Line() for _ in range(instances)]
    last_commit, ended, spent, given_up, order = -1.0, 0.0, 0, 0, writers
    while queue:
        now, _, place, comes = heapq.heappop(queue)
        line = lines[place]
        if comes:
            line.waiting.append(0)
        elif line.committing:
            members, line.committing = line.committing, []
            spent += len(members)
            if last_commit <= line.read_at:
                last_commit = ended = now
                line.refused = 0
            else:
                given_up += members.count(tries - 1)
                line.waiting = [one + 1 for one in members if one + 1 < tries] + line.waiting
                line.free_at = now + chance.uniform(0, min(longest_s, 0.01 * 2.0**line.refused))
                line.refused += 1
                order += 1
                heapq.heappush(queue, (line.free_at, order, place, False))
        if line.waiting and not line.committing and now >= line.free_at:
            line.committing, line.waiting, line.read_at = (
                line.waiting[:together],
                line.waiting[together:],
                now,
            )
            order += 1
            heapq.heappush(queue, (now + commit_s, order, place, False))
    return Contention(ended, spent / writers, given_up)
