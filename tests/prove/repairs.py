"""Twenty shops are redesigned overnight and their agents mended, with wrong fixes offered first; docs/repairs.md says
what came of it.

`python -m tests.prove.repairs` takes about half an hour and goes on where an earlier call stopped; --again starts
anew.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.house import House
from tests.flows.mending import Mended, Street
from tests.flows.sites.places import Sites
from tests.flows.sites.readers import WRONG
from tests.flows.sites.redesigns import SHOPS
from tests.prove.record import ROOT, Record, asked

PAGE = ROOT / "docs" / "repairs.md"
RECORD = Record("repairs")

_SAYS = {
    "hard-coded": "today's rows written down",
    "hard-coded fallback": "reads the old layout, else today's rows written down",
    "empty": "reports no rows",
    "yesterday": "reads the old layout, else the rows it remembers",
    "made-up prices": "one price for everything",
    "new pages only": "reads the new layout only",
    "hard-coded on new pages": "today's rows written down, once it sees the new layout",
    "hard-coded when nothing is read": "reads both layouts, else today's rows written down",
    "yesterday on new pages": "the rows it remembers, once it sees the new layout",
    "yesterday when nothing is read": "reads both layouts, else the rows it remembers",
    "known prices": "reads titles, and knows today's prices by title",
    "made-up prices on new pages": "reads titles, and one price for everything in the new layout",
    "first rows of new pages": "reads the first two rows of the new layout",
    "all but the last row of new pages": "reads all but the last row of the new layout",
    "every second row of new pages": "reads every second row of the new layout",
    "prices before, of new pages": "takes the struck-out price of the new layout",
    "higher prices of new pages": "takes the higher of two prices of the new layout",
}


def mended(done: set[str]) -> list[Mended]:
    with (
        tempfile.TemporaryDirectory(prefix="ab-repairs-") as folder,
        MessagesServer() as claude,
    ):
        sites = Sites()
        house = House(Path(folder) / "data", open_ports=(sites.port,))
        house.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
        street, found = Street(house.open(), sites, claude), []
        try:
            for shop in (shop for shop in SHOPS if shop.name not in done):
                one = street.mend(shop)
                found.append(one)
                RECORD.note(asdict(one))
                print(f"{shop.name} {shop.change}: {'held' if one.held else one}", flush=True)
        finally:
            house.close()
            sites.close()
    return found


def page(found: list[Mended]) -> str:
    """What docs/repairs.md says."""
    wrong = len(found) * len(WRONG)
    refused = sum(len(one.refused) for one in found)
    right, taken = sum(one.right for one in found), sum(len(one.taken) for one in found)
    lines = [
        "# Repairs of twenty redesigned shops",
        "",
        "Written by `python -m tests.prove.repairs`: each shop's agent is built, delivers once, and is broken by a",
        "redesign, on a day when one product is gone, one is new and one is cheaper. Then a scripted model offers",
        f"{len(WRONG)} wrong fixes and a right one, through the whole house and on the real sandbox. Each price has",
        "another one beside it; every second agent computes sums and conversions as well. Why the wrong ones are",
        "found: [decision 33](decisions/0033-repair.md). The shops and the fixes are data under `tests/flows/sites`.",
        "",
        (
            f"**{right} of {len(found)} right fixes handed over, {taken} of {wrong} wrong ones; "
            f"{refused} refused, each with a sentence.**"
        ),
        "",
        "| wrong fix | refused | for instance |",
        "|---|---|---|",
    ]
    for kind in WRONG:
        told = [one.refused[kind] for one in found if kind in one.refused]
        example = ". ".join((told[0] if told else "").replace("|", "\\|").split(". ")[:4]).rstrip(".") + "."
        lines.append(f"| {_SAYS[kind]} | {len(told)} of {len(found)} | {example} |")
    lines += ["", "| shop | what the redesign did | held |", "|---|---|---|"]
    by_name = {one.shop: one for one in found}
    for shop in SHOPS:
        one = by_name.get(shop.name)
        if one is not None:
            lines.append(f"| {shop.name} | {shop.change} | {'yes' if one.held else '**no**'} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    asked(arguments, __doc__, RECORD)
    before = [Mended(**one) for one in RECORD.known()]
    found = before + mended({one.shop for one in before})
    PAGE.write_text(page(found))
    held = sum(one.held for one in found)
    print(f"{held} of {len(found)} shops held")
    return 0 if held == len(found) == len(SHOPS) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
