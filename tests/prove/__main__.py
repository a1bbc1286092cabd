"""The long proofs, one after the other: `python -m tests.prove`, or one of them by name with its options."""

from __future__ import annotations

import importlib
import sys

PROOFS = (
    "contracts",
    "flows",
    "kills",
    "builds",
    "dialogues",
    "packages",
    "leftovers",
    "exfiltration",
    "honesty",
    "rehearsals",
    "replay",
    "money",
    "repairs",
    "outages",
    "scale",
)


def main(arguments: list[str]) -> int:
    """The worst of their exit codes. Each goes on where it stopped, so calling again costs little."""
    named = [arguments[0]] if arguments and arguments[0] in PROOFS else list(PROOFS)
    options = arguments[1:] if len(named) == 1 else arguments
    return max(int(importlib.import_module(f"tests.prove.{name}").main(options)) for name in named)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
