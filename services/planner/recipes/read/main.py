"""Reads addresses before anything is planned, for a reader that understands text: GET only, robots.txt honoured.

Input {"addresses": [...]}; leaves outputs/look.json, one entry for each address, whatever happened.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import agent
from pagewatch.extract import extract
from pagewatch.fetch import Problem, Reader

MOST_ADDRESSES = 5
SAMPLES = 8
EXCERPT = 9_000
PACE_S = 0.5
PRACTICE_HOST = "practice.agentbuilder.test"  # answered by the platform itself: nobody to be polite to

_NOISE = re.compile(
    r"<(script|style|svg|noscript|template)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL
)
_JSON_LD = re.compile(r"<script[^>]*application/ld\+json[^>]*>(.*?)</script>", re.IGNORECASE | re.DOTALL)
_LONG_VALUE = re.compile(r'(\s(?:style|srcset|d|points|integrity|data-[\w-]+))="[^"]{40,}"')
_SPACE = re.compile(r"\s+")


def main() -> None:
    asked = agent.input.get("addresses", []) if isinstance(agent.input, dict) else []
    seen = []
    readers: dict[str, Reader] = {}
    for address in [str(address) for address in asked][:MOST_ADDRESSES]:
        host = urlsplit(address).netloc
        pace_s = 0.0 if urlsplit(address).hostname == PRACTICE_HOST else PACE_S
        reader = readers.setdefault(host, Reader({host}, pace_s))
        seen.append(look_at(reader, address))
    text = json.dumps({"addresses": seen}, ensure_ascii=False, indent=1)
    agent.output("look.json").write_text(text, encoding="utf-8")


def look_at(reader: Reader, address: str) -> dict[str, object]:
    try:
        page = reader.read(address)
    except Problem as problem:
        moved_to = problem.detail if problem.status == "moved" else ""
        return {
            "address": address,
            "ok": False,
            "problem": problem.status,
            "final_address": moved_to or address,
        }
    entry: dict[str, object] = {"address": address, "ok": True, "final_address": page.address}
    try:
        found = extract(page.text, page.address, lambda feed: None)
        entry |= {
            "kind": found.kind,
            "count": len(found.items),
            "samples": [item.title[:120] for item in found.items[:SAMPLES]],
        }
    except ValueError:
        pass
    return {**entry, "size": len(page.text), "excerpt": excerpt(page.text)}


def excerpt(text: str) -> str:
    """The part of a page that says most about its structure: structured data first, then the middle of the body."""
    if "<" not in text[:2_000]:
        return text[:EXCERPT]
    data = "\n".join(_SPACE.sub(" ", found).strip() for found in _JSON_LD.findall(text))[: EXCERPT // 3]
    body = text[match.start() :] if (match := re.search(r"<body\b", text, re.IGNORECASE)) else text
    body = _SPACE.sub(" ", _LONG_VALUE.sub(r"\1", _NOISE.sub(" ", body)))
    main_part = re.search(r"<(main|article)\b", body, re.IGNORECASE)
    start = main_part.start() if main_part else 0
    shown = body[start : start + EXCERPT - len(data)]
    return f"{data}\n{shown}".strip()


if __name__ == "__main__":
    main()
