"""Builds a wheel from a source archive: runs the package's own code, once, after a person's yes.

The sandbox sees the index and its own box, nothing else. Writes ./outputs/built: the wheel's file name, a line
feed, the wheel. Hostile from its first to its last byte.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import agent


def main() -> int:
    job = agent.input
    out = Path("/box/wheels")
    out.mkdir()
    command = [job["tool"], "build", "--wheel", "--no-config", "--no-progress", "--color", "never"]
    command += ["--default-index", job["index"], "--cache-dir", "/box/cache", "--python", sys.executable]
    # Into a file: a process that the build leaves behind may hold a pipe open for ever.
    with open("/box/said", "w+b") as said:
        code = subprocess.run(
            [*command, "--out-dir", str(out), job["source"]],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
        ).returncode
        said.seek(max(0, said.tell() - 2000))
        words = said.read().decode(errors="replace")
    wheels = sorted(out.glob("*.whl"))
    if code != 0 or not wheels:
        Path("outputs/built").write_text("\n" + words)
        return 0
    Path("outputs/built").write_bytes(wheels[0].name.encode() + b"\n" + wheels[0].read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
