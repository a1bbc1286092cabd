"""Packages where runs run: the builder of one machine in this container, and what it made put into the bucket."""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

from uv import find_uv_bin

from services.executor.attempts.oneshot import OneShot
from services.executor.attempts.rooms import Rooms
from services.executor.egress.gateway import EgressGateway
from services.executor.environments.builder import Builder, Places
from services.executor.environments.cache import Cache
from services.executor.environments.door import SIMPLE
from services.executor.environments.source import IndexSource
from services.executor.environments.store import WheelStore
from services.executor.ports import Asking, Ended, Sandbox, Usage, Wish
from services.executor.run_api.messages import INSTALLED, PACKAGES, Install, InstallTold
from services.executor.run_api.parcels import pack
from services.executor.task.calls import RunApi
from services.executor.task.door import Carrier
from services.executor.task.reporter import Reporter
from shared.clock import Clock
from shared.errors import ProjectError
from shared.ids import RandomIds

_CACHE_BYTES = 1 << 40  # of a disk that is gone afterwards
log = logging.getLogger(__name__)


class Installing:
    """carrier: of connections to the index. Starts its thread with `run`."""

    def __init__(
        self, order: Install, api: RunApi, sandbox: Sandbox, carrier: Carrier, folder: Path, clock: Clock
    ) -> None:
        self._order = order
        self._api = api
        self._sandbox = sandbox
        self._carrier = carrier
        self._folder = folder
        self._clock = clock
        self._box = folder / "installed"
        self._done = False

    def run(self, reporter: Reporter, wanted: threading.Event, wall_s: float) -> Ended:
        """Until it is done or to end. The sandbox is to be closed afterwards: what still goes on ends with it."""
        began = self._clock.monotonic()
        (self._box / "outputs").mkdir(parents=True)
        threading.Thread(target=self._work, args=(reporter, wanted), name="install", daemon=True).start()
        self._clock.wait(wanted, wall_s)
        usage = Usage(wall_ms=int((self._clock.monotonic() - began) * 1000))
        if self._done:
            return Ended("exited", 0, usage, self._box)
        return Ended(reporter.why if wanted.is_set() else "wall", None, usage)

    def _work(self, reporter: Reporter, wanted: threading.Event) -> None:
        try:
            told = self._told(reporter)
            (self._box / "outputs" / INSTALLED).write_text(told.model_dump_json(), encoding="utf-8")
            self._done = True
        except Exception:
            log.exception("the packages could not be installed")
        finally:
            wanted.set()

    def _told(self, reporter: Reporter) -> InstallTold:
        order = self._order
        wish = Wish(order.packages, order.workspace_id, order.lock, frozenset(order.approved), order.language)
        places = Places(self._folder, self._folder / "environments", self._folder / "scratch")
        for folder in (places.environments, places.scratch):
            folder.mkdir()
        with ExitStack() as until_done:
            builder = self._builder(places, until_done)
            try:
                found = builder.build(wish, lambda text, done, total: _say(reporter, text, done, total))
            except ProjectError as error:
                return InstallTold(
                    problem=error.detail[:4000],
                    code=error.code[:100],
                    again=error.retryable,
                    fields={name[:100]: text[:500] for name, text in error.fields.items()},
                )
        if isinstance(found, Asking):
            return InstallTold(packages=found.packages, reasons=found.reasons)
        size, sha256 = self._put(places.environments / found.environment_id)
        return InstallTold(lock=found.lock, size_bytes=found.size_bytes, file_bytes=size, sha256=sha256)

    def _builder(self, places: Places, until_done: ExitStack) -> Builder:
        ids = RandomIds()
        gateway = EgressGateway(clock=self._clock)
        until_done.callback(gateway.stop)
        source = IndexSource(lambda: SIMPLE, clock=self._clock, through=self._dial)
        until_done.callback(source.close)
        rooms = Rooms(OneShot(self._sandbox, gateway), ids, find_uv_bin())
        store = WheelStore(self._folder / "wheels", places.scratch, ids)
        return Builder(
            rooms, source, store, places, self._clock, Cache(self._folder, self._clock, _CACHE_BYTES)
        )

    def _dial(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._carrier.carry(theirs)
        return ours

    def _put(self, site: Path) -> tuple[int, str]:
        """Bytes and SHA-256 of the file: packed twice, for the disk is memory."""
        digest, size = hashlib.sha256(), 0
        for piece in pack(site):
            digest.update(piece)
            size += len(piece)
        if self._order.upload is not None:
            self._api.put(self._order.upload, lambda: pack(site), size)
        else:
            with (self._box / "outputs" / PACKAGES).open("wb") as file:
                for piece in pack(site):
                    file.write(piece)
        return size, digest.hexdigest()


def _say(reporter: Reporter, text: str, done: int, total: int) -> None:
    reporter.report({"kind": "step", "name": text, "done": done, "total": total})
