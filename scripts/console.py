"""What the commands say: short lines while they work, one sentence with a way out when they cannot."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn


class CannotContinue(Exception):
    """A sentence for the person at the terminal which says what to do next."""


def say(line: str) -> None:
    print(line, flush=True)


def run_command(command: Callable[[], int]) -> NoReturn:
    """Ends the process with `command`'s status; its one-sentence errors go to stderr without a traceback."""
    try:
        status = command()
    except CannotContinue as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.stdout.flush()
    os._exit(status)  # a thread answering a browser must not hold the terminal
