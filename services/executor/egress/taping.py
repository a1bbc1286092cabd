"""The code's side of a conversation, overheard for the tape: what the code sent and what it was answered.

Overheard between the protocol and the code, so it holds placeholders where secrets went out and masked values
where they came back, whoever answered: upstream, the practice host, a refusal.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import h11

from services.executor.egress.model import Exchange
from services.executor.egress.peer import Peer
from services.executor.egress.wire import Wire

log = logging.getLogger(__name__)

Headers = Sequence[tuple[bytes, bytes]]


class Take(Protocol):
    """One exchange while it is recorded. Called on the gateway's loop: nothing here may block."""

    def asked(self, method: str, target: str, headers: Headers) -> None: ...

    def sent(self, data: bytes) -> None: ...

    def sent_all(self) -> None: ...

    def answered(self, status: int, phrase: str, headers: Headers) -> None: ...

    def got(self, data: bytes) -> None: ...

    def got_all(self) -> None: ...

    def judged(self, exchange: Exchange) -> None:
        """Where it went and how it ended. An exchange that is never judged is none: an allowed CONNECT."""

    def over(self) -> None:
        """Nothing more will come. May be called twice."""


class Tape(Protocol):
    def take(self) -> Take: ...


class TapedPeer(Peer):
    """A peer whose events are recorded. Trouble with the tape is the tape's alone."""

    def __init__(self, wire: Wire, tape: Tape) -> None:
        super().__init__(wire, h11.SERVER)
        self._tape = tape

    async def next(self) -> h11.Event:
        event = await super().next()
        try:
            self._heard(event)
        except Exception:
            log.exception("a request could not be recorded")
        return event

    async def send(self, *events: h11.Event) -> None:
        try:
            for event in events:
                self._said(event)
        except Exception:
            log.exception("an answer could not be recorded")
        await super().send(*events)

    def _heard(self, event: h11.Event) -> None:
        if isinstance(event, h11.Request):
            self.end_take()
            self.take = self._tape.take()
            method, target = event.method.decode("ascii"), event.target.decode("latin-1")
            self.take.asked(method, target, list(event.headers.raw_items()))
        elif self.take is not None and isinstance(event, h11.Data):
            self.take.sent(bytes(event.data))
        elif self.take is not None and isinstance(event, h11.EndOfMessage):
            self.take.sent_all()

    def _said(self, event: h11.Event) -> None:
        if self.take is None:
            # Not even a request could be read; the refusal is recorded all the same.
            self.take = self._tape.take()
        if isinstance(event, h11.Response):
            phrase = event.reason.decode("latin-1")
            self.take.answered(event.status_code, phrase, list(event.headers.raw_items()))
        elif isinstance(event, h11.Data):
            self.take.got(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            self.take.got_all()


def client_peer(wire: Wire, tape: Tape | None) -> Peer:
    return Peer(wire, h11.SERVER) if tape is None else TapedPeer(wire, tape)


def tell(tape: Tape | None, take: Take | None, exchange: Exchange) -> None:
    """How an exchange ended; one that never had a request of its own, a broken tunnel, is recorded here."""
    if tape is None:
        return
    try:
        if take is None:
            take = tape.take()
            take.judged(exchange)
            take.over()
        else:
            take.judged(exchange)
    except Exception:
        log.exception("an exchange could not be recorded")
