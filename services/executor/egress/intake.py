"""What a request asks for, read strictly: where it goes and how its body is framed. Pure."""

from __future__ import annotations

import re

import h11

from services.executor.egress.peer import header
from shared.errors import BadRequest
from shared.net.allowance import Allowance
from shared.net.url import Endpoint, endpoint, split_authority

_ORIGIN_FORM = re.compile(rb"/[!-~]*\Z")


def connect_target(request: h11.Request, allowance: Allowance) -> Endpoint:
    """Where a CONNECT leads; its path is empty. Raises: BadRequest `bad_url`, `not_a_name`, `malformed`."""
    if has_body(request):
        raise BadRequest("CONNECT has no body", code="malformed")
    host, port = split_authority(request.target.decode("latin-1"))
    if port is None:
        raise BadRequest("CONNECT names a port", code="bad_url")
    return Endpoint("https", allowance.host(host, port), port, "")


def tunnel_target(request: h11.Request, tunnel: Endpoint) -> Endpoint:
    """A request inside a tunnel stays at the tunnel's host. Raises: BadRequest `bad_url`, `host_mismatch`."""
    if not _ORIGIN_FORM.match(request.target):
        raise BadRequest("inside a tunnel a request names a path and nothing else", code="bad_url")
    _same_host(request, tunnel)
    return Endpoint(tunnel.scheme, tunnel.host, tunnel.port, request.target.decode("ascii"))


def proxy_target(request: h11.Request, allowance: Allowance) -> Endpoint:
    """A plain proxy request names the whole address. Raises: BadRequest as `tunnel_target`, `not_a_name`."""
    target = endpoint(request.target.decode("latin-1"), allowance)
    if target.scheme != "http":
        raise BadRequest("https goes through CONNECT", code="bad_url")
    _same_host(request, target)
    return target


def asked_host(request: h11.Request) -> str:
    """Where the request wanted to go, in its own spelling, for people to read; never to connect to."""
    target = request.target.decode("latin-1")
    place = target.partition("//")[2] or target
    return "".join(c for c in re.split(r"[/?#]", place)[0].rpartition("@")[2] if c.isprintable())[:100]


def check_framing(request: h11.Request) -> None:
    """Raises: BadRequest `malformed` for two framings at once, `upgrade_unsupported` for WebSocket and
    its like: after an upgrade nothing could be judged any more."""
    names = [name for name, _ in request.headers]
    if b"content-length" in names and b"transfer-encoding" in names:
        raise BadRequest("a body is framed by length or by chunks, not both", code="malformed")
    if header(request, b"upgrade"):
        raise BadRequest("connections cannot be upgraded here", code="upgrade_unsupported")


def has_body(request: h11.Request) -> bool:
    length = header(request, b"content-length")
    return bool(header(request, b"transfer-encoding")) or length not in (b"", b"0")


def _same_host(request: h11.Request, target: Endpoint) -> None:
    written, port = split_authority(header(request, b"host").decode("latin-1"))
    same_port = (port or {"http": 80, "https": 443}[target.scheme]) == target.port
    if written.lower().strip("[]") != target.host or not same_port:
        raise BadRequest(f"the Host header names another host than {target.authority}", code="host_mismatch")
