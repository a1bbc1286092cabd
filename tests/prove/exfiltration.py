"""Every way of getting a secret out that tests/flows/exfiltration.toml knows, tried in real sandboxes.

`python -m tests.prove.exfiltration` goes on where an earlier call stopped; --again starts anew. When all are
done it writes docs/exfiltration.md, with what honesty and rehearsals have shown.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.flows.exfiltrating import Den, scripts
from tests.prove import honesty, rehearsals
from tests.prove.record import ROOT, Found, Record, asked

RECORD = Record("exfiltration")
PAGE = ROOT / "docs" / "exfiltration.md"
_MEANT = {
    "decoy": "stopped, nothing sent or kept, agent quarantined",
    "secret": "the real value nowhere but at its own host",
}


def page(found: list[Found]) -> str:
    honest, rehearsed = honesty.RECORD.known(), rehearsals.RECORD.known()
    lines = [
        "# Ways to get a secret out",
        "",
        "Written by `python -m tests.prove.exfiltration`. Each is the code of a live agent in a real sandbox, with a",
        "real secret bound to one local host; afterwards every other server, every log, artifact, message, feed, tape",
        "and every byte of the data folder is searched, in a dozen spellings. The code stands in",
        "`tests/flows/exfiltration.toml`. What is not seen, and why that is bearable: decision 0024.",
        "",
        *_beside(honest, rehearsed),
        "| code takes | way | what must hold | held |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {'a decoy' if one['uses'] == 'decoy' else 'the secret'} | {one['name']} | {_MEANT[one['uses']]} | "
        f"{'no' if one['problem'] else 'yes'} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def _beside(honest: list[Found], rehearsed: list[Found]) -> list[str]:
    """What the two proofs beside this one have found here; nothing where they were not tried."""
    said = []
    if honest:
        said.append(
            f"{_held(honest)} of {len(honest)} honest runs that handle tokens, digests, archives and noise were let be."
        )
    if rehearsed:
        writes = sum(one["writes"] for one in rehearsed)
        said += [
            f"{_held(rehearsed)} of {len(rehearsed)} writing agents sent nothing when rehearsed, then exactly what was",
            f"shown: {writes} writes, compared by method, address and body.",
        ]
    return [*said, ""] if said else []


def _held(found: list[Found]) -> int:
    return sum(not one["problem"] for one in found)


def main(arguments: list[str]) -> int:
    asked(arguments, __doc__, RECORD)
    found = RECORD.known()
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
            RECORD.note(one)
            print(f"{script.uses}: {script.name}: {problem or 'held'}", flush=True)
    for uses in ("decoy", "secret"):
        of = [one for one in found if one["uses"] == uses]
        print(f"{uses}: {_held(of)} of {len(of)} held")
    PAGE.write_text(page(found), encoding="utf-8")
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
