"""One attempt that runs elsewhere, seen from the executor: hands out its work, hears its reports, ends it once.

What it heard outlives this process where its sink does: docs/decisions/0052."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from services.executor.adapters.packed import Lent
from services.executor.adapters.reports import ReportReader
from services.executor.adapters.sockets import listen
from services.executor.ports import (
    AttemptSink,
    Ended,
    EndReason,
    LastingSink,
    Mark,
    Order,
    Usage,
)
from services.executor.run_api.messages import (
    ATTEMPT_OVER,
    FOLDERS,
    PART_MISSING,
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
from shared.errors import BadRequest, Conflict, DecodeError, NotAllowed, NotFound, ProjectError, TooLarge

_INODE_BYTES = 2048  # what a file costs in a tar beside its content
_SENT_BYTES = 1 << 20
# Each report may be a document of the feed, and a commit has an end.
_AT_ONCE = 100
# A request is given up by its process after twenty seconds (task/calls.py); it asks again.
_KNOWN_S = 5.0
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


class _Marked(BaseModel):
    """What another process must know of an attempt that goes on. instance "": nobody has the work yet. number: of the
    last report; output_left, entries_left: what is still let through."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    instance: str = ""
    ca_pem: str | None = None
    number: int = 0
    begun: bool = False
    output_left: int
    entries_left: int


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
        self._known = threading.Event()
        self._hearing = _Hearing(order.limits.output_bytes)
        self._lasting = sink if isinstance(sink, LastingSink) else None
        if self._lasting is not None:
            self._go_on(self._lasting.marked(self._mark))
        self._box = around.folder / "boxes" / order.id
        self._incoming = around.folder / "incoming" / order.id

    @property
    def begun(self) -> bool:
        """Some process has the work."""
        return bool(self._instance)

    @property
    def of_this_process(self) -> bool:
        """Nobody but this process waits for it: the proof of a sandbox, or packages that are being installed."""
        return self.doctor or self.install is not None

    @property
    def lasts(self) -> bool:
        """It goes on without this process."""
        return self._lasting is not None

    @property
    def needs_folders(self) -> bool:
        """Its code has not begun, so it may still ask for them."""
        return not self._hearing.begun

    def demand_ours(self) -> None:
        """Raises: Superseded when another process hears it now, Unavailable."""
        if self._lasting is not None:
            self._lasting.demand_ours()

    def known(self) -> None:
        """How it ended is written down, or it will never be asked again."""
        self._known.set()

    def work(self, asked: WorkAsked) -> Work:
        """For the first that asks; the same one may ask again. Raises: Conflict when it is another's or over,
        NotAllowed when the asking image is not of this version."""
        with self._lock, self._batch():
            self._demand_open()
            if self.reason is not None:
                raise self._refusal(NotFound("This attempt was stopped.", code=ATTEMPT_OVER))
            if asked.version != self._around.version:
                # An executor that came meanwhile is newer than what was started: the next attempt will fit.
                other = "The runner's image is of another version than the executor."
                self.finish("lost" if self.uncertain else "unstartable", other)
                raise NotAllowed("This image is of another version than the executor.", code="other_version")
            if self._instance and self._instance != asked.instance:
                raise self._refusal(Conflict("Another execution has this attempt.", code="taken"))
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
            if reports.reports and self._hearing.misses(reports.reports[0]):
                raise self._refusal(BadRequest("A report before this one is missing."))
            for few in _in_batches(reports.reports):
                with self._batch():
                    for report in few:
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
                    raise Conflict("A part before this one is missing.", code=PART_MISSING)
                file.truncate(offset)
                file.write(data)

    def end(self, told: EndingTold) -> bool:
        """Whether it is known for good, so that nobody need keep anything of it; False: tell it again. Waits a moment
        for that. Raises: Conflict, DecodeError when the box is not what was announced."""
        with self._lock:
            if self.ended is None or told.instance != self._instance:
                self._demand_mine(told.instance)
                self._touch()
                box = self._take_in(told)
                reason = self.reason or told.reason
                code = told.exit_code if reason == "exited" else None
                self._close(Ended(reason, code, told.usage, box, told.detail))
        return self._lasting is None or self._known.wait(_KNOWN_S)

    def finish(self, reason: EndReason, detail: str) -> None:
        """It will never say so itself; the first end stands."""
        with self._lock:
            if self.ended is None:
                self._close(Ended(self.reason or reason, None, Usage(), None, detail))

    def remove(self) -> None:
        self._shut_way()
        shutil.rmtree(self._box, ignore_errors=True)
        self._incoming.unlink(missing_ok=True)

    def _close(self, ended: Ended) -> None:
        self.ended = ended
        self._shut_way()
        try:
            self._sink.ended(ended)
        finally:
            self.over.set()

    def _shut_way(self) -> None:
        if self._listener is not None:
            self._socket_path.unlink(missing_ok=True)
            self._listener.close()

    def _touch(self) -> None:
        self.heard_at = self._around.clock.monotonic()

    def _batch(self) -> AbstractContextManager[None]:
        return nullcontext() if self._lasting is None else self._lasting.batch()

    def _mark(self) -> Mark:
        hearing, way_out = self._hearing, self._way_out
        return _Marked(
            instance=self._instance,
            ca_pem=way_out.ca_pem if way_out else None,
            number=hearing.last,
            begun=hearing.begun,
            output_left=hearing.output_left,
            entries_left=hearing.reader.left,
        ).model_dump()

    def _go_on(self, mark: Mark) -> None:
        if not mark:
            return
        known = _Marked.model_validate(mark)
        self._instance = known.instance
        if known.ca_pem is not None:
            self._way_out = self._leading(known.ca_pem)
        self._hearing = _Hearing(known.output_left, known.number, begun=known.begun)
        self._hearing.reader.left = known.entries_left

    def _refusal(self, error: ProjectError) -> ProjectError:
        """The error, when it is ours to refuse. Raises: Superseded where another process knows better."""
        self.demand_ours()
        return error

    def _demand_open(self) -> None:
        if self.ended is not None:
            raise self._refusal(NotFound("This attempt is over.", code=ATTEMPT_OVER))

    def _demand_mine(self, instance: str) -> None:
        self._demand_open()
        if not self._instance or instance != self._instance:
            raise self._refusal(Conflict("Another execution has this attempt.", code="taken"))

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
            raise NotFound("This attempt is over: it has no way out.", code=ATTEMPT_OVER) from error
        self._way_out = self._leading(ca_pem)

    def _leading(self, ca_pem: str) -> WayOut:
        return WayOut(url=self._around.carrier_url or f"unix:{self._socket_path}", ca_pem=ca_pem)

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
            raise Conflict("What was left has not arrived.", code=PART_MISSING) from error
        finally:
            self._incoming.unlink(missing_ok=True)
        return self._box / "box"


def _in_batches(reports: tuple[Report, ...]) -> Iterator[tuple[Report, ...]]:
    for start in range(0, len(reports), _AT_ONCE):
        yield reports[start : start + _AT_ONCE]


@dataclass
class _Hearing:
    """Every report once, and no more than one machine's sandbox would let through."""

    output_left: int
    last: int = 0
    reader: ReportReader = field(default_factory=ReportReader)
    begun: bool = False

    def misses(self, report: Report) -> bool:
        return report.number > self.last + 1

    def hear(self, report: Report, sink: AttemptSink) -> None:
        if report.number <= self.last:
            return
        if self.misses(report):
            raise BadRequest("A report before this one is missing.")
        if report.kind == "first_line":
            if not self.begun:
                sink.first_line()
            self.begun = True
        elif report.kind == "entry":
            self._entry(report, sink)
        elif self.begun and self.output_left > 0:
            sink.log(report.kind, report.data[: self.output_left])
            self.output_left -= len(report.data)
        self.last = report.number

    def _entry(self, report: Report, sink: AttemptSink) -> None:
        if report.entry == {"kind": "cut"}:
            sink.report(report.entry)
            return
        with suppress(ValueError, RecursionError):
            line = json.dumps(report.entry).encode()
            for entry in self.reader.feed(line + b"\n"):
                if entry.get("kind") != "bound":  # the process outside has heard that one
                    sink.report(entry)
