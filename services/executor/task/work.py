"""One attempt from its work to its ending."""

from __future__ import annotations

import logging
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from services.executor.ports import Ended, Order, Sandbox, Usage
from services.executor.run_api.messages import ATTEMPT_OVER, Install, WayOut, Work, ending_of, limits_of
from services.executor.run_api.parcels import pack
from services.executor.task.calls import NotOurs, PartMissing, RunApi
from services.executor.task.door import Carrier, Door
from services.executor.task.reporter import Reporter
from shared.clock import Clock
from shared.errors import ProjectError

# Of what Cloud Run leaves between SIGTERM and the end, for killing the sandbox; the rest is for handing in.
# Source: cloud.google.com/run/docs/container-contract#jobs-shutdown (ten seconds)
_KILLED_S = 5.0
# Code gives a site some twenty seconds; the way there may need longer to stand, as when a database is silent.
_WAY_OUT_S = 45.0
log = logging.getLogger(__name__)


class Attempting:
    """carrier: from the way out that the work names to what carries connections there. wanted: set from outside when
    the process is told to end."""

    def __init__(
        self,
        api: RunApi,
        folder: Path,
        make_sandbox: Callable[[Path], Sandbox],
        carrier: Callable[[WayOut], Carrier],
        clock: Clock,
        wanted: threading.Event,
        version: str,
    ) -> None:
        self._api = api
        self._folder = folder
        self._make_sandbox = make_sandbox
        self._carrier = carrier
        self._clock = clock
        self._wanted = wanted
        self._version = version
        self._doors: list[Door] = []
        self._told = False  # the executor may know how it ended

    def run(self) -> bool:
        """Whether the executor has heard how it ended."""
        try:
            work = self._api.work(self._version)
        except NotOurs as error:
            log.warning("there is nothing to do: %s", error.detail)
            return False
        reporter = Reporter(self._api, self._clock, self._wanted)
        sandbox = self._make_sandbox(self._folder / "sandbox")
        try:
            ended = self._attempt(work, sandbox, reporter)
            reporter.close()
            if reporter.abandoned:
                return False
            self._hand_in(work, ended)
        except NotOurs as error:
            log.warning("nobody wants the attempt's end any more: %s", error.detail)
            return error.code == ATTEMPT_OVER and self._told
        finally:
            sandbox.close()
            for door in self._doors:
                door.close()
        return True

    def _attempt(self, work: Work, sandbox: Sandbox, reporter: Reporter) -> Ended:
        if work.doctor:
            # What it needs takes longer to load than everything else, and only this one work needs it.
            from services.executor.task.doctor import examine

            return examine(sandbox, self._folder, self._clock, reporter.say)
        try:
            if work.install is not None:
                return self._install(work, work.install, sandbox, reporter)
            order = self._order(work)
            sandbox.start(order, reporter)
        except NotOurs:
            raise
        except (ProjectError, OSError) as error:
            log.exception("the attempt cannot start")
            return Ended("unstartable", None, Usage(), detail=str(error)[:400])
        self._wanted.wait()
        if not reporter.over.is_set():
            sandbox.stop(order.id, reporter.why)
            reporter.over.wait(_KILLED_S)
        return reporter.ending or Ended("lost", None, Usage(), detail="The sandbox did not end when told to.")

    def _install(self, work: Work, install: Install, sandbox: Sandbox, reporter: Reporter) -> Ended:
        from services.executor.task.install import Installing  # as with doctor

        if work.way_out is None:
            return Ended("unstartable", None, Usage(), detail="There is no way to the package index.")
        with closing(self._carrier(work.way_out)) as carrier:
            carrier.ready(_WAY_OUT_S)
            reporter.first_line()
            installing = Installing(install, self._api, sandbox, carrier, self._folder, self._clock)
            return installing.run(reporter, self._wanted, limits_of(work).wall_s)

    def _hand_in(self, work: Work, ended: Ended) -> None:
        """All of it again where the executor is another than the one that had a part of it."""
        while True:
            try:
                self._hand_in_all(work, ended)
                return
            except PartMissing as error:
                log.warning("what was left is handed in again: %s", error.detail)
                self._api.pause()

    def _hand_in_all(self, work: Work, ended: Ended) -> None:
        size: int | None = None
        digest = ""
        if ended.box is not None:
            largest = int(work.limits["disk_bytes"])
            pieces = pack(ended.box, left_by_code=True, max_file_bytes=largest)
            size, digest = self._api.hand_in(pieces)
        self._told = True
        self._api.end(ending_of(self._api.instance, ended, size, digest))

    def _order(self, work: Work) -> Order:
        """With everything it needs lying here."""
        parcels = self._folder / "parcels"
        shutil.rmtree(parcels, ignore_errors=True)
        code, sites, mounts = parcels / "0", [], {}
        for number, parcel in enumerate(work.parcels):
            here = parcels / str(number)
            self._api.fetch(parcel, here)
            if parcel.place == "code":
                code = here
            elif parcel.place == "site":
                sites.append(here)
            else:
                mounts[parcel.place] = here / parcel.file
        return Order(
            id=work.id,
            code_dir=code,
            entry=work.entry,
            site_dirs=tuple(sites),
            input=work.input,
            state=work.state,
            env=work.env,
            mode=work.mode,
            now=work.now,
            timezone=work.timezone,
            limits=limits_of(work),
            egress=None if work.way_out is None else self._open(work.way_out),
            mounts=mounts,
            files=work.files,
            seed=work.seed,
            clock=work.clock,
        )

    def _open(self, way_out: WayOut) -> Callable[[socket.socket], str]:
        def egress(listener: socket.socket) -> str:
            carrier = self._carrier(way_out)
            self._doors.append(Door(listener, carrier))
            carrier.ready(_WAY_OUT_S)
            return way_out.ca_pem

        return egress
