"""Which runs may start now: what they were promised must fit the machine, and those who wait are called fairly.

Promises are counted, not use. Whoever does not fit waits here; a place that becomes free goes to the one whose
turn it is, and is kept for it until it comes. docs/decisions/: "runs wait for room in a fair line".
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# Decision: four runs per core; most wait for a web site, not for the processor.
_RUNS_PER_CORE = 4
# How often others who came later may go first (because they are smaller, watched, or of a workspace that has
# less) before nobody may any more.
_PATIENCE = 32
_LOOKS = 3


@dataclass(frozen=True)
class Wish:
    """A run that wants to start. since: when it was asked for, as text that sorts. watched: a person waits
    for it in front of the screen, so within its workspace it goes before what is scheduled."""

    run_id: str
    workspace_id: str
    memory_bytes: int
    since: str = ""
    watched: bool = False


@dataclass
class _Waiting:
    wish: Wish
    overtaken: int = 0


class Admission:
    """`memory_bytes` None: three quarters of what this machine has. Thread-safe."""

    def __init__(self, *, memory_bytes: int | None = None, slots: int | None = None) -> None:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._memory = memory_bytes if memory_bytes is not None else machine * 3 // 4
        self.slots = slots if slots is not None else _RUNS_PER_CORE * (os.cpu_count() or 1)
        self._held: dict[str, Wish] = {}
        self._called: dict[str, tuple[Wish, int]] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._served: dict[str, int] = {}
        self._turn = 0
        self._lock = threading.Lock()

    def enter(self, attempt_id: str, wish: Wish) -> int:
        """0: the attempt may start, and holds its promise until `leave`. Else the run's place in the line,
        from 1; it waits until `called` names it. Entering twice is one promise."""
        with self._lock:
            if attempt_id in self._held:
                return 0
            if wish.run_id not in self._called:
                self._waiting.setdefault(wish.run_id, _Waiting(wish))
                self._call()
            if wish.run_id in self._called:
                del self._called[wish.run_id]
                self._held[attempt_id] = wish
                return 0
            return self._places()[wish.run_id]

    def hold(self, attempt_id: str, wish: Wish) -> None:
        """Of an attempt that runs already: it holds its promise, whether there is room or not."""
        with self._lock:
            self._called.pop(wish.run_id, None)
            self._waiting.pop(wish.run_id, None)
            self._held[attempt_id] = wish

    def leave(self, attempt_id: str) -> None:
        """Its promise is free again. Any number of times."""
        with self._lock:
            if self._held.pop(attempt_id, None) is not None:
                self._call()

    def forget(self, run_id: str) -> None:
        """The run does not want to start any more, or cannot now; it may enter anew at any time."""
        with self._lock:
            self._waiting.pop(run_id, None)
            if self._called.pop(run_id, None) is not None:
                self._call()

    def called(self) -> list[str]:
        """Runs a place is kept for, in the order of calling."""
        with self._lock:
            return list(self._called)

    def waits(self, run_id: str) -> bool:
        """It stands in the line and was not called: trying again is of no use."""
        with self._lock:
            return run_id in self._waiting

    def places(self) -> dict[str, int]:
        """By run id, from 1."""
        with self._lock:
            return self._places() if self._waiting else {}

    def spare_bytes(self) -> int:
        """What no running run was promised: as much may be used for what only waits ready."""
        with self._lock:
            return max(0, self._memory - self._promised())

    def look(self) -> None:
        """Called now and then: a place that was kept in vain for some looks is given to the next."""
        with self._lock:
            stale = [id for id, (_, looks) in self._called.items() if looks >= _LOOKS]
            self._called = {
                id: (wish, looks + 1) for id, (wish, looks) in self._called.items() if id not in stale
            }
            if stale:
                self._call()

    def _promised(self) -> int:
        return sum(wish.memory_bytes for wish in self._inside())

    def _inside(self) -> Iterable[Wish]:
        return [*self._held.values(), *(wish for wish, _ in self._called.values())]

    def _fits(self, wish: Wish) -> bool:
        """A run that fits no machine starts when it is alone."""
        inside = len(self._held) + len(self._called)
        return inside < self.slots and (not inside or self._promised() + wish.memory_bytes <= self._memory)

    def _call(self) -> None:
        """Call whoever fits, in the fair order, until nobody does."""
        while self._waiting and len(self._held) + len(self._called) < self.slots:
            line = self._line()
            tired = [w for w in line if w.overtaken >= _PATIENCE]
            candidates = [min(tired, key=lambda w: _age(w.wish))] if tired else line
            chosen = next((w for w in candidates if self._fits(w.wish)), None)
            if chosen is None:
                return
            wish = chosen.wish
            del self._waiting[wish.run_id]
            self._called[wish.run_id] = (wish, 0)
            self._turn += 1
            self._served[wish.workspace_id] = self._turn
            for other in self._waiting.values():
                other.overtaken += _age(other.wish) < _age(wish)
        if not self._waiting:
            self._served.clear()  # nobody waits: nobody's turn needs to be known

    def _line(self) -> list[_Waiting]:
        """All who wait, in the order in which they would be called if everybody fitted and nobody left."""
        have = Counter(wish.workspace_id for wish in self._inside())
        served = dict(self._served)
        rows: dict[str, list[_Waiting]] = {}
        for waiting in sorted(self._waiting.values(), key=lambda w: (not w.wish.watched, *_age(w.wish))):
            rows.setdefault(waiting.wish.workspace_id, []).append(waiting)
        for row in rows.values():
            row.reverse()
        line: list[_Waiting] = []
        turn = self._turn
        while rows:
            workspace = min(rows, key=lambda w: (have[w], served.get(w, 0), _age(rows[w][-1].wish)))
            line.append(rows[workspace].pop())
            have[workspace] += 1
            turn += 1
            served[workspace] = turn
            if not rows[workspace]:
                del rows[workspace]
        return line

    def _places(self) -> dict[str, int]:
        return {waiting.wish.run_id: n for n, waiting in enumerate(self._line(), start=1)}


def _age(wish: Wish) -> tuple[str, str]:
    return wish.since, wish.run_id
