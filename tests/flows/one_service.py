"""`python -m tests.flows.one_service SERVICE CLOCK_FILE [FD]`: what `services.all_in_one --only` does, under a
clock that a test sets forward for all five processes. Ends when whoever started it is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from services.all_in_one import serve
from shared.runtime.settings import from_environment
from tests.fakes.clock import FileShiftedClock


def end_with_parent() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def main(service: str, clock_file: str, fd: str = "") -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    threading.Thread(target=end_with_parent, daemon=True).start()
    clock = FileShiftedClock(Path(clock_file))
    return serve(from_environment(), service, int(fd) if fd else None, clock)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
