"""Runs a module inside the project's environment, which is made first when it is missing.

`python3 -m scripts.inside services.all_in_one link` · `--dev` adds the packages of tests and lint.
"""

from __future__ import annotations

import os
import sys

from scripts.console import CannotContinue, run_command, say
from scripts.layout import ROOT
from scripts.packages import ensure_dev, ensure_runtime
from scripts.tools import Tool, clean_environment


def main() -> int:
    arguments = sys.argv[1:]
    dev = arguments[:1] == ["--dev"]
    module = arguments[1:] if dev else arguments
    if not module:
        raise CannotContinue(
            "Name a module to run, for example: python3 -m scripts.inside services.all_in_one link"
        )
    seen: set[str] = set()

    def report(done: int, total: int, name: str) -> None:
        if not seen:
            say("Fetching packages …")
        seen.add(name)

    python = (ensure_dev if dev else ensure_runtime)(Tool(), report)
    os.chdir(ROOT)
    os.execve(python, [str(python), "-m", *module], clean_environment())


if __name__ == "__main__":
    run_command(main)
