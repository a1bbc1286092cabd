"""A line between two places of this machine that a test can cut, as Google's front end cuts one, or hold."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

_CHUNK = 64 << 10
# Ends a connection with a reset instead of a farewell. Source: socket(7), SO_LINGER
_RESET = struct.pack("ii", 1, 0)


class Line:
    """Passes connections to `port` on. `cut` resets those that stand; later ones pass again. While nobody listens at
    `port` they are closed, as if nobody listened here. arrived: set once something is held."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._marker: bytes | None = None
        self._goes_on = threading.Event()
        self.arrived = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """How many connections that were."""
        with self._lock:
            ends, self._ends = self._ends, set()
            for end in ends:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # wakes who reads it
        return len(ends) // 2

    def hold(self, marker: bytes = b"") -> None:
        """What is asked waits until `go_on`: on each connection from the first piece that holds these bytes, which is
        a request's beginning. Answers pass."""
        self.arrived.clear()
        self._goes_on.clear()
        self._marker = marker

    def go_on(self) -> None:
        """May be called twice, and when nothing is held."""
        self._marker = None
        self._goes_on.set()

    def close(self) -> None:
        self.go_on()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _address = self._listening.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    here.close()
                    continue
                with self._lock:
                    self._ends |= {here, there}
                for source, target, asks in ((here, there, True), (there, here, False)):
                    threading.Thread(target=self._pass, args=(source, target, asks), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                marker = self._marker
                if asks and marker is not None and marker in data:
                    self.arrived.set()
                    self._goes_on.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        with self._lock:
            self._ends.discard(source)
        source.close()
