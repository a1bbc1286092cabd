"""The WSGI server of one machine: waitress on an already listening socket (docs/decisions/0010-wsgi-server.md)."""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import suppress

from waitress.server import create_server  # type: ignore[import-untyped]

from shared.errors import ProjectError
from shared.runtime.pushes import Wsgi

# Every open stream holds a thread, so there are more threads than streams are allowed (gateway settings).
_THREADS = 64


class PortTaken(ProjectError):
    code = "port_taken"


def listen(port: int, address: str = "127.0.0.1") -> socket.socket:
    """Raises PortTaken with what to do."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTaken(f"Port {port} is taken; choose another with AB_PORT=8090.") from error
        raise
    listening.listen(128)
    return listening


class WebServer:
    def __init__(self, web: Wsgi, listening: socket.socket, threads: int = _THREADS) -> None:
        # ident=None: nobody needs to know which server answers. channel_timeout: streams ping every 15 s.
        # channel_request_lookahead: reads on while answering, so a stream learns that its screen has left.
        self._server = create_server(
            web,
            sockets=[listening],
            threads=threads,
            ident=None,
            channel_timeout=60,
            channel_request_lookahead=1,
            asyncore_use_poll=True,  # select would end the server at the first descriptor beyond 1023
            max_request_body_size=32 << 20,
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Answers under way get a second; whoever streams must have been told to end before."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
        # In its own thread: closing under a waiting select would make that raise.
        # That thread may be awake and have closed everything before the waking byte is written.
        with suppress(OSError):
            self._server.trigger.pull_trigger(self._close)
        if self._thread.ident is not None:
            self._thread.join(1)

    def _close(self) -> None:
        """Connections too, once what was answered is out: who kept one open would wait on it for a server that is
        gone, and the thread for them."""
        self._server.close()
        for channel in self._server.active_channels.values():
            channel.close_when_flushed = True
