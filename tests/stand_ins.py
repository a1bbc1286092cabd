"""Google's part in compose.yaml, in one container: keys, pushes with tokens, the tick, and the jobs that runs are.

What it knows is gone when it stops, keys first: take the whole of compose down and up again.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from google.cloud.pubsub_v1 import PublisherClient

from services.scheduler.adapters import cloud_scheduler
from shared.bus.oidc import Pusher
from shared.clock import SystemClock
from shared.events.routing import subscriptions
from shared.runtime.server import listen
from tests.fakes.cloud_run import FakeCloudRun
from tests.fakes.cloud_scheduler import FakeCloudScheduler
from tests.fakes.kms import FakeKms
from tests.fakes.push_front import PushFront, pusher, subscribe

PUSHES, KMS, JOBS = 8090, 8091, 8092
_SERVICES_PORT = 8080
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a container's own network
_EMULATOR_S = 120
_TICK_S = 5.0  # where Cloud Scheduler's finest is a minute


def reachable(host: str, port: int) -> None:
    """Returns once somebody listens there. Raises: TimeoutError."""
    pause = threading.Event()
    for _ in range(_EMULATOR_S * 10):
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError:
            pause.wait(0.1)
    raise TimeoutError(f"Nobody listens at {host}:{port}.")


def tick(project: str) -> FakeCloudScheduler:
    """Its job is made as `make deploy` makes it."""
    publisher: Any = PublisherClient()

    def publish(topic: str, data: bytes, attributes: dict[str, str]) -> None:
        publisher.publish(topic, data, **attributes)

    scheduler = FakeCloudScheduler(publish, _TICK_S).start()
    cloud_scheduler.reconcile(cloud_scheduler.client(scheduler.address), project, os.environ["AB_GCP_REGION"])
    return scheduler


def pushers(project: str) -> dict[str, Pusher]:
    """By service, which listens under its own name."""
    return {name: pusher(project, name, f"http://{name}:{_SERVICES_PORT}") for name in subscriptions()}


def main() -> None:
    """Until SIGINT or SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    project, data = os.environ["AB_GCP_PROJECT"], Path(os.environ["AB_DATA_DIR"])
    emulator = urlsplit(f"//{os.environ['PUBSUB_EMULATOR_HOST']}")
    reachable(emulator.hostname or "", emulator.port or 0)
    subscribe(project, lambda service: f"http://{socket.gethostname()}:{PUSHES}/push/{service}")
    with FakeKms(f"{_EVERYWHERE}:{KMS}"), FakeCloudRun(data / "containers", at=f"{_EVERYWHERE}:{JOBS}"):
        front = PushFront(pushers(project), SystemClock().now, listening=listen(PUSHES, _EVERYWHERE))
        for name in subscriptions():
            front.place(name, _SERVICES_PORT, name)
        scheduler = tick(project)
        stopping.wait()
        scheduler.close()
        front.close()


if __name__ == "__main__":
    main()
