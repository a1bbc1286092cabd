"""One attempt that runs elsewhere, seen from the executor: hands out its work, hears its reports, ends it once."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from services.executor.adapters.packed import Lent
from services.executor.adapters.reports import ReportReader
from services.executor.adapters.sockets import listen
from services.executor.ports import AttemptSink, Ended, EndReason, Order, Usage
from services.executor.run_api.messages import (
    FOLDERS,
    EndingTold,
    Install,
    Parcel,
    Report,
    Reports,
    WayOut,
    Work,
    WorkAsked,
    work_of,
)
from services.executor.run_api.parcels import pack, unpack
from shared.clock import Clock
from shared.errors import BadRequest, Conflict, DecodeError, NotAllowed, NotFound, TooLarge

_INODE_BYTES = 2048  # what a file costs in a tar beside its content
_SENT_BYTES = 1 << 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """folder: room for boxes and sockets of attempts. version: of the code that makes sandboxes. carrier_url: what
    carries connections to the egress gateway; "": whoever runs the attempt is on this machine and dials."""

    folder: Path
    version: str
    carrier_url: str
    clock: Clock


@dataclass
class Execution:
    """What is known of it at Google. name "": nobody knows whether there is one."""

    job: str
    name: str = ""


class RemoteAttempt:
    """Thread-safe. All methods but those of the watch are requests of the process elsewhere, and may come twice."""

    def __init__(
        self,
        order: Order,
        sink: AttemptSink,
        job: str,
        around: Surroundings,
        *,
        doctor: bool = False,
        install: Install | None = None,
    ) -> None:
        self.order = order
        self.doctor = doctor
        self.install = install
        self.links: dict[Path, Lent] = {}  # of folders that lie in the bucket
        self.execution = Execution(job)
        self.reason: EndReason | None = None
        self.ended: Ended | None = None
        self.over = threading.Event()
        self.uncertain = False  # what runs may have begun before this object was
        self.asked_at = self.heard_at = around.clock.monotonic()
        self._around = around
        self._sink = sink
        self._lock = threading.RLock()
        self._instance = ""
        self._way_out: WayOut | None = None
        self._listener: socket.socket | None = None
        self._hearing = _Hearing(order.limits.output_bytes)
        self._box = around.folder / "boxes" / order.id
        self._incoming = around.folder / "incoming" / order.id

    @property
    def begun(self) -> bool:
        """Some process has the work."""
        return bool(self._instance)

    def work(self, asked: WorkAsked) -> Work:
        """For the first that asks; the same one may ask again. Raises: Conflict when it is another's or over,
        NotAllowed when the asking image is not of this version."""
        with self._lock:
            self._demand_open()
            if self.reason is not None:
                raise NotFound("This attempt was stopped.", code="attempt_over")
            if asked.version != self._around.version:
                self.finish("unstartable", "The runner's image is of another version than the executor.")
                raise NotAllowed("This image is of another version than the executor.", code="other_version")
            if self._instance and self._instance != asked.instance:
                raise Conflict("Another execution has this attempt.", code="taken")
            self._touch()
            if not self._instance:
                self._open_way_out()
                self._instance = asked.instance
            parcels = () if self.install else self._parcels()
            return work_of(self.order, parcels, self._way_out, doctor=self.doctor, install=self.install)

    def folder(self, number: int) -> Iterator[bytes]:
        """A tar. Raises: NotFound."""
        folders = self._folders()
        if not 0 <= number < len(folders):
            raise NotFound("There is no such folder.")
        self._touch()
        path = folders[number][1]
        return self.links[path].read() if path in self.links else pack(path)

    def hear(self, reports: Reports) -> EndReason | None:
        """Why it is to end, if it is. Raises: Conflict, and what the sink raises: then nothing of the report that
        raised was heard, and it comes again."""
        with self._lock:
            self._demand_mine(reports.instance)
            self._touch()
            for report in reports.reports:
                self._hearing.hear(report, self._sink)
            return self.reason

    def take_box(self, instance: str, offset: int, data: bytes) -> None:
        """A part of the tar of what was left; each in turn, and each may come again. Raises: Conflict, TooLarge."""
        limits = self.order.limits
        with self._lock:
            self._demand_mine(instance)
            self._touch()
            if offset + len(data) > limits.disk_bytes + limits.inodes * _INODE_BYTES + _SENT_BYTES:
                raise TooLarge("More was left than this attempt may leave.")
            self._incoming.parent.mkdir(parents=True, exist_ok=True)
            with self._incoming.open("ab") as file:
                if offset > file.tell():
                    raise Conflict("A part before this one is missing.")
                file.truncate(offset)
                file.write(data)

    def end(self, told: EndingTold) -> None:
        """Raises: Conflict, DecodeError when the box is not what was announced."""
        with self._lock:
            if self.ended is not None and told.instance == self._instance:
                return  # the answer was lost
            self._demand_mine(told.instance)
            box = self._take_in(told)
            reason = self.reason or told.reason
            code = told.exit_code if reason == "exited" else None
            self._close(Ended(reason, code, told.usage, box, told.detail))

    def finish(self, reason: EndReason, detail: str) -> None:
        """It will never say so itself; the first end stands."""
        with self._lock:
            if self.ended is None:
                self._close(Ended(self.reason or reason, None, Usage(), None, detail))

    def remove(self) -> None:
        shutil.rmtree(self._box, ignore_errors=True)
        self._incoming.unlink(missing_ok=True)

    def _close(self, ended: Ended) -> None:
        self.ended = ended
        if self._listener is not None:
            self._socket_path.unlink(missing_ok=True)
            self._listener.close()
        try:
            self._sink.ended(ended)
        finally:
            self.over.set()

    def _touch(self) -> None:
        self.heard_at = self._around.clock.monotonic()

    def _demand_open(self) -> None:
        if self.ended is not None:
            raise NotFound("This attempt is over.", code="attempt_over")

    def _demand_mine(self, instance: str) -> None:
        self._demand_open()
        if not self._instance or instance != self._instance:
            raise Conflict("Another execution has this attempt.", code="taken")

    @property
    def _socket_path(self) -> Path:
        return self._around.folder / "ways" / self.order.id

    def _open_way_out(self) -> None:
        if self.order.egress is None:
            return
        self._socket_path.parent.mkdir(parents=True, exist_ok=True)
        self._listener = listen(self._socket_path)
        try:
            ca_pem = self.order.egress(self._listener)
        except Exception as error:
            log.exception("attempt %s: no way out", self.order.id)
            self.finish("unstartable", f"The way out could not be opened: {error}")
            raise NotFound("This attempt is over: it has no way out.", code="attempt_over") from error
        self._way_out = WayOut(url=self._around.carrier_url or f"unix:{self._socket_path}", ca_pem=ca_pem)

    def _folders(self) -> list[tuple[str, Path]]:
        order = self.order
        sites = [("site", path) for path in order.site_dirs]
        return [("code", order.code_dir), *sites, *order.mounts.items()]

    def _parcels(self) -> tuple[Parcel, ...]:
        return tuple(
            self._parcel(number, place, path) for number, (place, path) in enumerate(self._folders())
        )

    def _parcel(self, number: int, place: str, path: Path) -> Parcel:
        lent = self.links.get(path)
        return Parcel(
            place=place,
            url=(lent and lent.address) or f"{FOLDERS}/{number}",
            sha256=lent.sha256 if lent else "",
            file=path.name if path.is_file() else "",
        )

    def _take_in(self, told: EndingTold) -> Path | None:
        if told.box_bytes is None:
            return None
        limits = self.order.limits
        try:
            with self._incoming.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                if (file.tell(), digest) != (told.box_bytes, told.box_sha256):
                    raise DecodeError("What was left arrived otherwise than it was announced.")
                file.seek(0)
                unpack(
                    file,
                    self._box / "box",
                    max_bytes=limits.disk_bytes,
                    max_entries=limits.inodes + len(("outputs", "state")),
                )
        except FileNotFoundError as error:
            raise DecodeError("What was left has not arrived.") from error
        finally:
            self._incoming.unlink(missing_ok=True)
        return self._box / "box"


@dataclass
class _Hearing:
    """Every report once, and no more than one machine's sandbox would let through."""

    output_left: int
    _last: int = 0
    _reader: ReportReader = field(default_factory=ReportReader)
    _begun: bool = False

    def hear(self, report: Report, sink: AttemptSink) -> None:
        if report.number <= self._last:
            return
        if report.number != self._last + 1:
            raise BadRequest("A report before this one is missing.")
        if report.kind == "first_line":
            if not self._begun:
                sink.first_line()
            self._begun = True
        elif report.kind == "entry":
            self._entry(report, sink)
        elif self._begun and self.output_left > 0:
            sink.log(report.kind, report.data[: self.output_left])
            self.output_left -= len(report.data)
        self._last = report.number

    def _entry(self, report: Report, sink: AttemptSink) -> None:
        if report.entry == {"kind": "cut"}:
            sink.report(report.entry)
            return
        with suppress(ValueError, RecursionError):
            line = json.dumps(report.entry).encode()
            for entry in self._reader.feed(line + b"\n"):
                if entry.get("kind") != "bound":  # the process outside has heard that one
                    sink.report(entry)
