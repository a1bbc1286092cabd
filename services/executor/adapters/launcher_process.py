"""The launcher as a child of the executor: started clean, spoken to over one socket, noticed when it dies."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.executor.launcher.protocol import Machine, Ready, receive, send
from shared import processors
from shared.errors import Unavailable

_SOURCES = Path(__file__).parents[3]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from services.executor.launcher.main import serve; serve(int(sys.argv[2]))"
)
_LAST_WORDS = 2000


log = logging.getLogger(__name__)


class LauncherProcess:
    """hear(kind, body, descriptors) and lost() are called from the reader thread; lost() once, last."""

    def __init__(
        self,
        about: Machine,
        python: Path,
        hear: Callable[[str, Any, list[int]], None],
        lost: Callable[[], None],
    ) -> None:
        """Returns when the launcher is ready. Unavailable with its own words when it is not."""
        self._hear = hear
        self._lost = lost
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._closing = False
        self._ended = False
        with theirs, processors.on_all():
            # -I -S and an empty environment: nothing of the executor's settings, secrets or packages gets in
            self._process = subprocess.Popen(
                [python, "-I", "-S", "-c", _START, str(_SOURCES), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
            )
        self.ready = self._greet(about)
        self._thread = threading.Thread(target=self._read, name="launcher", daemon=True)
        self._thread.start()

    def _greet(self, about: Machine) -> Ready:
        try:
            send(self._channel, "hello", about)
            answer = receive(self._channel)
        except OSError:
            answer = None
        if answer is None:
            said = self._process.communicate()[1][-_LAST_WORDS:].decode(errors="replace")
            raise Unavailable(f"The launcher of sandboxes ended before it was ready: {said}")
        ready = Ready(**{**answer[1], "enforced": tuple(answer[1]["enforced"])})
        if ready.unavailable:
            self.close()
            raise Unavailable(ready.unavailable)
        return ready

    @property
    def alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, kind: str, body: object, fds: tuple[int, ...] = ()) -> None:
        """OSError when the launcher is gone."""
        with self._lock:
            send(self._channel, kind, body, fds)

    def close(self) -> None:
        """The end of the channel is the launcher's order to end everything; waits until it has."""
        self._closing = True
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        thread = getattr(self, "_thread", None)
        if thread is not None and thread is not threading.current_thread():
            thread.join()  # first: it may be reading the last words
        self._process.communicate()
        self._channel.close()

    def _read(self) -> None:
        while True:
            try:
                message = receive(self._channel)
            except OSError:
                message = None
            if message is None:
                break
            self._hear(*message)
        # At once: what of its sandboxes yet lives must find nobody who gives it a run.
        self._ended = True
        self._lost()
        self._note_last_words()

    def _note_last_words(self) -> None:
        """Nobody told it to end and it did: what it said is the only trace of why."""
        if not self._closing and self._process.stderr is not None:
            said = self._process.stderr.read()[-_LAST_WORDS:].decode(errors="replace").strip()
            log.warning("the launcher of sandboxes ended by itself: %s", said or "it said nothing")
