"""The sandbox's way out: each connection to its listening socket is handed to what carries it to the gateway."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

_CHUNK = 64 << 10


class Carrier(Protocol):
    def carry(self, connection: socket.socket) -> None:
        """Takes the connection over and returns at once; many at the same time."""

    def ready(self, at_most_s: float) -> None:
        """Returns when connections can be carried at once, or not after so long."""

    def close(self) -> None:
        """Ends all of them."""


class Door:
    """Until close, or until the sandbox has shut its socket."""

    def __init__(self, listener: socket.socket, carrier: Carrier) -> None:
        self._listener = listener
        self._carrier = carrier
        self._thread = threading.Thread(target=self._accept, name="door", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self._carrier.carry(connection)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._listener.close()
        self._carrier.close()


class Neighbour:
    """A carrier where the executor is on this machine: dials its socket and copies both ways."""

    def __init__(self, path: Path, dial: Callable[[Path], socket.socket]) -> None:
        self._path = path
        self._dial = dial
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def carry(self, connection: socket.socket) -> None:
        threading.Thread(target=self._copy, args=(connection,), name="carried", daemon=True).start()

    def ready(self, at_most_s: float) -> None:
        """It is on this machine."""

    def close(self) -> None:
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _copy(self, here: socket.socket) -> None:
        with here:
            try:
                there = self._dial(self._path)
            except OSError:
                return
            with there:
                with self._lock:
                    self._open |= {here, there}
                try:
                    _both_ways(here, there)
                except OSError:
                    return
                finally:
                    with self._lock:
                        self._open -= {here, there}


def _both_ways(here: socket.socket, there: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(here, selectors.EVENT_READ, (here, there))
        selector.register(there, selectors.EVENT_READ, (there, here))
        while selector.get_map():
            for key, _events in selector.select():
                source, target = key.data
                if data := source.recv(_CHUNK):
                    target.sendall(data)
                else:
                    selector.unregister(source)
                    with suppress(OSError):
                        target.shutdown(socket.SHUT_WR)
