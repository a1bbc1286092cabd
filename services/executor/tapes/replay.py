"""Which recorded answer belongs to which request of a replay, and when the code gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from services.executor.checker.moments import blurred
from services.executor.egress.replaying import Recorded
from shared.records.tapes import TapeEntry

# How long an answer waits for one that came before it and was not asked for again; after the first such
# disappointment the program is known to be another, and hardly anything is waited for.
_PATIENCE_S = 2.0
_LITTLE_S = 0.05
# Answers that came one after the other come at least so far apart as then, but no further than this.
_APART_S = 0.02


def answerable(entry: TapeEntry) -> bool:
    """Whether the code got an answer from outside that is on the tape whole. What was refused for want of a
    rule is judged again, by the rules of the version that is replayed."""
    unasked = entry.reason.startswith("undeclared_") or entry.reason == "not_on_tape"
    return entry.status != 0 and not entry.lost and not unasked


class TapeReplay:
    """See egress.replaying.Replay. Each answer is given once; answers to requests that were under way together
    come in the order they came then."""

    def __init__(
        self,
        entries: Iterable[TapeEntry],
        body: Callable[[str], bytes],
        threads: Executor | None = None,
        vary: Callable[[Recorded], Recorded] | None = None,
    ) -> None:
        """vary: what is given instead of what was recorded."""
        self._entries = sorted((e for e in entries if answerable(e)), key=lambda entry: entry.n)
        self._by_end = sorted(self._entries, key=lambda entry: entry.ended_s)
        self._taken: set[int] = set()
        self._given: dict[int, asyncio.Event] = {}
        self._body = body
        self._threads = threads
        self._vary = vary or (lambda recorded: recorded)
        self._patience_s = _PATIENCE_S

    async def answer(self, method: str, url: str, body_sha256: str) -> Recorded | None:
        entry = self._next(method, url, body_sha256) or self._next(method, url, None)
        entry = entry or self._next_but_for_times(method, url)
        if entry is None:
            return None
        self._taken.add(entry.n)
        loop = asyncio.get_running_loop()
        recorded = await loop.run_in_executor(self._threads, self._recorded, entry)
        await self._wait_for_earlier(entry)
        return recorded

    def _recorded(self, entry: TapeEntry) -> Recorded:
        body = self._body(entry.answer_body) if entry.answer_body is not None else b""
        return self._vary(
            Recorded(entry.n, entry.status, entry.phrase, entry.answer_headers, body, entry.broken)
        )

    def given(self, n: int) -> None:
        self._event(n).set()

    def _next(self, method: str, url: str, body_sha256: str | None) -> TapeEntry | None:
        for entry in self._entries:
            same = entry.n not in self._taken and (entry.method, entry.url) == (method, url)
            if same and body_sha256 in (None, entry.request_sha256):
                return entry
        return None

    def _next_but_for_times(self, method: str, url: str) -> TapeEntry | None:
        """Addresses may hold the moment they were made at."""
        for entry in self._entries:
            if entry.n not in self._taken and entry.method == method and blurred(entry.url) == blurred(url):
                return entry
        return None

    async def _wait_for_earlier(self, entry: TapeEntry) -> None:
        for earlier in self._by_end:
            if earlier.ended_s >= entry.ended_s:
                return
            event = self._event(earlier.n)
            if earlier.n == entry.n or event.is_set():
                continue
            try:
                await asyncio.wait_for(event.wait(), self._patience_s)
            except TimeoutError:
                self._patience_s = _LITTLE_S
                event.set()
                continue
            await asyncio.sleep(min(_APART_S, entry.ended_s - earlier.ended_s))

    def _event(self, n: int) -> asyncio.Event:
        return self._given.setdefault(n, asyncio.Event())
