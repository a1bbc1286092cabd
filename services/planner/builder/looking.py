"""Which addresses may be looked at before anything was allowed, and what the model is told of what was seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from services.planner.builder.quoting import quoted
from services.planner.bundles import stored
from services.planner.recipes.program import read_program
from shared.blobs.port import Blobs
from shared.errors import DecodeError

PRACTICE_HOST = "practice.agentbuilder.test"
MAX_LOOK_BYTES = 1 << 20
_EXCERPT = 9_000
_HOST = re.compile(
    r"(?<![\w@.-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}|\d{1,3}(?:\.\d{1,3}){3}|localhost)(?![\w-])",
    re.I,
)


def named_hosts(texts: Iterable[str]) -> frozenset[str]:
    """Hosts that stand in what the person wrote, with or without https:// before them."""
    found = {match.lower() for text in texts for match in _HOST.findall(text)}
    return frozenset(found | {PRACTICE_HOST})


def refusal_of(address: str, hosts: frozenset[str]) -> str:
    """Why the model may not have this address read; "" when it may. A page somebody else wrote must not be able
    to send anything anywhere by having the model look at an address it made up."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username:
        return f"{address[:200]}: not a whole http(s) address."
    if any(host == known or host.endswith("." + known.removeprefix("www.")) for known in hosts):
        return ""
    return f"{host}: the person did not name this site. Ask for its address, or use one they gave."


def read_program_stored(blobs: Blobs) -> str:
    """The key of the program that reads pages for a reader that understands text. Safe to repeat."""
    return stored({**read_program(), "agent.toml": b""}, blobs)[0]


def told(found: bytes | None, addresses: Sequence[str], problem: str = "") -> str:
    """The tool result: one part an address. `found` None: nothing could be read at all."""
    if found is None:
        return problem or "Nothing could be read: the look itself failed. Say so, or try once more."
    try:
        entries = _entries(found)
    except DecodeError:
        return "What looking brought back could not be read."
    parts = [_part(entry) for entry in entries]
    seen = {str(entry.get("address")) for entry in entries}
    parts += [f"{address}: not answered." for address in addresses if address not in seen]
    return "\n\n".join(parts)


def _entries(data: bytes) -> list[dict[str, object]]:
    if len(data) > MAX_LOOK_BYTES:
        raise DecodeError("look.json is too large")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError("look.json is not JSON") from error
    entries = value.get("addresses") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise DecodeError("look.json has no list of addresses")
    return [entry for entry in entries[:10] if isinstance(entry, dict)]


def _part(entry: dict[str, object]) -> str:
    address = str(entry.get("address", ""))[:500]
    if entry.get("ok") is not True:
        return f"{address}: could not be read ({str(entry.get('problem', 'unknown'))[:80]})."
    samples = entry.get("samples")
    titles = "; ".join(str(title)[:120] for title in samples[:8]) if isinstance(samples, list) else ""
    head = (
        f"{address} (now {str(entry.get('final_address', ''))[:500]}), {entry.get('size', '?')} characters."
    )
    list_found = f" A list of kind {entry.get('kind')!s:.20} with {entry.get('count')!s:.8} entries: {titles}"
    body = (
        f"{list_found}\n{entry.get('excerpt', '')}"
        if entry.get("kind") != "none"
        else str(entry.get("excerpt"))
    )
    return f"{head}\n{quoted(urlsplit(address).hostname or 'page', body, _EXCERPT + 1_500)}"
