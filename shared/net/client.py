"""The one client for every address that a person, a page or a file gave to the platform.

Name judged before DNS, every resolved address judged before connecting, the connection pinned to a judged
address, TLS verified, time and size bounded, redirects judged again. Read next: `allowance.py`,
`exchange.py`.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from shared.clock import Clock, SystemClock
from shared.errors import BadRequest, Unavailable
from shared.net.allowance import NO_ALLOWANCE, Allowance
from shared.net.exchange import Answer, Deadline, exchange
from shared.net.resolver import Resolver, system_resolver
from shared.net.tls import client_context
from shared.net.url import Endpoint, endpoint

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Of one name's addresses; more only prolongs the wait for a host that is down.
_ADDRESSES_TRIED = 3


@dataclass(frozen=True)
class Redirects:
    """How many hops to follow; each is judged like a first request. Credentials are dropped when the
    host changes, and a hop from https to http is refused."""

    at_most: int = 0


class OutboundClient:
    """Thread-safe; keeps no connection between calls, so there is nothing to close.

    Errors of every method: BadRequest when asking again would not help (`bad_url`, `not_a_name`,
    `no_such_host`, `address_refused`, `bad_certificate`, `plain_http`); Unavailable when it may:
    `unreachable` (no byte of the request left) or `no_answer` (the request may have been acted on, so a
    message must not be resent blindly). A status of 4xx or 5xx is an answer, not an error.
    """

    def __init__(
        self,
        allowance: Allowance = NO_ALLOWANCE,
        *,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._allowance = allowance
        self._resolver = resolver
        self._tls = tls or client_context()
        self._clock = clock or SystemClock()

    def post_json(
        self, url: str, body: object, timeout_s: float = 10, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST `body` as UTF-8 JSON; https only, unless the allowance lists the host and port."""
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        sent = {"content-type": "application/json; charset=utf-8", **(headers or {})}
        return self.request("POST", url, headers=sent, body=text, timeout_s=timeout_s)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 10,
        max_bytes: int = 1 << 20,
        redirects: Redirects = Redirects(),
        plain_http: bool = False,
    ) -> Answer:
        """One exchange, hops included, within `timeout_s`. The answer's body is cut at `max_bytes`
        (`Answer.cut`). `plain_http` lets http:// through; a listed private endpoint may always be http."""
        deadline = Deadline(self._clock, timeout_s)
        target, sent = endpoint(url, self._allowance), dict(headers or {})
        for hops_left in range(redirects.at_most, -1, -1):
            answer = self._once(method, target, sent, body, deadline, max_bytes, plain_http)
            location = answer.header("location")
            if answer.status not in _REDIRECTS or location is None or hops_left == 0:
                return answer
            following = endpoint(urljoin(target.url, location), self._allowance)
            if target.scheme == "https" and following.scheme == "http":
                raise BadRequest(f"{target.host} redirects to an unencrypted address", code="plain_http")
            if answer.status in (301, 302, 303) and method not in ("GET", "HEAD"):
                method, body = "GET", b""
                sent = {name: value for name, value in sent.items() if name.lower() != "content-type"}
            if (following.host, following.port) != (target.host, target.port):
                private = ("authorization", "cookie")
                sent = {name: value for name, value in sent.items() if name.lower() not in private}
            target = following
        raise AssertionError("unreachable: the last hop returns")

    def connect(self, host: str, port: int, timeout_s: float = 10) -> socket.socket:
        """A plain TCP connection to a judged address, for protocols that are not HTTP (SMTP). The caller
        closes it and, for TLS, wraps it with `server_hostname=host`. Same errors as `request`."""
        return self._connect(self._allowance.host(host, port), port, Deadline(self._clock, timeout_s))

    def _once(
        self,
        method: str,
        target: Endpoint,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        max_bytes: int,
        plain_http: bool,
    ) -> Answer:
        if target.scheme == "http" and not plain_http and not self._allowance.opens(target.host, target.port):
            raise BadRequest(f"{target.host} must be addressed with https://", code="plain_http")
        with self._connect(target.host, target.port, deadline) as plain:
            if target.scheme == "http":
                return exchange(plain, method, target, headers, body, deadline, max_bytes)
            with self._encrypted(plain, target.host, deadline) as encrypted:
                return exchange(encrypted, method, target, headers, body, deadline, max_bytes)

    def _connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        addresses = self._allowance.judge(host, port, self._resolver(host, port))
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return socket.create_connection((address, port), timeout=deadline.left())
            except OSError:
                continue
        raise Unavailable(f"{host} cannot be reached on port {port}", code="unreachable")

    def _encrypted(self, plain: socket.socket, host: str, deadline: Deadline) -> ssl.SSLSocket:
        plain.settimeout(deadline.left())
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            raise BadRequest(
                f"{host} does not prove that it is {host}: {error.verify_message}", code="bad_certificate"
            ) from error
        except OSError as error:
            raise Unavailable(f"{host} broke off while encrypting", code="unreachable") from error
