"""Host names as text, judged before any name service hears of them. Pure.

Read next: `addresses.py` (what a name may resolve to), `allowance.py` (the operator's exceptions).
"""

from __future__ import annotations

import ipaddress
import re

import idna

from shared.errors import BadRequest

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
# What the URL standard reads as the last part of an IPv4 address: decimal, octal or hexadecimal.
# Source: WHATWG URL, "ends in a number checker".
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


def dns_name(text: str) -> str:
    """The canonical spelling (lower case, A-labels) of a fully written DNS name of two labels or more.

    Refused: address literals in every spelling (`2130706433`, `0x7f.1`, `[::1]`), single labels, a
    trailing dot, ports, userinfo, percent escapes, and anything longer than DNS allows.

    Raises: BadRequest, code `not_a_name`.
    """
    name = _ascii(text).lower()
    labels = name.split(".")
    if (
        len(name) > 253
        or len(labels) < 2
        or not all(_LABEL.match(label) for label in labels)
        or _NUMERIC.match(labels[-1])
    ):
        raise BadRequest(f"{text[:80]!r} is not a DNS name", code="not_a_name")
    return name


def address_literal(text: str) -> str | None:
    """The canonical form of an address written the one ordinary way (`127.0.0.1`, `::1` or `[::1]`);
    None for everything else, odd spellings included."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in bare:
        return None
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return None if address.version == 4 and bare != text else str(address)


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadRequest(f"{text[:80]!r} is not a DNS name", code="not_a_name") from error
