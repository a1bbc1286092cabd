"""The door of a container: a folder bound into it with a socket at which its runner asks for its channels.

Everything comes through it once, before user code: afterwards nobody answers there any more.
"""

from __future__ import annotations

import array
import os
import select
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from services.executor.adapters.attempt import Ends, channels
from services.executor.adapters.sockets import listen

_ROLES = ("stdout", "stderr", "report", "job")  # as runner/enclosed.py places them
_ROLE_BYTES = 8
_ANSWER_S = 5.0
_LOOK_S = 0.05


class Door:
    """folder: lies below one that only this process's user may enter, so that nobody else of the machine can
    reach the sockets, which are open to all for the container's user."""

    def __init__(self, folder: Path, *, way_out: bool) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        self.folder = folder
        self.listening = listen(folder / "in")
        self._life: socket.socket | None = None  # open as long as the container may live
        self.way_out = listen(folder / "out") if way_out else None

    def answer(
        self, stdio: tuple[int, int] | None, *, by_rights: bool, gone: Callable[[], bool]
    ) -> Ends | None:
        """Wait for the runner and give it its channels; None when `gone` says that it will not come.

        by_rights: descriptors go in over one connection. Otherwise each role dials for itself; `stdio` are our
        ends of stdout and stderr when the container has the others already.
        """
        if by_rights:
            return self._hand_in(gone)
        found: dict[str, socket.socket] = {}
        wanted = {"life", "report", "job"} if stdio else {"life", *_ROLES}
        while wanted - set(found):
            connection = self._accept(gone)
            if connection is None:
                for one in found.values():
                    one.close()
                return None
            role = _role(connection)
            if role in wanted and role not in found:
                found[role] = connection
            else:
                connection.close()
        out, err = stdio or (found["stdout"].detach(), found["stderr"].detach())
        self.listening.close()
        self._life = found["life"]
        return Ends(found["job"], out, err, found["report"].detach())

    def _hand_in(self, gone: Callable[[], bool]) -> Ends | None:
        connection = self._accept(gone)
        if connection is None:
            return None
        self.listening.close()
        ours, (job, stdout, stderr, report) = channels()
        fds = array.array("i", [stdout, stderr, report, job])
        self._life = connection
        with suppress(OSError):
            connection.sendmsg([b"channels"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        for fd in fds:
            os.close(fd)
        return ours

    def _accept(self, gone: Callable[[], bool]) -> socket.socket | None:
        while True:
            ready, _, _ = select.select([self.listening], [], [], _LOOK_S)
            if ready:
                with suppress(OSError):
                    connection, _address = self.listening.accept()
                    return connection
            elif gone():
                return None

    def wait_for_end(self, timeout_s: float) -> bool:
        """Whether the code's main process has ended; the container lives on until `hang_up`. False at once for
        a container that has hung up itself."""
        if self._life is None:
            return False
        with suppress(OSError):
            if select.select([self._life], [], [], timeout_s)[0]:
                ended = bool(self._life.recv(1, socket.MSG_DONTWAIT))
                if not ended:
                    self.hang_up()
                return ended
        return False

    @property
    def hung_up(self) -> bool:
        return self._life is None

    def hang_up(self) -> None:
        if self._life is not None:
            self._life.close()
            self._life = None

    def close(self) -> None:
        self.listening.close()
        self.hang_up()
        shutil.rmtree(self.folder, ignore_errors=True)


def _role(connection: socket.socket) -> str:
    """What a new connection says it is; "" when it says nothing in time."""
    said = b""
    connection.settimeout(_ANSWER_S)
    with suppress(OSError):
        while len(said) < _ROLE_BYTES and (part := connection.recv(_ROLE_BYTES - len(said))):
            said += part
    with suppress(OSError):
        connection.settimeout(None)
    return said.decode(errors="replace").strip()
