"""The tick of one machine; on Google Cloud Scheduler publishes the same event."""

from __future__ import annotations

import logging
import threading

from shared.bus.port import Bus
from shared.clock import Clock, stamp
from shared.errors import Unavailable
from shared.events.clock import TimeTicked
from shared.events.envelope import Envelope
from shared.ids import Ids

log = logging.getLogger(__name__)


class Ticker:
    def __init__(self, bus: Bus, clock: Clock, ids: Ids, every_s: float) -> None:
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def tick(self) -> None:
        """One tick now."""
        event = TimeTicked(at=stamp(self._clock.now()))
        self._bus.publish(
            [
                Envelope(
                    id=self._ids.new("tick"),
                    source="/services/clock",
                    type=event.type(),
                    subject=event.subject(),
                    time=event.at,
                    workspace_id="",
                    actor="service:clock",
                    traceparent="",
                    data=event.model_dump(mode="json"),
                )
            ]
        )

    def _run(self) -> None:
        while True:
            try:
                self.tick()
                self._bus.trim()
            except Unavailable as error:
                log.warning("a tick was not taken: %s", error.detail)
            except Exception:
                # As in the relay: without a tick nothing that is overdue would ever be swept.
                log.exception("the ticker failed and goes on")
            if self._clock.wait(self._stopping, self._every_s):
                return
