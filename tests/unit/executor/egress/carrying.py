"""A front, a gate that keeps what comes in, and a carrier: connections through both, seen from either end."""

from __future__ import annotations

import queue
import random
import socket
from dataclasses import dataclass, field
from typing import Self

from services.executor.egress.carrier import Carrier, Patience
from services.executor.egress.front import Front, Room
from shared.errors import NotAllowed, NotAuthenticated

WAIT_S = 20.0
FIRST = "t1"
HURRIED = Patience(first=2, again=2)


@dataclass
class KeepingGate:
    """attempts: token -> attempt. over: attempts that have ended. joined: what came in, in its order."""

    attempts: dict[str, str] = field(default_factory=lambda: {FIRST: "att_1", "t2": "att_2"})
    over: set[str] = field(default_factory=set)
    admitted: list[str] = field(default_factory=list)
    joined: queue.SimpleQueue[tuple[str, socket.socket]] = field(default_factory=queue.SimpleQueue)

    def admit(self, token: str) -> str:
        attempt_id = self.attempts.get(token)
        if attempt_id is None:
            raise NotAuthenticated("not a token")
        if attempt_id in self.over:
            raise NotAllowed("the attempt is over")
        self.admitted.append(attempt_id)
        return attempt_id

    def join(self, attempt_id: str, connection: socket.socket) -> bool:
        if attempt_id in self.over:
            return False
        connection.settimeout(WAIT_S)
        self.joined.put((attempt_id, connection))
        return True


class Crossing:
    """Use as a context; everything made through it is closed at its end."""

    def __init__(self, room: Room | None = None) -> None:
        self.gate = KeepingGate()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.front = Front(self.gate, self.listening, room)
        self.said: list[str] = []
        self._carriers: list[Carrier] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.front.start()
        return self

    def __exit__(self, *_: object) -> None:
        for carrier in self._carriers:
            carrier.close()
        self.front.stop()
        while not self.gate.joined.empty():
            self._sockets.append(self.gate.joined.get()[1])
        for each in self._sockets:
            each.close()
        self.listening.close()

    def carrier(self, token: str = FIRST, patience: Patience = HURRIED, url: str = "") -> Carrier:
        made = Carrier(
            url or self.url, token, say=self.said.append, patience=patience, chance=random.Random(1)
        )
        self._carriers.append(made)
        return made

    def sent_in(self, carrier: Carrier) -> socket.socket:
        """The code's end of a new connection that the carrier has by now."""
        codes, carriers = tcp_pair()
        codes.settimeout(WAIT_S)
        self._sockets.append(codes)
        carrier.carry(carriers)
        return codes

    def through(self, carrier: Carrier) -> tuple[socket.socket, socket.socket]:
        """A new connection: the code's end, and the one that came out at the other side."""
        codes = self.sent_in(carrier)
        _, came = self.gate.joined.get(timeout=WAIT_S)
        self._sockets.append(came)
        return codes, came


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        first = socket.create_connection(server.getsockname())
        second, _ = server.accept()
    return first, second


def all_of(end: socket.socket) -> bytes:
    """Everything until the end."""
    data = bytearray()
    while piece := end.recv(1 << 16):
        data += piece
    return bytes(data)
