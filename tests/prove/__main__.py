"""The long proofs, one after the other: `python -m tests.prove`."""

from __future__ import annotations

import sys

from tests.prove import kills

sys.exit(kills.main(sys.argv[1:]))
