"""From names to a folder that runs can be lent: resolve, guard, fetch, unpack, link. Every part made once.

Facts come from the trusted side: what the tools in the builder sandboxes print is used for sentences only.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from services.executor.environments import guard, sentences
from services.executor.environments.building import OwnBuilds
from services.executor.environments.cache import Cache
from services.executor.environments.door import IndexDoor, Own
from services.executor.environments.facts import Facts
from services.executor.environments.judging import Judge, no_such
from services.executor.environments.lookup import looked_up
from services.executor.environments.pages import IndexFile
from services.executor.environments.source import IndexSource, said_to_people
from services.executor.environments.store import MAX_BYTES, MAX_FILES, Stored, WheelStore
from services.executor.environments.wheels import (
    Pinned,
    applies,
    best_wheel,
    fingerprint,
    newest_source,
    read_lock,
    read_wish,
)
from services.executor.ports import Asking, Installed, LocalSite, Progress, Wish
from shared.clock import Clock
from shared.errors import BadRequest, NotFound, ProjectError, TooLarge, Unavailable
from shared.ids import derived

WHEEL_BYTES = 1 << 30
_AT_ONCE = 2
_PLACE = f"{sys.implementation.cache_tag}-{sys.platform}"


class Room(Protocol):
    """Builder sandboxes; see attempts/rooms.py."""

    def resolve(self, packages: tuple[str, ...], door: LocalSite) -> tuple[bool, str]: ...

    def unpack(self, wheel: Path, name: str, into: Path, max_bytes: int, max_files: int) -> None: ...

    def build(self, source: Path, name: str, door: LocalSite) -> tuple[str, bytes]: ...


@dataclass(frozen=True)
class Places:
    """root: the data folder. environments: site folders by id. scratch: emptied at every start."""

    root: Path
    environments: Path
    scratch: Path


def environment_id(pins: Sequence[Pinned], owner: str) -> str:
    """owner: the workspace it is kept for, "" for everybody's."""
    return derived("env", fingerprint(pins), _PLACE, owner)


class Builder:
    """Implements ports.EnvironmentBuilder. Thread-safe: two builds of one lock make it once."""

    def __init__(
        self, room: Room, source: IndexSource, store: WheelStore, places: Places, clock: Clock, cache: Cache
    ) -> None:
        self._room = room
        self._source = source
        self._store = store
        self._places = places
        self._clock = clock
        self._cache = cache
        self._facts = Facts(source, places.root / "index" / "facts", clock)
        self._judge = Judge(self._facts, clock)
        self._own = OwnBuilds(room, source, store.root, places.root / "index" / "files")

    def build(self, wish: Wish, progress: Progress) -> Installed | Asking:
        with said_to_people():
            return self._build(wish, progress)

    def lookup(self, names: Collection[str]) -> dict[str, tuple[bool, str]]:
        return looked_up(names, self._source, self._clock.now())

    def ready(self, environment_id: str) -> Path:
        folder = self._places.environments / environment_id
        if folder.is_dir():
            self._cache.used(folder)
            return folder
        lock, owner = self._cache.recipe(environment_id)
        if lock is None:
            raise NotFound("There are no such packages here.")
        self._install(read_lock(lock), owner, folder, _Quiet())
        return folder

    def forget(self, workspace_id: str) -> None:
        self._own.forget(workspace_id)
        self._cache.forget(workspace_id)

    def close(self) -> None:
        self._source.close()

    def _build(self, wish: Wish, progress: Progress) -> Installed | Asking:
        say = _Teller(progress, wish)
        own = self._own.of(wish.workspace_id)
        lock = wish.lock
        if not lock:
            say.say(sentences.resolving(wish.language))
            found = self._resolve(wish, own, say)
            if isinstance(found, Asking):
                return found
            lock, own = found
        pins = read_lock(lock)
        say.total = len(pins)
        asking = self._judge.asking(pins, wish, {one.file.sha256 for one in own})
        if asking is not None:
            return asking
        used = [one for one in own if any(one.file.sha256 in pin.hashes for pin in pins)]
        owner = wish.workspace_id if used else ""
        id = environment_id(pins, owner)
        folder = self._places.environments / id
        if folder.is_dir():
            self._cache.used(folder)
            return Installed(id, lock, self._cache.size(id), bool(used))
        self._cache.remember(id, lock, owner)
        size = self._install(pins, owner, folder, say)
        self._cache.used(folder)
        self._cache.measured(id, size)
        self._cache.trim()
        return Installed(id, lock, size, bool(used))

    def _resolve(
        self, wish: Wish, own: tuple[Own, ...], say: _Teller
    ) -> tuple[str, tuple[Own, ...]] | Asking:
        """A lock of what has been out for a week; newer only where nothing else will do (it asks, then)."""
        asked = [read_wish(text) for text in wish.packages]
        wishes = tuple(str(one) for one in asked if applies(one))
        until: datetime | None = self._clock.now() - guard.NEW_VERSION
        while True:
            door = self._door(until, own)
            solved, text = self._room.resolve(wishes, door)
            if solved:
                return text, own
            seen = door.seen
            if seen.unreachable:
                raise Unavailable(sentences.no_answer(), code="index_unreachable")
            missing = sorted(seen.missing)
            if missing:
                raise no_such(missing[0])
            if until is not None and seen.withheld:
                until = None
                continue
            built = self._from_source(seen.no_wheel, asked, wish, say)
            if isinstance(built, Asking):
                return built
            if built is None:
                said = " ".join(text.split())[-300:]
                raise BadRequest(
                    sentences.unsolvable(", ".join(wish.packages[:5]), said),
                    code="not_installable",
                    fields={"packages": ", ".join(wish.packages[:5])},
                )
            own = (*own, *built)

    def _from_source(
        self, without: Collection[str], asked: Sequence[Requirement], wish: Wish, say: _Teller
    ) -> tuple[Own, ...] | Asking | None:
        """Wheels built now, after their yes; who must be asked; None when there is nothing to build from."""
        sources: dict[str, IndexFile] = {}
        direct = {canonicalize_name(one.name) for one in asked}
        for name in sorted(direct.intersection(without) or without):
            project = self._source.project(name)
            wishes = [one for one in asked if canonicalize_name(one.name) == name]
            file = newest_source(project, wishes) if project else None
            if file is None:
                raise BadRequest(sentences.no_wheel(name), code="not_installable", fields={"packages": name})
            sources[name] = file
        if not sources:
            return None
        labels = {name: f"{name}=={file.version}" for name, file in sources.items()}
        open_ones = [name for name, label in labels.items() if label not in wish.approved]
        if open_ones:
            reasons = tuple(self._why_source(name, sources[name], labels[name], wish) for name in open_ones)
            return Asking(tuple(labels[name] for name in open_ones), reasons)
        made = []
        for name, file in sources.items():
            say.say(sentences.building(labels[name], wish.language))
            made.append(self._own.make(wish.workspace_id, name, file, self._door(None, ())))
        return tuple(made)

    def _why_source(self, name: str, file: IndexFile, label: str, wish: Wish) -> str:
        first = sentences.doubt(label, guard.Doubt("no_wheel"), wish.language)
        facts = self._facts.of(name, file.version)
        odd = guard.judge(name, file.version, facts, self._clock.now(), guard.shipped())
        return first if odd is None else f"{first} {sentences.doubt(label, odd, wish.language)}"

    def _install(self, pins: Sequence[Pinned], owner: str, folder: Path, say: _Teller | _Quiet) -> int:
        own = self._own.of(owner) if owner else ()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="wheels") as pool:
            futures = [pool.submit(self._wheel, pin, owner, own, say) for pin in pins]
            try:
                stored = [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise
        self._store.link(stored, folder)
        return sum(one.size_bytes for one in stored)

    def _wheel(self, pin: Pinned, owner: str, own: tuple[Own, ...], say: _Teller | _Quiet) -> Stored:
        built = next((one for one in own if one.file.sha256 in pin.hashes), None)
        if built is not None:
            return self._unpacked(pin, built.file, owner, lambda: built.path, say)
        for sha256 in sorted(pin.hashes):
            known = self._store.find(sha256)
            if known is not None:
                say.done_one(pin.label)
                return known
        project = self._source.project(pin.name)
        file = best_wheel(project.files, pin) if project else None
        if file is None:
            raise BadRequest(
                sentences.no_wheel(pin.label), code="not_installable", fields={"packages": pin.label}
            )
        return self._unpacked(pin, file, "", lambda: self._fetched(pin, file, say), say)

    def _fetched(self, pin: Pinned, file: IndexFile, say: _Teller | _Quiet) -> Path:
        if file.size > WHEEL_BYTES:
            raise TooLarge(sentences.too_big(pin.label), code="package_too_big")
        target = self._places.scratch / f"{file.sha256}.{threading.get_ident()}.whl"
        try:
            self._source.download(file, target, WHEEL_BYTES, partial(say.bytes, pin.name))
        except BaseException as error:
            target.unlink(missing_ok=True)
            if isinstance(error, TooLarge):
                raise TooLarge(sentences.too_big(pin.label), code=error.code) from error
            if isinstance(error, BadRequest):
                raise BadRequest(sentences.broken(pin.label, error.detail), code=error.code) from error
            raise
        return target

    def _unpacked(
        self, pin: Pinned, file: IndexFile, owner: str, wheel: Callable[[], Path], say: _Teller | _Quiet
    ) -> Stored:
        def unpack(site: Path) -> None:
            path = wheel()
            try:
                say.preparing(pin.name)
                path.chmod(0o644)
                self._room.unpack(path, file.name, site, MAX_BYTES, MAX_FILES)
            finally:
                if path.parent == self._places.scratch:
                    path.unlink(missing_ok=True)

        try:
            stored = self._store.add(file.sha256, owner, unpack)
        except ProjectError as error:
            if error.code == "bad_wheel":
                raise BadRequest(sentences.broken(pin.label, error.detail), code=error.code) from error
            raise
        say.done_one(pin.label)
        return stored

    def _door(self, until: datetime | None, own: tuple[Own, ...]) -> IndexDoor:
        return IndexDoor(self._source, self._places.root / "index" / "files", until=until, own=own)


class _Quiet:
    def say(self, text: str) -> None:
        pass

    def bytes(self, name: str, done: int, total: int) -> None:
        pass

    def preparing(self, name: str) -> None:
        pass

    def done_one(self, label: str) -> None:
        pass


class _Teller(_Quiet):
    """Sentences of one build, in its language. A download speaks when a twentieth more has come."""

    def __init__(self, progress: Progress, wish: Wish) -> None:
        self._progress = progress
        self._language = wish.language
        self._lock = threading.Lock()
        self._twentieth: dict[str, int] = {}
        self._done = 0
        self.total = 0

    def say(self, text: str) -> None:
        self._progress(text, self._done, self.total)

    def bytes(self, name: str, done: int, total: int) -> None:
        step = done * 20 // total if total else done >> 20
        with self._lock:
            if self._twentieth.get(name) == step:
                return
            self._twentieth[name] = step
        self.say(sentences.receiving(name, done, total, self._language))

    def preparing(self, name: str) -> None:
        self.say(sentences.preparing(name, self._language))

    def done_one(self, label: str) -> None:
        with self._lock:
            self._done += 1
        self.say(sentences.prepared(label, self._language))
