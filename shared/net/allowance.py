"""The operator's exceptions to the address rules, and the judgement itself. Pure.

Embedded profile only: whoever reads the setting refuses it elsewhere and shows it as a banner.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from shared.errors import BadRequest, Misconfigured
from shared.net.addresses import Address, is_global, is_metadata, is_multicast_or_unspecified
from shared.net.names import address_literal, dns_name


@dataclass(frozen=True)
class Allowance:
    """Host:port pairs that may lie at loopback or private addresses. Empty: none, the normal case.

    `pairs` holds canonical spellings. A pair is matched by the host as written in the request, so
    listing `127.0.0.1:9001` does not open a name that happens to resolve there. `blocked_ports` are the
    platform's own: refused at every address that is not global, even for a listed pair.
    """

    pairs: frozenset[tuple[str, int]] = frozenset()
    blocked_ports: frozenset[int] = field(default=frozenset())

    @classmethod
    def parse(cls, text: str, blocked_ports: Collection[int] = ()) -> Allowance:
        """Reads `127.0.0.1:9001,shop.local:8000,[::1]:9002`; empty text is an empty allowance.

        Raises: Misconfigured naming the part that is no host:port pair.
        """
        pairs = {_pair(part.strip()) for part in text.split(",") if part.strip()}
        return cls(frozenset(pairs), frozenset(blocked_ports))

    def opens(self, host: str, port: int) -> bool:
        """`host` in canonical spelling."""
        return (host, port) in self.pairs and port not in self.blocked_ports

    def host(self, text: str, port: int) -> str:
        """The canonical host of a request: a DNS name, or a listed literal or single label.

        Raises: BadRequest, code `not_a_name`.
        """
        listed = address_literal(text) or text.lower()
        if (listed, port) in self.pairs:
            return listed
        return dns_name(text)

    def judge(self, host: str, port: int, addresses: Sequence[str]) -> tuple[str, ...]:
        """The addresses, in order, when every one of them may be connected to; never a part of them.

        Raises: BadRequest, code `address_refused`.
        """
        if not addresses:
            raise BadRequest(f"{host} has no address", code="no_such_host")
        for text in addresses:
            self._judge_one(host, port, ipaddress.ip_address(text.partition("%")[0]))
        return tuple(addresses)

    def _judge_one(self, host: str, port: int, address: Address) -> None:
        if is_global(address):
            return
        if is_metadata(address) or is_multicast_or_unspecified(address):
            raise BadRequest(f"{host} leads to {address}, which is never reachable", code="address_refused")
        if port in self.blocked_ports:
            raise BadRequest(f"port {port} belongs to the platform itself", code="address_refused")
        if not self.opens(host, port):
            raise BadRequest(f"{host} leads to {address}, not the public internet", code="address_refused")


NO_ALLOWANCE = Allowance()


def _pair(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    literal = address_literal(host)
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535 or not host:
        raise Misconfigured(f"AB_EGRESS_ALLOW_PRIVATE: {text!r} is not host:port")
    if literal is not None:
        return literal, int(port)
    try:
        # A single label such as `localhost` is welcome here, and only here.
        return (dns_name(f"{host}.x")[:-2] if "." not in host else dns_name(host)), int(port)
    except BadRequest as error:
        raise Misconfigured(f"AB_EGRESS_ALLOW_PRIVATE: {text!r} is not host:port") from error
