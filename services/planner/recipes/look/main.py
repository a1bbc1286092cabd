"""Looks at addresses a person wrote, before anything is planned: GET only, robots.txt honoured, nothing kept.

Input {"addresses": [...]}; leaves outputs/look.json, one entry for each address, whatever happened.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import agent
from pagewatch.extract import extract
from pagewatch.fetch import Problem, Reader

MOST_ADDRESSES = 5
SAMPLES = 3
PACE_S = 0.5
PRACTICE_HOST = "practice.agentbuilder.test"  # answered by the platform itself: nobody to be polite to


def main() -> None:
    asked = agent.input.get("addresses", []) if isinstance(agent.input, dict) else []
    addresses = [str(address) for address in asked][:MOST_ADDRESSES]
    hosts = dict.fromkeys(urlsplit(address).netloc for address in addresses)
    groups = [[address for address in addresses if urlsplit(address).netloc == host] for host in hosts]
    with ThreadPoolExecutor(MOST_ADDRESSES) as pool:
        seen = [entry for entries in pool.map(look_at_host, groups) for entry in entries]
    text = json.dumps({"addresses": seen}, ensure_ascii=False, indent=1)
    agent.output("look.json").write_text(text, encoding="utf-8")


def look_at_host(addresses: list[str]) -> list[dict[str, object]]:
    """Addresses of one host, one after the other."""
    pace_s = 0.0 if urlsplit(addresses[0]).hostname == PRACTICE_HOST else PACE_S
    reader = Reader({urlsplit(address).netloc for address in addresses}, pace_s)
    return [look_at(reader, address) for address in addresses]


def look_at(reader: Reader, address: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "address": address,
        "ok": False,
        "kind": "none",
        "count": 0,
        "samples": [],
        "feed": "",
    }
    try:
        page = reader.read(address)
    except Problem as problem:
        moved_to = problem.detail if problem.status == "moved" else ""
        return {**entry, "problem": problem.status, "final_address": moved_to or address}
    found = extract(page.text, page.address, lambda feed: read_feed(reader, feed))
    return {
        **entry,
        "ok": bool(found.items),
        "kind": found.kind,
        "count": len(found.items),
        "samples": [item.title[:120] for item in found.items[:SAMPLES]],
        "feed": found.feed,
        "problem": found.problem,
        "final_address": page.address,
    }


def read_feed(reader: Reader, feed: str) -> str | None:
    """A feed that cannot be read is no reason to give up the page."""
    try:
        return reader.read(feed).text
    except Problem:
        return None


if __name__ == "__main__":
    main()
