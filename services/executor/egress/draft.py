"""An exchange while it happens. Becomes an `Exchange` when it is over, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.executor.egress.model import Effect, Exchange, Verdict
from services.executor.egress.peer import Peer
from services.executor.egress.replies import status_of, verdict_of
from shared.errors import ProjectError
from shared.net.url import Endpoint

if TYPE_CHECKING:
    from services.executor.egress.taping import Take


@dataclass
class Draft:
    """Starts as what a cancelled exchange is: failed because the run ended."""

    run_id: str
    at_ms: int
    started_s: float
    target: Endpoint | None = None
    # What the code wrote where a host belongs; stands in for a target that could not be made of it.
    asked: str = ""
    method: str = ""
    effect: Effect = "read"
    verdict: Verdict = "failed"
    reason: str = "run_ended"
    # Where it is recorded; None: it has no request of its own, or nothing is recorded.
    take: Take | None = None
    status: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    # From here on the code has part of an answer, and no other answer can follow.
    head_sent: bool = False
    body_preview: bytes = b""
    body_bytes: int = 0
    content_type: str = ""
    write_id: str = ""
    decoy: str = ""
    mentioned: bool = False

    def settle(self, verdict: Verdict, status: int, reason: str = "") -> None:
        self.verdict, self.status, self.reason = verdict, status, reason

    def fail(self, error: ProjectError) -> None:
        self.settle(verdict_of(error), self.status if self.head_sent else status_of(error), error.code)

    @contextmanager
    def metering(self, upstream: Peer) -> Iterator[None]:
        """Counts what `upstream` moves inside the block, also when the block fails."""
        sent, received = upstream.sent_bytes, upstream.received_bytes
        try:
            yield
        finally:
            self.bytes_out += upstream.sent_bytes - sent
            self.bytes_in += upstream.received_bytes - received

    def finished(self, now_s: float) -> Exchange:
        target = self.target or Endpoint("", self.asked, 0, "")
        return Exchange(
            run_id=self.run_id,
            at_ms=self.at_ms,
            scheme=target.scheme,
            host=target.host,
            port=target.port,
            method=self.method,
            path=target.target,
            status=self.status,
            bytes_out=self.bytes_out,
            bytes_in=self.bytes_in,
            duration_ms=round((now_s - self.started_s) * 1000),
            effect=self.effect,
            verdict=self.verdict,
            reason=self.reason,
            body_preview=self.body_preview,
            body_bytes=self.body_bytes,
            content_type=self.content_type,
            write_id=self.write_id,
            decoy=self.decoy,
            mentioned=self.mentioned,
        )
