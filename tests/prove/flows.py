"""All flows as events come, and all deployed ones on the services as they are on Google Cloud, file by file.

`python -m tests.prove.flows` goes on where an earlier call stopped, and tries again what did not hold; --again starts
anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence

from scripts.checks import DEPLOYED, OF_NO_HOUSE, ONLY_DEPLOYED
from tests.prove.record import ROOT, Found, Record, asked

_FLOWS = ROOT / "tests" / "flows"
_NONE = 5  # pytest's status where nothing was chosen
_WAYS: dict[str, tuple[dict[str, str], Sequence[str]]] = {
    "in order": ({}, ("-k", OF_NO_HOUSE)),
    "deployed": (dict(one.split("=", 1) for one in DEPLOYED), ONLY_DEPLOYED),
}


def prove(way: str, file: str) -> Found:
    """`problem` is empty when every flow of the file held, or none was chosen."""
    variables, chosen = _WAYS[way]
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", str(_FLOWS / file), *chosen]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    said = done.stdout.strip().splitlines()
    return {
        "way": way,
        "file": file,
        "said": said[-1] if said else "",
        "all_s": round(time.monotonic() - begun, 1),
        "problem": "" if done.returncode in (0, _NONE) else done.stdout[-20000:],
    }


def summary(found: Sequence[Found]) -> list[str]:
    """A line for each way, and one for each file that did not hold."""
    lines = []
    for way in _WAYS:
        of_way = [one for one in found if one["way"] == way and "no tests ran" not in one["said"]]
        passed, failed, skipped = (
            sum(int(number) for one in of_way for number in re.findall(rf"(\d+) (?:{what})", one["said"]))
            for what in ("passed", "failed|error", "skipped")
        )
        seconds = sum(one["all_s"] for one in of_way)
        lines.append(
            f"{way}: {passed} passed, {failed} failed, {skipped} skipped, in {len(of_way)} files and {seconds:.0f} s"
        )
    return lines + [f"{one['way']} {one['file']}: {one['said']}" for one in found if one["problem"]]


def main(arguments: Sequence[str]) -> int:
    record = Record("flows")
    asked(arguments, __doc__, record)
    found = {(one["way"], one["file"]): one for one in record.known()}
    for way in _WAYS:
        for file in sorted(path.name for path in _FLOWS.glob("test_*.py")):
            if (way, file) not in found or found[way, file]["problem"]:
                one = found[way, file] = prove(way, file)
                record.note(one)
                print(f"{way} {file}: {one['said']}", flush=True)
    print("\n".join(["", *summary([*found.values()])]))
    return 1 if any(one["problem"] for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
