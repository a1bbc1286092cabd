"""`make lock`: pins the packages named in requirements*.in by version and hash, for every platform at once.

The files carry no index address, so a mirror serves them as well.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts.console import run_command, say
from scripts.layout import ROOT, VENV

# In this order: later sets are constrained by the first.
SETS = ("requirements", "requirements-gcp", "requirements-dev", "requirements-web", "requirements-sbom")


def main() -> int:
    options = ["--python-version", "3.11", "--universal", "--generate-hashes", "--no-header", "--upgrade"]
    quiet = ["--quiet", "--no-emit-index-url", "--no-emit-find-links"]
    for name in SETS:
        say(f"{name}.in -> {name}.txt")
        command: list[str | Path] = [
            VENV / "bin" / "uv",
            "pip",
            "compile",
            *options,
            *quiet,
            f"{name}.in",
            "-o",
            f"{name}.txt",
        ]
        subprocess.run(command, cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    run_command(main)
