"""`python -m services.executor.task`: the runner image's command. Ends with 0 when the executor knows the end."""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
import threading
from pathlib import Path

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.sockets import dial
from services.executor.egress.identity import identity
from services.executor.run_api.messages import WayOut
from services.executor.siege import proof
from services.executor.task.calls import RunApi
from services.executor.task.door import Carrier, Neighbour
from services.executor.task.work import Attempting
from shared.clock import SystemClock
from shared.errors import Misconfigured, ProjectError
from shared.ids import RandomIds
from shared.runtime.settings import RunnerSettings, runner_from_environment
from shared.telemetry import logs

_GONE = 3
log = logging.getLogger(__name__)


def main() -> int:
    logs.install()
    wanted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: wanted.set())
    try:
        settings = runner_from_environment()
    except Misconfigured as error:
        print(error.detail, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="attempt-", dir=settings.data_dir) as folder:
        try:
            heard = _attempting(settings, Path(folder), wanted).run()
        except ProjectError as error:
            print(error.detail, file=sys.stderr)
            return 1
    return 0 if heard else _GONE


def _attempting(settings: RunnerSettings, folder: Path, wanted: threading.Event) -> Attempting:
    folder.chmod(0o755)  # sandboxes run as other users
    clock, token = SystemClock(), settings.attempt_token
    api = RunApi(
        settings.run_api_url, token, RandomIds().new("prc"), clock, identity(settings.run_api_url, clock)
    )

    def carrier(way_out: WayOut) -> Carrier:
        scheme, _, path = way_out.url.partition(":")
        if scheme == "unix":
            return Neighbour(Path(path), dial)
        from services.executor.egress import carrier as elsewhere  # its library is among the packages of gcp

        return elsewhere.Carrier(way_out.url, token, say=log.warning, identity=identity(way_out.url, clock))

    return Attempting(api, folder, BubblewrapSandbox, carrier, clock, wanted, proof.version())


if __name__ == "__main__":
    sys.exit(main())
