"""Which IP addresses count as the public internet. Pure.

An own list rather than `ipaddress.is_global`, whose answer has changed between Python releases.
Source: IANA IPv4 and IPv6 Special-Purpose Address Registries, read 2026-11.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_GLOBAL_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Only 2000::/3 is global unicast; v4-mapped, NAT64 (64:ff9b::/96), ULA, link-local and multicast lie outside.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
# Instance metadata and host agents of cloud machines; the Azure one looks like a public address.
# Source: the vendors' documentation of their metadata services, read 2026-11.
_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)


def is_metadata(address: Address) -> bool:
    """A metadata service or link-local address, also when wrapped as a v4-mapped IPv6 address."""
    inner = _unwrapped(address)
    return any(inner.version == net.version and inner in net for net in _METADATA)


def is_global(address: Address) -> bool:
    """Publicly routable unicast and nothing else."""
    if is_metadata(address):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _NOT_GLOBAL_V4)
    return address in _GLOBAL_V6 and not any(address in net for net in _NOT_GLOBAL_V6)


def is_multicast_or_unspecified(address: Address) -> bool:
    inner = _unwrapped(address)
    return inner.is_multicast or inner.is_unspecified


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
