"""Documents that several threads of one process have just collided over: the next ones wait in line for them, and who
finds others behind leaves its writes to them. Trying again and again costs a read and a refused commit each time; so a
line becomes few commits. The store's preconditions stay what decides (docs/decisions/0064-a-line-commits-together.md).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Self

from shared.clock import Clock
from shared.store.together import Key, Raced, Together

# Decisions: a collision says something about the next two seconds; whoever is not let in after five goes on and races.
_HOT_S = 2.0
PATIENCE_S = 5.0
_KNOWN = 1000
# Decisions: no commit waits longer than this for others, and none carries more.
_GATHER_S = 0.05
MOST = 20


class _Turn:
    """One place in a line. load: what those before leave to whoever is next."""

    def __init__(self) -> None:
        self.come = threading.Event()
        self.load: Together | None = None


class _Line:
    def __init__(self) -> None:
        self.hot_until = 0.0
        self.taken = False
        self.waiting: deque[_Turn] = deque()


class Lanes:
    """Thread-safe. commit: carries a Together out; sets its `error`, raises nothing. Two who want each other's
    documents wait `patience_s` at most: no deadlock, one lost race."""

    def __init__(
        self, clock: Clock, commit: Callable[[Together], None], patience_s: float = PATIENCE_S
    ) -> None:
        self._clock = clock
        self.patience_s = patience_s
        self._commit = commit
        self._guard = threading.Lock()
        self._lines: dict[Key, _Line] = {}

    def collided(self, keys: Iterable[Key]) -> None:
        now = self._clock.monotonic()
        with self._guard:
            if len(self._lines) > _KNOWN:
                kept = {key: line for key, line in self._lines.items() if line.taken or line.hot_until > now}
                self._lines = kept
            for key in keys:
                self._lines.setdefault(key, _Line()).hot_until = now + _HOT_S

    def held(self, *, alone: bool = False) -> Held:
        """One transaction's places, for a `with`. alone: it shares its commit with nobody."""
        return Held(self, alone)

    def turn(self, key: Key) -> _Turn | None:
        """A place in the line, whose turn may have come already; None: nobody collided over it lately."""
        with self._guard:
            line = self._lines.get(key)
            if line is None or not (line.waiting or line.hot_until > self._clock.monotonic()):
                return None
            turn = _Turn()
            if line.taken:
                line.waiting.append(turn)
            else:
                line.taken = True
                turn.come.set()
            return turn

    def waiting(self, key: Key) -> int:
        """How many wait for their turn."""
        with self._guard:
            return len(self._lines[key].waiting) if key in self._lines else 0

    def came(self, key: Key, turn: _Turn) -> bool:
        """Waits for it; False: in vain, and the place is given up."""
        if turn.come.wait(self.patience_s):
            return True
        with self._guard:
            waiting = self._lines[key].waiting
            if turn in waiting:
                waiting.remove(turn)
                return False
            return True

    def release(self, key: Key) -> None:
        with self._guard:
            self._next(self._lines[key], None)

    def pass_on(self, key: Key, load: Together) -> bool:
        """Gives the next in line its turn and what to commit with its own. False: there is none, or it is enough."""
        with self._guard:
            line, now = self._lines[key], self._clock.monotonic()
            if not line.waiting or load.members >= MOST or now - load.born > _GATHER_S:
                return False
            line.hot_until = now + _HOT_S
            self._next(line, load)
            return True

    def _next(self, line: _Line, load: Together | None) -> None:
        if line.waiting:
            turn = line.waiting.popleft()
            turn.load = load
            turn.come.set()
        else:
            line.taken = False

    def join(self, load: Together, own: Together, read: Collection[Key]) -> bool:
        with self._guard:
            if not (load.open and load.takes(own, read)):
                return False
            load.add(own)
            return True

    def settle(self, load: Together) -> None:
        """Returns when it has been committed or refused, by whoever came first."""
        with self._guard:
            mine, load.open = load.open, False
        if mine:
            self._commit(load)
        load.done.wait()

    def await_others(self, load: Together) -> None:
        """Others will see to it; not if one of them waits for this very thread, so it is taken back after a while."""
        if not load.done.wait(self.patience_s):
            self.settle(load)


class Held:
    """What one transaction waits for and holds until it has been committed or refused, and whoever may try again has
    paused. load: what those before it have written and left to it; it reads that, and commits it whatever becomes of
    itself. passed: it left its writes, and its place, to the next one."""

    def __init__(self, lanes: Lanes, alone: bool) -> None:
        self._lanes = lanes
        self._alone = alone
        self._keys: list[Key] = []
        self.passed = False
        self.load: Together | None = None

    def enter(self, key: Key) -> None:
        turn = self._lanes.turn(key) if key not in self._keys else None
        if turn is None or not self._lanes.came(key, turn):
            return
        self._keys.append(key)
        if turn.load is not None and (self._alone or self.load is not None):
            self._lanes.settle(turn.load)
        elif turn.load is not None:
            self.load = turn.load

    def settled(self) -> bool:
        """Commits what those before left. False: it was refused, and what was read of it is not so."""
        load, self.load = self.load, None
        if load is None:
            return True
        self._lanes.settle(load)
        return load.error is None

    def commit(self, own: Together, read: Collection[Key]) -> None:
        """With those before and behind, where there are any. read: what was read in the store.
        Raises: Raced, and what the commit raised."""
        whole = own
        if self.load is not None:
            whole = self.load
            if not self._lanes.join(whole, own, read):
                self.settled()
                raise Raced
            self.load = None
        if not self._alone and len(self._keys) == 1 and self._lanes.pass_on(self._keys[0], whole):
            self._keys.clear()
            self.passed = True
            self._lanes.await_others(whole)
        else:
            self._lanes.settle(whole)
        if whole.error is not None:
            raise whole.error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.settled()
        for key in self._keys:
            self._lanes.release(key)
        self._keys.clear()
