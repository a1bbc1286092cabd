"""Addresses: only the public internet, unless the operator listed the exact pair."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest, Misconfigured
from shared.net.addresses import is_global
from shared.net.allowance import NO_ALLOWANCE, Allowance

NOT_GLOBAL = [
    "0.0.0.0",  # noqa: S104  never bound here
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
GLOBAL = [
    "1.1.1.1",
    "8.8.8.8",
    "99.255.255.255",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
]


@pytest.mark.parametrize("address", NOT_GLOBAL)
def test_addresses_off_the_public_internet_are_refused(address: str) -> None:
    with pytest.raises(BadRequest) as caught:
        NO_ALLOWANCE.judge("example.com", 443, [address])

    assert caught.value.code == "address_refused"


def test_public_addresses_pass_in_their_order() -> None:
    assert NO_ALLOWANCE.judge("example.com", 443, GLOBAL) == tuple(GLOBAL)


@given(st.sampled_from(NOT_GLOBAL), st.permutations(GLOBAL))
def test_one_bad_address_among_good_ones_refuses_all(bad: str, good: list[str]) -> None:
    with pytest.raises(BadRequest):
        NO_ALLOWANCE.judge("example.com", 443, [*good, bad])


def test_no_address_at_all_is_no_host() -> None:
    with pytest.raises(BadRequest) as caught:
        NO_ALLOWANCE.judge("example.com", 443, [])

    assert caught.value.code == "no_such_host"


@given(st.ip_addresses())
def test_nothing_the_standard_library_calls_special_is_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_global(address):
        special = [address.is_private, address.is_loopback, address.is_link_local, address.is_multicast]
        assert not any([*special, address.is_reserved, address.is_unspecified])


def test_a_listed_pair_opens_itself_and_nothing_else() -> None:
    allowance = Allowance.parse("127.0.0.1:9001, shop.local:8000,[::1]:9002,localhost:9003")

    assert allowance.host("127.0.0.1", 9001) == "127.0.0.1"
    assert allowance.host("[::1]", 9002) == "::1"
    assert allowance.host("LOCALHOST", 9003) == "localhost"
    assert allowance.judge("shop.local", 8000, ["10.0.0.5"]) == ("10.0.0.5",)
    assert allowance.judge("localhost", 9003, ["::1", "127.0.0.1"]) == ("::1", "127.0.0.1")
    for host, port in (("127.0.0.1", 9002), ("127.0.0.2", 9001), ("127.1", 9001), ("localhost", 80)):
        with pytest.raises(BadRequest):
            allowance.host(host, port)
    for host, port in (("shop.local", 8001), ("evil.example", 8000), ("rebound.example", 9001)):
        with pytest.raises(BadRequest):
            allowance.judge(host, port, ["127.0.0.1"])


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16", "0.0.0.0"],  # noqa: S104
)
def test_metadata_addresses_stay_refused_even_for_a_listed_pair(address: str) -> None:
    with pytest.raises(BadRequest):
        Allowance.parse("shop.local:8000").judge("shop.local", 8000, [address])


def test_a_listed_metadata_literal_stays_refused() -> None:
    allowance = Allowance.parse("169.254.169.254:80")

    with pytest.raises(BadRequest):
        allowance.judge("169.254.169.254", 80, ["169.254.169.254"])


def test_the_platforms_own_ports_stay_refused_even_for_a_listed_pair() -> None:
    allowance = Allowance.parse("127.0.0.1:8080,shop.local:8080", blocked_ports=[8080])

    for host in ("127.0.0.1", "shop.local"):
        assert not allowance.opens(host, 8080)
        with pytest.raises(BadRequest, match="platform"):
            allowance.judge(host, 8080, ["127.0.0.1"])
    assert allowance.judge("example.com", 8080, ["1.1.1.1"]) == ("1.1.1.1",)


@pytest.mark.parametrize(
    "text",
    ["localhost", "shop.local:", "shop.local:x", "shop.local:0", ":80", "*.local:80", "a b:80", "127.1:9"],
)
def test_a_setting_that_names_no_pair_is_the_operators_mistake(text: str) -> None:
    with pytest.raises(Misconfigured, match="AB_EGRESS_ALLOW_PRIVATE"):
        Allowance.parse(text)


def test_an_empty_setting_allows_nothing() -> None:
    assert Allowance.parse(" ") == Allowance.parse("") == NO_ALLOWANCE
