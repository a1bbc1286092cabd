"""Environments that are built by executions of a job and kept in the bucket, where runs elsewhere fetch them.

What a job says is believed as far as this process can see for itself: it judges the lock again, and reads the file
against it. Why: docs/decisions/0054.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from packaging.utils import canonicalize_name
from pydantic import ValidationError

from services.executor.attempts.index_ways import IndexWays
from services.executor.attempts.oneshot import read_plain
from services.executor.environments import guard, sentences
from services.executor.environments.builder import environment_id
from services.executor.environments.judging import Judge
from services.executor.environments.lookup import looked_up
from services.executor.environments.packed import MAX_BYTES, Packed, check
from services.executor.environments.source import IndexSource, said_to_people
from services.executor.environments.wheels import Pinned, applies, read_lock, read_wish
from services.executor.ports import (
    Asking,
    AttemptSink,
    Ended,
    EndReason,
    Installed,
    Order,
    Progress,
    RunLimits,
    Wish,
)
from services.executor.run_api.messages import INSTALLED, PACKAGES, Install, InstallTold, Upload
from services.executor.run_api.parcels import Incoming
from shared.blobs.port import UploadLink
from shared.clock import Clock
from shared.errors import BadRequest, DecodeError, NotFound, Unavailable
from shared.ids import Ids

# A resolution may take 200 s, a build from source 240, and a room for each wheel has 240 (attempts/rooms.py).
_LIMITS = RunLimits(wall_s=1800, cpu_s=3600, memory_bytes=512 << 20, disk_bytes=MAX_BYTES, inodes=16)
_LINK_S = 2 * 3600
# Beyond the order's own limit, until whoever watches executions has given it up (adapters/cloud_run.py).
_WAIT_S = _LIMITS.wall_s + 3600
_TOLD_BYTES = 8 << 20
_TEXT = 500
_EVERYBODY = "everybody"  # in place of a workspace
log = logging.getLogger(__name__)


class Jobs(Protocol):
    """Sandboxes elsewhere; see adapters/cloud_run.py."""

    def install(self, order: Order, install: Install, sink: AttemptSink) -> str: ...

    def stop(self, handle: str, reason: EndReason = "stopped") -> None: ...

    def release(self, handle: str) -> None: ...


class Shelf(Protocol):
    """Packed environments by their ids; see adapters/packed.py."""

    def find(self, id: str) -> Packed | None: ...

    def upload_link(self, build_id: str, lasts_s: int, at_most_bytes: int) -> UploadLink | None: ...

    def take_in(self, build_id: str, file: Path) -> None: ...

    def arrived(self, build_id: str) -> Iterator[bytes]: ...

    def keep(self, build_id: str, id: str, lock: str, packed: Packed) -> None: ...

    def drop(self, build_id: str) -> None: ...

    def lock(self, id: str) -> str | None: ...

    def forget(self, owner: str) -> None: ...


@dataclass(frozen=True)
class Elsewhere:
    jobs: Jobs
    shelf: Shelf


class JobBuilder:
    """Implements ports.EnvironmentBuilder. Thread-safe: two builds of one lock make it once. folder: an empty one, the
    code of the orders. environments: of the names that sites have; nothing lies there."""

    def __init__(
        self,
        elsewhere: Elsewhere,
        ways: IndexWays,
        source: IndexSource,
        judge: Judge,
        clock: Clock,
        ids: Ids,
        folder: Path,
        environments: Path,
    ) -> None:
        self._jobs = elsewhere.jobs
        self._shelf = elsewhere.shelf
        self._ways = ways
        self._source = source
        self._judge = judge
        self._clock = clock
        self._ids = ids
        self._folder = folder
        self._environments = environments
        self._lock = threading.Lock()
        self._building: dict[str, threading.Lock] = {}

    def build(self, wish: Wish, progress: Progress) -> Installed | Asking:
        with said_to_people():
            return self._build(wish, progress)

    def lookup(self, names: Collection[str]) -> dict[str, tuple[bool, str]]:
        return looked_up(names, self._source, self._clock.now())

    def ready(self, environment_id: str) -> Path:
        if self._shelf.find(environment_id) is None:
            lock = self._shelf.lock(environment_id)
            if lock is None:
                raise NotFound("There are no such packages here.")
            pins = read_lock(lock)
            # Everybody may use it, so nothing of it needed a yes when it was made.
            wish = Wish((), _EVERYBODY, lock=lock, approved=frozenset(pin.label for pin in pins))
            self._ordered(wish, lambda text, done, all_: None, owner="")
        return self._environments / environment_id

    def forget(self, workspace_id: str) -> None:
        self._shelf.forget(workspace_id)

    def close(self) -> None:
        self._source.close()

    def _build(self, wish: Wish, progress: Progress) -> Installed | Asking:
        if not wish.lock:
            for text in wish.packages:
                read_wish(text)
            return self._ordered(wish, progress, _owner(wish))
        pins = read_lock(wish.lock)
        asking = self._judge.asking(pins, wish)
        if asking is not None:
            return asking
        with self._lock:
            building = self._building.setdefault(environment_id(pins, ""), threading.Lock())
        with building:
            return self._known(pins, wish) or self._ordered(wish, progress, _owner(wish))

    def _known(self, pins: Sequence[Pinned], wish: Wish) -> Installed | Asking | None:
        for owner in ("", wish.workspace_id):
            id = environment_id(pins, owner)
            found = self._shelf.find(id)
            if found is not None:
                return _asking_again(found, wish) or Installed(id, wish.lock, found.size_bytes, bool(owner))
        return None

    def _ordered(self, wish: Wish, progress: Progress, owner: str) -> Installed | Asking:
        """By one execution, which is over afterwards, and so is its way out."""
        id = self._ids.new("bld")
        link = self._shelf.upload_link(id, _LINK_S, MAX_BYTES)
        install = Install(
            packages=wish.packages,
            workspace_id=wish.workspace_id,
            lock=wish.lock,
            approved=tuple(sorted(wish.approved)),
            language=wish.language,
            upload=Upload(url=link.url, headers=link.headers) if link else None,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        way_out = partial(self._ways.open, id, wish.workspace_id, float(_LINK_S))
        order = Order(id, self._folder, limits=_LIMITS, egress=way_out)
        waiting = _Waiting(progress)
        try:
            self._jobs.install(order, install, waiting)
            try:
                if not waiting.over.wait(_WAIT_S):
                    self._jobs.stop(id)
                    raise Unavailable(sentences.not_built_elsewhere(""))
                told = _told(waiting.result, link is None, partial(self._shelf.take_in, id))
            finally:
                self._ways.close(id)
                self._jobs.release(id)
            return self._believed(id, wish, told, owner)
        finally:
            self._shelf.drop(id)

    def _believed(self, id: str, wish: Wish, told: InstallTold, owner: str) -> Installed | Asking:
        """Raises what the job was told of, and BadRequest where its word does not hold."""
        if told.problem:
            error = Unavailable if told.again else BadRequest
            raise error(told.problem, code=told.code or None, fields=told.fields)
        if not told.lock:
            return Asking(told.packages, told.reasons)
        pins = read_lock(told.lock)
        if (wish.lock and told.lock != wish.lock) or not _named(wish) <= {pin.name for pin in pins}:
            raise BadRequest(sentences.not_as_locked(), code="not_as_locked")
        asking = self._judge.asking(pins, wish)
        if asking is not None:
            return asking
        arrived = cast("BinaryIO", Incoming(self._shelf.arrived(id)))
        try:
            size, sha256 = check(arrived, pins)
            if (size, sha256) != (told.file_bytes, told.sha256):
                raise DecodeError("It is not what the job said it would be.")
        except (BadRequest, DecodeError, NotFound) as error:
            log.warning("build %s is not believed: %s", id, error.detail)
            raise BadRequest(sentences.not_as_locked(), code="not_as_locked") from error
        approved = tuple(sorted(wish.approved & {pin.label for pin in pins})) if owner else ()
        environment = environment_id(pins, owner)
        self._shelf.keep(id, environment, told.lock, Packed(sha256, told.size_bytes, owner, approved))
        return Installed(environment, told.lock, told.size_bytes, bool(owner))


def _owner(wish: Wish) -> str:
    """Where a yes was given a package's own code may run in the job, so what it makes is that workspace's alone."""
    return wish.workspace_id if wish.approved else ""


def _asking_again(found: Packed, wish: Wish) -> Asking | None:
    """A yes holds for the version it was given for."""
    labels = tuple(label for label in found.approved if label not in wish.approved)
    reasons = tuple(sentences.doubt(label, guard.Doubt("no_wheel"), wish.language) for label in labels)
    return Asking(labels, reasons) if labels else None


def _named(wish: Wish) -> set[str]:
    asked = [read_wish(text) for text in wish.packages]
    return {str(canonicalize_name(one.name)) for one in asked if applies(one)}


def _told(ended: Ended | None, in_box: bool, take_in: Callable[[Path], None]) -> InstallTold:
    """Raises: Unavailable when the execution ended without a word, BadRequest when it took too long."""
    if ended is not None and ended.reason == "wall":
        raise BadRequest(sentences.took_too_long(), code="install_too_long")
    if ended is None or ended.reason != "exited" or ended.box is None:
        raise Unavailable(sentences.not_built_elsewhere(ended.detail if ended else ""))
    outputs = ended.box / "outputs"
    try:
        told = InstallTold.model_validate_json(read_plain(outputs / INSTALLED, _TOLD_BYTES) or b"")
    except ValidationError as error:
        raise Unavailable(sentences.not_built_elsewhere("")) from error
    file = outputs / PACKAGES
    if told.lock and in_box and file.is_file() and not file.is_symlink():
        take_in(file)
    return told


class _Waiting:
    """The sink of one build. Steps are its sentences; what is printed goes to the log."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.over = threading.Event()
        self.result: Ended | None = None

    def first_line(self) -> None:
        return None

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        log.info("a build: %s", data.decode(errors="replace").rstrip())

    def report(self, entry: Mapping[str, object]) -> None:
        text, done, total = entry.get("name"), entry.get("done"), entry.get("total")
        if isinstance(text, str) and isinstance(done, int) and isinstance(total, int):
            self._progress(text[:_TEXT], done, total)

    def ended(self, result: Ended) -> None:
        self.result = result
        self.over.set()
