"""An absolute http(s) URL and its parts, taken apart strictly. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import BadRequest
from shared.net.allowance import Allowance

_TARGET = re.compile(r"/[!-~]*\Z")
# Own pattern: the standard library reads `[::1]evil` as `::1`.
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?#\\\s]+)(?::([0-9]{1,5}))?\Z")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Endpoint:
    """`host` canonical and without brackets; `target` is path and query, beginning with a slash."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """As in a Host header: the port only when it is not the scheme's own."""
        return authority(self.scheme, self.host, self.port)

    @property
    def path(self) -> str:
        """`target` without its query."""
        return self.target.partition("?")[0]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def authority(scheme: str, host: str, port: int) -> str:
    """The inverse of `split_authority`, leaving out the scheme's own port."""
    shown = f"[{host}]" if ":" in host else host
    return shown if _PORTS.get(scheme) == port else f"{shown}:{port}"


def split_authority(text: str) -> tuple[str, int | None]:
    """Host as written (an IPv6 literal keeps its brackets) and port, None when there is none.

    Raises: BadRequest, code `bad_url`, for userinfo, an empty host or an impossible port.
    """
    match = _AUTHORITY.match(text)
    port = int(match[2]) if match and match[2] else None
    if not match or (port is not None and not 1 <= port <= 65535):
        raise BadRequest("an address names a host and at most a port", code="bad_url")
    return match[1], port


def endpoint(url: str, allowance: Allowance) -> Endpoint:
    """Refuses userinfo, backslashes, blanks, control characters and hosts that are no DNS name.

    Raises: BadRequest, code `bad_url` or `not_a_name`.
    """
    if not url.isprintable() or "\\" in url or " " in url:
        raise BadRequest("the address holds characters no address has", code="bad_url")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadRequest(f"{url[:200]!r} is not an address", code="bad_url") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.netloc:
        raise BadRequest("an address starts with https:// or http://", code="bad_url")
    if "@" in parts.netloc:
        raise BadRequest("leave user name and password out of the address", code="bad_url")
    written, number = split_authority(parts.netloc)
    port = number or _PORTS[scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.match(target):
        raise BadRequest("write the path of the address percent-encoded", code="bad_url")
    return Endpoint(scheme, allowance.host(written, port), port, target)
