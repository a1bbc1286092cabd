"""Commits in a process of its own, to be killed in the middle or to be watched from outside.

python -m tests.contract.committer ADAPTER PLACE [many | one COLLECTION ID]
"""

from __future__ import annotations

import sys
from itertools import count

from shared.events.clock import TimeTicked
from shared.store.port import Tx
from tests.contract.adapters import CAUSE, databases


def main() -> None:
    adapter, place, what, *rest = sys.argv[1:]
    store = databases(adapter, place).own("ledger")
    if what == "one":
        collection, id = rest
        store.transact(lambda tx: tx.put(collection, id, {"n": 1}), cause=CAUSE)
        return
    for n in count():

        def write(tx: Tx, n: int = n) -> None:
            for part in ("a", "b"):
                tx.create("things", f"{n}-{part}", {"n": n})
                tx.emit(TimeTicked(at=f"{n}-{part}"))

        store.transact(write, cause=CAUSE)
        print(n, flush=True)


if __name__ == "__main__":
    main()
