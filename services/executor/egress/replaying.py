"""Answers a request from a tape: no name is looked up, no byte leaves, no secret is touched, nothing waits.

Read next: services/executor/tapes/replay.py (which recorded answer belongs to which request).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import h11

from services.executor.egress.draft import Draft
from services.executor.egress.outgoing import Body
from services.executor.egress.peer import Peer
from shared.errors import Unavailable


@dataclass(frozen=True)
class Recorded:
    """What the code got then. n: its number on the tape. broken: the connection broke off after that much."""

    n: int
    status: int
    phrase: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    broken: bool = False


class Replay(Protocol):
    """One recorded attempt, each of its answers given once. On the gateway's loop."""

    async def answer(self, method: str, url: str, body_sha256: str) -> Recorded | None:
        """None: no such request is on the tape, or its answer is not."""

    def given(self, n: int) -> None:
        """Answer `n` has been handed to the code."""


async def replay(tape: Replay, client: Peer, draft: Draft, body: Body) -> None:
    """Raises: Unavailable `not_on_tape`; ConnectionAbortedError where the recorded answer broke off."""
    await body.read(0)
    url = draft.target.url if draft.target else ""
    found = await tape.answer(draft.method, url, body.sha256)
    if found is None:
        raise Unavailable(f"{draft.method} {url[:300]} is not on the tape", code="not_on_tape")
    try:
        head = h11.Response(
            status_code=found.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in found.headers],
            reason=found.phrase.encode("latin-1"),
        )
        draft.head_sent, draft.status = True, found.status
        data = [h11.Data(data=found.body)] if found.body and draft.method != "HEAD" else []
        if found.broken:
            await client.send(head, *data)
            raise ConnectionAbortedError("the recorded answer broke off here")
        await client.send(head, *data, h11.EndOfMessage())
    finally:
        tape.given(found.n)
    draft.settle("replayed", found.status)
