"""Turns names into a lock with hashes, in a sandbox that sees only the index. Runs nothing of a package.

Writes ./outputs/result.json: {"code", "lock", "said"}; all of it the tool's word.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import agent


def main() -> None:
    job = agent.input
    command = [job["tool"], "pip", "compile", "-", "--generate-hashes", "--only-binary", ":all:"]
    command += ["--no-header", "--no-config", "--no-progress", "--color", "never"]
    command += ["--default-index", job["index"], "--cache-dir", "/box/cache", "--python", sys.executable]
    done = subprocess.run(
        command, input="\n".join(job["packages"]), capture_output=True, text=True, check=False
    )
    result = {"code": done.returncode, "lock": done.stdout, "said": done.stderr[-4000:]}
    Path("outputs/result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
