"""Every way of getting a secret out that tests/flows/exfiltration.toml knows, tried in real sandboxes.

`python -m tests.prove.exfiltration` goes on where an earlier call stopped; --again starts anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.flows.exfiltrating import Den, scripts

RECORD = Path(__file__).parents[2] / ".cache" / "prove-exfiltration.jsonl"


def known() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--again", action="store_true", help="forget earlier scripts")
    if options.parse_args(arguments).again:
        RECORD.unlink(missing_ok=True)
    RECORD.parent.mkdir(exist_ok=True)
    found = known()
    done = {one["name"] for one in found}
    with tempfile.TemporaryDirectory(prefix="ab-exfiltration-") as folder, Den(Path(folder) / "data") as den:
        person = den.house.person(patience_s=60)
        for script in (script for script in scripts() if script.name not in done):
            problem = ""
            try:
                den.check(person, script)
            except AssertionError as error:
                problem = str(error)[:1000] or "an assertion without words"
            one = {"name": script.name, "uses": script.uses, "problem": problem}
            found.append(one)
            with RECORD.open("a") as record:
                record.write(json.dumps(one, ensure_ascii=False) + "\n")
            print(f"{script.uses}: {script.name}: {problem or 'held'}", flush=True)
    for uses in ("decoy", "secret"):
        of = [one for one in found if one["uses"] == uses]
        print(f"{uses}: {sum(not one['problem'] for one in of)} of {len(of)} held")
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
