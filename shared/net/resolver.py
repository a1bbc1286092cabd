"""Names to addresses through the operating system's resolver."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from shared.errors import BadRequest, Unavailable

Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) -> addresses as text, best first. Blocks.

Raises BadRequest (`no_such_host`) when the name certainly does not exist, Unavailable when no answer came."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """A literal address answers itself. Follows the `Resolver` contract."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            raise BadRequest(f"there is no host {host}", code="no_such_host") from error
        raise Unavailable(f"the name service did not answer for {host}", code="no_name_service") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
