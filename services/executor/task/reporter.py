"""What an attempt does, sent to the executor: numbered, gathered for a moment, in order, again until it is heard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Literal, cast

from pydantic import JsonValue

from services.executor.ports import Ended, EndReason
from services.executor.run_api.messages import REPORTS_BYTES, Report
from services.executor.task.calls import NotOurs, RunApi
from shared.clock import Clock
from shared.errors import ProjectError

_GATHER_S = 0.25  # design, section 5
_BEAT_S = 1.0
_WAITING_BYTES = 4 << 20
_COSTS = 200  # bytes of a report around its data
_JOIN_S = 30.0
log = logging.getLogger(__name__)


class Reporter:
    """The sink of the one attempt, and its heartbeat. `wanted` is set when the attempt is to end: `why` says how.

    Speaks from the moment it is made until `close`; `log` and `report` block while too much waits to be sent."""

    def __init__(self, api: RunApi, clock: Clock, wanted: threading.Event) -> None:
        self._api = api
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[Report] = []
        self._bytes = 0
        self._number = 0
        self._urgent = threading.Event()
        self._closing = False
        self._deaf = False
        self.wanted = wanted
        self.why: EndReason = "stopped"
        self.abandoned = False
        self.ending: Ended | None = None
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="reports", daemon=True)
        self._thread.start()

    def first_line(self) -> None:
        self._add("first_line")
        self._urgent.set()

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self._add(stream, data=data)

    def say(self, line: str) -> None:
        self.log("stdout", f"{line}\n".encode())

    def report(self, entry: Mapping[str, object]) -> None:
        self._add("entry", entry=cast("dict[str, JsonValue]", dict(entry)))

    def ended(self, result: Ended) -> None:
        self.ending = result
        self.over.set()
        self.wanted.set()

    def close(self) -> None:
        """Returns when everything was sent, or nobody wants it."""
        with self._changed:
            self._closing = True
        self._urgent.set()
        self._thread.join()

    def _add(
        self,
        kind: Literal["first_line", "stdout", "stderr", "entry"],
        data: bytes = b"",
        entry: dict[str, JsonValue] | None = None,
    ) -> None:
        size = len(data) + len(str(entry or "")) + _COSTS
        with self._changed:
            while self._bytes > _WAITING_BYTES and not self._deaf:
                self._urgent.set()
                self._changed.wait()
            self._number += 1
            self._waiting.append(Report(number=self._number, kind=kind, data=data, entry=entry or {}))
            self._bytes += size

    def _speak(self) -> None:
        try:
            while True:
                last = self._closing
                self._send()
                if last:
                    return
                self._urgent.clear()
                if self._closing:
                    continue
                self._clock.wait(self._urgent, _GATHER_S if self._waiting else _BEAT_S)
        except NotOurs as error:
            log.warning("nobody wants this attempt any more: %s", error.detail)
            self._abandon()
        except ProjectError as error:
            log.exception("the attempt is given up: %s", error.detail)
            self._abandon()

    def _abandon(self) -> None:
        with self._changed:
            self._deaf, self.abandoned = True, True
            self._waiting.clear()
            self._changed.notify_all()
        self.wanted.set()

    def _send(self) -> None:
        """All that waits, or a sign of life."""
        while True:
            with self._changed:
                batch = self._batch()
            stop = self._api.report(batch)
            if stop is not None:
                self.why = stop
                self.wanted.set()
            with self._changed:
                del self._waiting[: len(batch)]
                self._bytes = sum(len(one.data) + len(str(one.entry)) + _COSTS for one in self._waiting)
                self._changed.notify_all()
                if not self._waiting:
                    return

    def _batch(self) -> tuple[Report, ...]:
        size, count = 0, 0
        for report in self._waiting:
            size += len(report.data) * 4 // 3 + len(str(report.entry)) + _COSTS
            if count and size > REPORTS_BYTES:
                break
            count += 1
        return tuple(self._waiting[:count])
