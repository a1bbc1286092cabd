"""Popular packages of every kind do one real thing each inside the sandbox; docs/packages.md is the result.

`python -m tests.prove.packages` goes on where an earlier call stopped; --again starts anew, --only NAME … tries some.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from services.executor.ports import Asking
from shared.errors import ProjectError
from tests.prove.record import ROOT, Record
from tests.workshop import Workshop

LIST = Path(__file__).with_name("packages.toml")
RECORD = Record("packages")
DATA = ROOT / ".cache" / "prove-packages"
PAGE = ROOT / "docs" / "packages.md"

# What does not work, and why; everything here was seen to fail for this reason.
WHY = {
    "playwright": "it drives a browser which it downloads by itself; there is none in the sandbox",
}


def wanted() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(LIST.read_text(encoding="utf-8"))["package"]
    return found


def prove(shop: Workshop, one: dict[str, Any]) -> dict[str, Any]:
    """problem: "" when it was installed and did its thing. asked: what a person would have been asked first."""
    names = (one["name"], *one.get("with", ()))
    told: dict[str, Any] = {
        "name": one["name"],
        "kind": one["kind"],
        "asked": "",
        "problem": "",
        "version": "",
    }
    began = time.monotonic()
    try:
        found = shop.build(*names)
        while isinstance(found, Asking):
            if told["asked"].count("|") > 3:
                raise AssertionError("it asks again and again")
            told["asked"] += " | ".join(found.reasons) + "|"
            approved = frozenset({*told.get("approved", ()), *found.packages})
            told["approved"] = sorted(approved)
            found = shop.build(*names, approved=approved)
        told["build_s"] = round(time.monotonic() - began, 1)
        told["mb"] = found.size_bytes >> 20
        lines = [line.split(" ")[0] for line in found.lock.splitlines()]
        name = one["name"].lower().replace(".", "-").replace("_", "-")
        told["version"] = next(
            (line.partition("==")[2] for line in lines if line.startswith(f"{name}==")), ""
        )
        ended, printed = shop.run(one["code"], found.environment_id)
        if ended.reason != "exited" or ended.exit_code != 0:
            told["problem"] = f"{ended.reason} {ended.exit_code} {ended.detail} {printed[-700:]}"
    except (ProjectError, AssertionError) as error:
        told["problem"] = str(error)[:900]
    told["all_s"] = round(time.monotonic() - began, 1)
    return told


def known() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in RECORD.known()}


def page(found: dict[str, dict[str, Any]]) -> str:
    """What docs/packages.md says."""
    tried = [found[one["name"]] for one in wanted() if one["name"] in found]
    works = [one for one in tried if not one["problem"]]
    kinds = Counter(one["kind"] for one in works)
    lines = [
        "# Packages",
        "",
        f"{len(works)} of {len(tried)} popular packages were resolved, guarded, unpacked and did one real thing",
        "each inside the sandbox (`python -m tests.prove.packages`; the things are in `tests/prove/packages.toml`).",
        "Any other package that has a ready-made wheel for this interpreter is installed the same way.",
        "",
        "| kind | work |",
        "|---|---|",
    ]
    for kind in dict.fromkeys(one["kind"] for one in tried):
        names = ", ".join(f"{one['name']} {one['version']}".strip() for one in works if one["kind"] == kind)
        lines.append(f"| {kind} ({kinds[kind]}) | {names} |")
    broken = [one for one in tried if one["problem"]]
    if broken:
        lines += ["", "## What cannot work, and why", "", "| package | why |", "|---|---|"]
        lines += [f"| {one['name']} | {WHY.get(one['name'], 'not yet understood')} |" for one in broken]
    asked = [one for one in tried if one["asked"]]
    if asked:
        lines += ["", "## What asks first", "", "| package | the question |", "|---|---|"]
        lines += [f"| {one['name']} | {one['asked'].strip('| ').replace('|', '·')} |" for one in asked]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--again", action="store_true", help="forget earlier results")
    options.add_argument("--only", nargs="*", default=None)
    chosen = options.parse_args(arguments)
    if chosen.again:
        RECORD.forget()
    found = known()
    shop = Workshop(DATA)
    shop.language = "en"
    try:
        for one in wanted():
            if one["name"] in (chosen.only or ()) or (chosen.only is None and one["name"] not in found):
                told = found[one["name"]] = prove(shop, one)
                RECORD.note(told)
                print(f"{one['name']}: {told['problem'][-300:] or 'works'} ({told['all_s']} s)", flush=True)
    finally:
        shop.close()
    PAGE.write_text(page(found), encoding="utf-8")
    works = sum(1 for one in found.values() if not one["problem"])
    print(f"{works} of {len(found)} work")
    return 1 if any(one["problem"] and name not in WHY for name, one in found.items()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
