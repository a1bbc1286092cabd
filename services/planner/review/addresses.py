"""Addresses with holes: which host they lead to, and whether that can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.planner.review.values import HOLE, LINK

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "ftp": 21}


@dataclass(frozen=True)
class Address:
    """`host` "": cannot be told. `certain` False with a host: the name begins so and goes on with data, or the
    address is a link found on that host's page. `port` None: cannot be told."""

    host: str
    certain: bool
    scheme: str = ""
    port: int | None = None
    path: str = ""
    linked: bool = False


UNKNOWN = Address("", certain=False)
NO_ADDRESS = Address("", certain=True)


def parse(text: str) -> Address:
    """`NO_ADDRESS` for a text that names no host at all: a path, a word."""
    text = text.strip().replace("\\", "/")
    scheme, mark, rest = text.partition("://")
    if not mark:
        begins_open = text.startswith((HOLE, LINK)) or HOLE in text.partition("/")[0]
        return UNKNOWN if begins_open and not text.startswith("/") else NO_ADDRESS
    scheme = scheme.lower() if HOLE not in scheme else ""
    if "/" in scheme or "?" in scheme:
        return NO_ADDRESS
    linked = LINK in rest
    rest = rest.replace(LINK, HOLE)
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path = re.split(r"[?#]", rest[len(place) :], maxsplit=1)[0]
    if not place:
        return NO_ADDRESS
    if linked:
        path = HOLE
    return _placed(place, scheme, path, linked)


def _placed(place: str, scheme: str, path: str, linked: bool) -> Address:
    user, at, named = place.rpartition("@")
    if HOLE in user and not at:
        named = place
    host, colon, port_text = named.partition(":")
    if named.startswith("["):
        host, colon, port_text = named.partition("]")[0].lstrip("["), ":", named.partition("]")[2].lstrip(":")
    port = _PORTS.get(scheme)
    if colon and port_text:
        port = (
            int(port_text) if port_text.isdecimal() and port_text.isascii() and len(port_text) < 6 else None
        )
    if HOLE not in host:
        name = canonical(host)
        return Address(
            name, certain=bool(name) and not linked, scheme=scheme, port=port, path=path, linked=linked
        )
    known, _, tail = host.partition(HOLE)
    if tail or "." not in known or not re.fullmatch(r"[\w.-]+", known):
        return Address("", certain=False, scheme=scheme, path=path)
    return Address(canonical(known), certain=False, scheme=scheme, port=port, path=HOLE, linked=linked)


def canonical(host: str) -> str:
    host = host.strip().rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host
