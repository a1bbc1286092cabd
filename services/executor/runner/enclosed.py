"""First process of a container: the bootstrap calls `enter` where no launcher stands around it.

Gets the runner's descriptors through the door, becomes a first process that only waits (and carries the way out
where a listening socket cannot be handed out), and lets a child with our filter on it go on to be the code.
"""

from __future__ import annotations

import _socket
import ctypes
import os
import select
import signal
import sys
from _thread import LockType, allocate_lock, start_new_thread
from contextlib import suppress

DOOR, WAY_OUT, FILTER = "/door/in", "/door/out", "/runner/filter"
PROXY_PORT = 3128
PLACES = {"stdout": 1, "stderr": 2, "report": 3, "job": 4}
_ROLE_BYTES = 8
_ASIDE = 64  # where descriptors wait until all have come; every limit of open files is above
_LIFE, _REPORTS = 5, 6  # the first ends when the platform does
_BUFFER = 64 << 10
_CONNECTIONS = 24  # at once; more wait in the backlog
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38  # linux/prctl.h
_SECCOMP_MODE_FILTER = 2
_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def enter(how: str, relays: bool) -> None:
    """Returns in the child alone. `how`: "rights" (one connection, over which the descriptors come) or a list of
    roles, "life,job,report", each of which gets a connection of its own."""
    life, handed = _received() if how == "rights" else _all_dialled(how.split(","))
    aside = {role: _moved(fd) for role, fd in handed.items()}
    life = _moved(life)
    for role, fd in aside.items():
        os.dup2(fd, PLACES[role])
    os.dup2(life, _LIFE)
    os.dup2(PLACES["report"], _REPORTS)
    os.closerange(_REPORTS + 1, 4096)
    reports = (
        os.pipe() if how != "rights" else None
    )  # the code gets no socket, from which it could read as well
    if reports is not None:
        os.dup2(reports[1], PLACES["report"])
        os.close(reports[1])
    listener = _listen() if relays else None
    # Our own process must not be readable or writable for the code, which runs as the same user.
    _prctl(_PR_SET_DUMPABLE, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child:
        _wait(child, listener, reports[0] if reports is not None else -1)
    _prctl(_PR_SET_DUMPABLE, 1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.closerange(_LIFE, 4096)
    os.environ.pop("HOSTNAME", None)  # Docker's own
    os.setsid()
    _filter()


def _received() -> tuple[int, dict[str, int]]:
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    channel.connect(DOOR)
    _data, extra, _flags, _address = channel.recvmsg(64, 256)
    raw = extra[0][2]
    fds = [int.from_bytes(raw[at : at + 4], sys.byteorder) for at in range(0, len(raw), 4)]
    return channel.detach(), dict(zip(PLACES, fds, strict=True))


def _all_dialled(roles: list[str]) -> tuple[int, dict[str, int]]:
    found = {role: _dialled(role) for role in roles}
    return found.pop("life"), found


def _dialled(role: str) -> int:
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    channel.connect(DOOR)
    channel.sendall(role.encode().ljust(_ROLE_BYTES))
    return channel.detach()


def _moved(fd: int) -> int:
    """Out of the way of the places the others are about to take."""
    import fcntl

    aside = fcntl.fcntl(fd, fcntl.F_DUPFD, _ASIDE >> 1)
    os.close(fd)
    return aside


def _listen() -> _socket.socket:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PROXY_PORT))
    listener.listen(64)
    return listener


def _prctl(option: int, value: int, more: object = 0) -> None:
    if _libc.prctl(option, value, more, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _filter() -> None:
    """The launcher's program, byte for byte: containers have it as bubblewrap's sandboxes do."""
    with open(FILTER, "rb") as file:
        raw = file.read()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    program = _Program(len(raw) // 8, raw)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program))


def _wait(child: int, listener: _socket.socket | None, reports: int) -> None:
    """Ends, and with it the container, when the code's main process ends; nothing else may hold it up."""
    os.chdir("/")
    kept = listener.detach() if listener is not None else -1
    empty = os.open("/dev/null", os.O_RDWR)
    for fd in range(_LIFE):
        os.dup2(empty, fd)
    ended: list[int] = []
    start_new_thread(_end_when_told, (ended,))
    if kept >= 0:
        start_new_thread(_relay, (kept,))
    said = allocate_lock()
    if reports >= 0:
        said.acquire()
        start_new_thread(_carry, (reports, said))
    else:
        os.close(_REPORTS)
    while not ended:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            ended.append(code if code >= 0 else 128 - code)
    with suppress(OSError):
        os.kill(-1, signal.SIGKILL)  # everything else in here: the run is over
    said.acquire()
    os.write(_LIFE, b"!")
    while True:
        signal.pause()


def _carry(reports: int, said: LockType) -> None:
    """What the code reports, to its end: nobody writes any more when all are dead."""
    with suppress(OSError):
        while data := os.read(reports, _BUFFER):
            while data:
                data = data[os.write(_REPORTS, data) :]
    said.release()


def _end_when_told(ended: list[int]) -> None:
    """Outside reads what was used, for which we must still be here, and hangs up. Killed or gone it hangs up
    as well: nobody else would end this container for it."""
    life = _socket.socket(fileno=_LIFE)
    try:
        while life.recv(1):
            pass
    finally:
        os._exit(ended[0] if ended else 128 + signal.SIGKILL)


class _Leg:
    """One direction of one connection."""

    def __init__(self, source: _socket.socket, target: _socket.socket) -> None:
        self.source, self.target = source, target
        self.held = b""
        self.over = False

    def pull(self) -> None:
        try:
            self.held = self.source.recv(_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            self.held = b""
        if not self.held:
            self._end()

    def push(self) -> None:
        try:
            self.held = self.held[self.target.send(self.held) :]
        except BlockingIOError:
            return
        except OSError:
            self.held = b""
            self._end()

    def _end(self) -> None:
        self.over = True
        for side, how in ((self.target, _socket.SHUT_WR), (self.source, _socket.SHUT_RD)):
            with suppress(OSError):
                side.shutdown(how)


def _relay(fd: int) -> None:
    """127.0.0.1:3128 inside to the socket of this one sandbox outside. Whoever connects there directly has the
    same and no more."""
    listener = _socket.socket(fileno=fd)
    listener.setblocking(False)
    pairs: list[tuple[_Leg, _Leg]] = []
    while True:
        wanted: dict[int, int] = {fd: select.POLLIN} if len(pairs) < _CONNECTIONS else {}
        for leg in (leg for pair in pairs for leg in pair if not leg.over):
            side, event = (leg.target, select.POLLOUT) if leg.held else (leg.source, select.POLLIN)
            wanted[side.fileno()] = wanted.get(side.fileno(), 0) | event
        poll = select.poll()
        for number, events in wanted.items():
            poll.register(number, events)
        ready = dict(poll.poll())
        for leg in (leg for pair in pairs for leg in pair if not leg.over):
            if leg.held and leg.target.fileno() in ready:
                leg.push()
            elif not leg.held and leg.source.fileno() in ready:
                leg.pull()
        if fd in ready:
            _welcome(listener, pairs)
        for pair in [pair for pair in pairs if pair[0].over and pair[1].over]:
            pairs.remove(pair)
            for side in (pair[0].source, pair[0].target):
                side.close()


def _welcome(listener: _socket.socket, pairs: list[tuple[_Leg, _Leg]]) -> None:
    try:
        number, _address = listener._accept()  # type: ignore[attr-defined]  # socket.socket has it public
    except OSError:
        return
    inner = _socket.socket(fileno=number)
    outer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        outer.connect(WAY_OUT)
    except OSError:
        inner.close()
        outer.close()
        return
    for side in (inner, outer):
        side.setblocking(False)
    pairs.append((_Leg(inner, outer), _Leg(outer, inner)))
