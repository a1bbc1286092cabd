"""Which sandboxes are worth keeping ready. Pure: told what happened, it says what should wait and what should go.

A key stands for one version of one agent with one environment, one grant and one set of bounds; nothing is ever
shared between keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.executor.ports import Waiting


@dataclass(frozen=True)
class WarmRules:
    """Seconds, bytes, counts.

    runs, within_s   a key is worth it once it has run so often within that time (issue 3)
    idle_s           and until it has not run for so long
    burst_s          so many more are kept as runs began within that time, up to most_per_key: a refill takes
                     a tenth of a second, and a burst asks for one every fifth
    memory_bytes     of everything that waits, measured; until then `guess_bytes` each (8 MiB were measured for
                     python alone)
    refill_s         how long after any run began, or the last one was made, the next sandbox is made: it must not
                     compete with a start, and where runs begin faster than this the processors are better spent
                     on them
    busy_s           the same where all processors have work: longer than runs are apart that keep them busy
    """

    runs: int = 2
    within_s: float = 600
    idle_s: float = 600
    burst_s: float = 2
    most_per_key: int = 3
    most: int = 16
    memory_bytes: int = 512 << 20
    guess_bytes: int = 24 << 20
    refill_s: float = 0.05
    busy_s: float = 1


@dataclass(frozen=True)
class Plan:
    """What to do now. `look_again_s`: when time alone will have changed the answer; None: never. `begin`: the key
    of one to make, or None; several are made one after the other."""

    begin: str | None = None
    end: tuple[str, ...] = ()
    look_again_s: float | None = None


@dataclass
class _Use:
    agent_id: str
    began: list[float] = field(default_factory=list)
    memory_bytes: int = 0
    worth_it: bool = False


class WarmPolicy:
    """Times are monotonic seconds, never falling. Not thread-safe."""

    def __init__(self, rules: WarmRules = WarmRules()) -> None:
        self._rules = rules
        self._uses: dict[str, _Use] = {}
        self._spoilt: dict[str, float] = {}
        self._newest = float("-inf")

    def ran(self, key: str, agent_id: str, now: float) -> None:
        """A run of that key began. Other keys of the agent are useless from here on."""
        for other in [k for k, use in self._uses.items() if use.agent_id == agent_id and k != key]:
            del self._uses[other]
        use = self._uses.setdefault(key, _Use(agent_id))
        self._newest = now
        use.began = [at for at in use.began if now - at < self._rules.within_s] + [now]
        use.worth_it = use.worth_it or len(use.began) >= self._rules.runs

    def spoil(self, key: str, now: float) -> None:
        """Its packages cannot be imported ahead, or spoke while nobody had asked: never again."""
        self._spoilt[key] = now
        self._uses.pop(key, None)

    def is_spoilt(self, key: str) -> bool:
        return key in self._spoilt

    def useless(self, agent_id: str) -> None:
        """Nothing the agent was kept ready for will run as it is."""
        for key in [key for key, use in self._uses.items() if use.agent_id == agent_id]:
            del self._uses[key]

    def knows(self, key: str) -> bool:
        return key in self._uses

    def plan(self, waiting: Sequence[Waiting], now: float, *, busy: bool = False) -> Plan:
        """`waiting` is all there is, whether asked for by us or not. busy: all processors have work, so that one
        made now would slow a run by more than it can save another."""
        rules = self._rules
        self._forget_idle(now)
        for one in waiting:
            if one.key in self._uses and one.memory_bytes:
                self._uses[one.key].memory_bytes = one.memory_bytes
        missing: list[str] = []
        keep: set[str] = set()
        left, room = rules.memory_bytes, rules.most
        for key in self._ranked():
            use, have = self._uses[key], [one for one in waiting if one.key == key]
            wanted = self._wanted(use, now)
            for one in have[:wanted]:
                size = one.memory_bytes or self._size(use)
                if size <= left and room > 0:
                    keep.add(one.id)
                    left, room = left - size, room - 1
            for _ in range(wanted - len(have)):
                if self._size(use) <= left and room > 0:
                    left, room = left - self._size(use), room - 1
                    missing.append(key)
        end = tuple(one.id for one in waiting if one.id not in keep)
        begin = None
        if missing and now - self._newest >= (rules.busy_s if busy else rules.refill_s):
            begin, self._newest = missing[0], now
        return Plan(begin, end, self._look_again(now, waiting))

    def _size(self, use: _Use) -> int:
        return use.memory_bytes or self._rules.guess_bytes

    def _wanted(self, use: _Use, now: float) -> int:
        if not use.worth_it:
            return 0
        lately = sum(1 for at in use.began if now - at < self._rules.burst_s)
        return max(1, min(self._rules.most_per_key, lately))

    def _ranked(self) -> list[str]:
        """The most recently used first: the cap takes from those least likely to run next."""
        useful = [key for key, use in self._uses.items() if use.worth_it]
        return sorted(useful, key=lambda key: (-self._uses[key].began[-1], key))

    def _forget_idle(self, now: float) -> None:
        rules = self._rules
        for key, use in list(self._uses.items()):
            idle = rules.idle_s if use.worth_it else rules.within_s
            if now - use.began[-1] >= idle:
                del self._uses[key]
        longest = 100 * rules.within_s  # a spoilt key that nobody asked for in so long may be forgotten
        self._spoilt = {key: at for key, at in self._spoilt.items() if now - at < longest}

    def _look_again(self, now: float, waiting: Sequence[Waiting]) -> float | None:
        rules = self._rules
        due = [self._newest + rules.refill_s, self._newest + rules.busy_s]
        for key in self._ranked():
            last = self._uses[key].began[-1]
            due += [last + rules.burst_s, last + rules.idle_s]
        if any(not one.memory_bytes for one in waiting):
            due.append(now + 1)
        later = [at - now for at in due if at > now]
        return min(later) if later else None
