"""One attempt seen from the executor: a thread that reads its pipes, feeds the sink, and ends it once."""

from __future__ import annotations

import array
import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, get_args

from services.executor.adapters.job import Guest, encode, take
from services.executor.adapters.reports import ReportReader
from services.executor.ports import AttemptSink, Ended, EndReason, Order, Usage

_CHUNK = 64 << 10
_DRAIN_S = 5.0  # everything is dead by then; only a descriptor somebody else holds could keep a pipe open
_DETAIL = 400
_REASONS: tuple[EndReason, ...] = get_args(EndReason)
_ITS_OWN_END = ("stopped", "wall", "lost")
_CLAIMABLE = ("files", "processes", "disk", "inodes", "memory")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ends:
    """Our ends of one sandbox's channels."""

    job: socket.socket
    stdout: int
    stderr: int
    report: int


def channels() -> tuple[Ends, tuple[int, int, int, int]]:
    """(ours, theirs); theirs are job, stdout, stderr, report and must be closed once handed over."""
    job, their_job = socket.socketpair()
    pairs = [os.pipe() for _ in range(3)]
    ours = Ends(job, *(read for read, _write in pairs))
    return ours, (their_job.detach(), *(write for _read, write in pairs))  # type: ignore[return-value]


def hear(job: socket.socket) -> tuple[bytes, socket.socket | None]:
    """What the sandbox says over its job socket, and the socket it hands out; nothing at its end. Package
    code may speak here while a sandbox waits: of many descriptors all but one are closed at once."""
    try:
        data, extra, _flags, _address = job.recvmsg(64, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
    except OSError:
        return b"", None
    fds = array.array("i")
    for level, kind, payload in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    for fd in fds[1:]:
        os.close(fd)
    return data, _as_socket(fds[0]) if fds else None


def _as_socket(fd: int) -> socket.socket | None:
    """None, and closed, when it is no socket at all."""
    try:
        return socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        return None


class Attempt:
    """kill(reason) must lead to a call of finish(), as must the sandbox's own end.

    A cold sandbox says "listening", gets its job, says "first line"; `begin` gives it a thread. One that waited
    has said the first already: `bind` gives it the rest at once, and the thread that waited goes on as `serve`.
    When such a one dies before the first line, `again` is called instead of sink.ended: that it waited must not
    be why a run fails.
    """

    def __init__(
        self,
        order: Order,
        sink: AttemptSink,
        ends: Ends,
        guest: Guest,
        kill: Callable[[EndReason], None],
        again: Callable[[], None] | None = None,
    ) -> None:
        self._again = again
        self._order = order
        self._sink = sink
        self._ends = ends
        self._guest = guest
        self._kill = kill
        self._reports = ReportReader()
        self._outcome: Callable[[], Ended] | None = None
        self._wake, self._waker = socket.socketpair()
        self._started = False
        self._claimed = ""
        self._early = b""
        self._detail = ""
        self._printed = 0
        self._finish_lock = threading.Lock()
        self._unsent = b""
        self._open = False
        self._waited = False
        self._reader = 0
        self._over = threading.Event()
        self.ended: Ended | None = None

    def begin(self) -> None:
        threading.Thread(target=self.serve, name=f"attempt-{self._order.id}", daemon=True).start()

    def join(self, timeout_s: float) -> None:
        """Until its thread is done with it; at once when called by that thread."""
        if self._reader != threading.get_ident():
            self._over.wait(timeout_s)

    def bind(self, listener: socket.socket | None) -> None:
        """Give the run to a sandbox that waited, from the caller's thread: its code may begin before `serve`
        is called. What its packages printed meanwhile is still in the pipes and is read after the first line.
        """
        self._waited = True
        ca_pem = self._way_out(listener) if listener is not None else ""
        if ca_pem is None:
            return
        job = take(self._order, self._guest, ca_pem)
        try:
            sent = self._ends.job.send(job, socket.MSG_DONTWAIT)
        except OSError:  # full or dead
            sent = 0
        self._unsent = job[sent:]
        if not self._unsent:
            self._close_job()

    def finish(self, outcome: Callable[[], Ended]) -> None:
        """All of the sandbox is dead. `outcome` is called once, in the attempt's thread, after the last byte
        was read; only the first call counts. What of it may yet live for a moment gets no job any more, and dies
        at the latest where it says "first line"."""
        with self._finish_lock:
            if self._outcome is None:
                self._outcome = outcome
                with suppress(OSError):
                    self._ends.job.shutdown(socket.SHUT_RDWR)  # what it said before can still be read
                with suppress(OSError):
                    self._waker.send(b"!")

    def serve(self) -> None:
        self._reader = threading.get_ident()
        try:
            if self._unsent:
                self._send(self._unsent)
            self._read()
            result = self._result()
        except Exception:
            log.exception("attempt %s: its reader failed", self._order.id)
            self._kill("lost")
            result = Ended("lost", None, Usage(), detail="The platform failed while reading its output.")
        stillborn = self._waited and not self._started and not self._detail
        again = self._again if stillborn and result.reason not in _ITS_OWN_END else None
        self.ended = result if again is None else None
        for fd in (self._ends.stdout, self._ends.stderr, self._ends.report):
            os.close(fd)
        for end in (self._ends.job, self._wake, self._waker):
            end.close()
        try:
            if again is None:
                self._sink.ended(result)
            else:
                again()
        finally:
            self._over.set()

    def _read(self) -> None:
        ends = self._ends
        if self._order.egress is None and not self._waited:
            self._hand_over("")
        outputs = {ends.stdout, ends.stderr, ends.report}
        with selectors.DefaultSelector() as selector:
            # in the order of reading: "first line" comes before what the first line printed
            sources: list[tuple[int, Callable[[], bool]]] = [
                (ends.job.fileno(), self._on_job),
                (ends.stdout, lambda: self._on_output("stdout", ends.stdout)),
                (ends.stderr, lambda: self._on_output("stderr", ends.stderr)),
                (ends.report, self._on_report),
                (self._wake.fileno(), lambda: False),
            ]
            held = outputs if self._waited else set()
            for fd, _read in sources:
                if fd not in held:
                    selector.register(fd, selectors.EVENT_READ)
            while held or outputs & set(selector.get_map()) or not self._outcome:
                if held and (self._started or self._outcome):
                    for fd in held:
                        selector.register(fd, selectors.EVENT_READ)
                    held = set()
                ready = {key.fd for key, _events in selector.select(_DRAIN_S if self._outcome else None)}
                if not ready and self._outcome:
                    return
                for fd, read in sources:
                    if fd in ready and not read():
                        selector.unregister(fd)

    def _hand_over(self, ca_pem: str) -> None:
        self._send(encode(self._order, self._guest, ca_pem))

    def _send(self, job: bytes) -> None:
        with suppress(OSError):  # the sandbox died first; its end says why
            self._ends.job.sendall(job)
        self._close_job()

    def _close_job(self) -> None:
        with suppress(OSError):
            self._ends.job.shutdown(socket.SHUT_WR)

    def _on_job(self) -> bool:
        data, listener = hear(self._ends.job)
        if listener is not None:
            if self._waited or self._open or self._outcome:
                listener.close()  # one way out is all a sandbox gets, and a dead one none
            elif (ca_pem := self._way_out(listener)) is not None:
                self._hand_over(ca_pem)
        if data == b"first line" and not self._started:
            self._started = True
            self._sink.first_line()
        return bool(data)

    def _way_out(self, listener: socket.socket) -> str | None:
        """The certificate to trust; None when there is no way out, and the attempt is about to end."""
        self._open = True
        try:
            return self._order.egress(listener) if self._order.egress else ""
        except Exception as error:
            log.exception("attempt %s: no way out", self._order.id)
            self._detail = f"The way out could not be opened: {error}"
            self._kill("unstartable")
            return None

    def _on_output(self, stream: Literal["stdout", "stderr"], fd: int) -> bool:
        data = os.read(fd, _CHUNK)
        if not self._started:
            self._early = (self._early + data)[-_DETAIL:]
            return bool(data)
        room = self._order.limits.output_bytes - self._printed
        self._printed += len(data)
        if data and room > 0:
            self._sink.log(stream, data[:room])
        if len(data) > room:
            self._kill("output")
        return bool(data)

    def _on_report(self) -> bool:
        data = os.read(self._ends.report, _CHUNK)
        for entry in self._reports.feed(data):
            if entry["kind"] == "bound":
                self._claimed = str(entry.get("name"))
            else:
                self._sink.report(entry)
        return bool(data)

    def _result(self) -> Ended:
        found = self._outcome() if self._outcome else Ended("lost", None, Usage())
        printed = min(self._printed, self._order.limits.output_bytes)
        found = replace(found, usage=replace(found.usage, output_bytes=printed))
        if self._detail:
            return replace(found, detail=self._detail)
        if found.reason == "exited" and not self._started:
            said = self._early.decode(errors="replace").strip() or f"exit status {found.exit_code}"
            return replace(found, reason="unstartable", exit_code=None, detail=said)
        if found.reason == "exited" and found.exit_code and self._claimed in _CLAIMABLE:
            # The code's own word about which bound it met. It can only rename its own failure.
            return replace(found, reason=_REASONS[_REASONS.index(self._claimed)], exit_code=None)
        return found
