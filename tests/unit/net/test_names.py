"""Host names and addresses as text: one spelling passes, its disguises do not."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest
from shared.net.allowance import NO_ALLOWANCE
from shared.net.names import address_literal, dns_name
from shared.net.url import authority, endpoint, split_authority


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("xn--3e0b707e.example", "xn--3e0b707e.example"),
        ("한국.example", "xn--3e0b707e.example"),
        ("my_bucket.s3.example.com", "my_bucket.s3.example.com"),
        ("1password.com", "1password.com"),
        ("127.0.0.1.nip.io", "127.0.0.1.nip.io"),
    ],
)
def test_names_have_one_spelling(text: str, name: str) -> None:
    assert dns_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "metadata",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0x7f.0x0.0x0.0x1",
        "1.2.3.4.5",
        "example.0x1",
        "example.1",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "example.com.",
        ".example.com",
        "a..example.com",
        "*.example.com",
        "-a.example.com",
        "a-.example.com",
        "example.com:443",
        "user@example.com",
        "example.com/x",
        "example.com%00.evil.com",
        "example%2ecom",
        "exa mple.com",
        "example.com\n",
        "example.com\x00",
        "a" * 64 + ".com",
        ".".join(["abcdefgh"] * 32),
    ],
)
def test_what_is_no_full_name_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        dns_name(text)

    assert caught.value.code == "not_a_name"


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from("dxo"), min_size=4, max_size=4), st.integers(1, 4))
def test_no_spelling_of_an_ipv4_address_is_a_name(number: int, bases: list[str], parts: int) -> None:
    # The classic inet_aton: the last part takes all bytes the others leave.
    whole = [(number >> shift) & 255 for shift in (24, 16, 8, 0)]
    numbers = [*whole[: parts - 1], int.from_bytes(bytes(whole[parts - 1 :]))]
    shown = {"d": "{}", "x": "0x{:x}", "o": "0{:o}"}
    text = ".".join(shown[base].format(part) for base, part in zip(bases, numbers, strict=False))
    assert socket.inet_aton(text) == number.to_bytes(4)

    with pytest.raises(BadRequest):
        dns_name(text)


@given(st.text(max_size=40))
def test_a_name_is_only_letters_digits_hyphens_and_never_an_address(text: str) -> None:
    try:
        name = dns_name(text)
    except BadRequest:
        return

    assert name == name.lower()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert dns_name(name) == name
    with pytest.raises(OSError, match="illegal"):
        socket.inet_aton(name)


def test_literals_are_read_in_their_ordinary_spelling_only() -> None:
    assert address_literal("127.0.0.1") == "127.0.0.1"
    assert address_literal("[::1]") == address_literal("0:0::1") == "::1"
    for text in ("[127.0.0.1]", "127.1", "127.0.0.01", "fe80::1%eth0", "2130706433", "example.com", ""):
        assert address_literal(text) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Example.com", "https://example.com/"),
        ("https://example.com:443/a?b=%20#c", "https://example.com/a?b=%20"),
        ("HTTP://example.com:8080/x", "http://example.com:8080/x"),
        ("https://example.com?x=1", "https://example.com/?x=1"),
    ],
)
def test_an_address_has_one_spelling(url: str, shown: str) -> None:
    assert endpoint(url, NO_ALLOWANCE).url == shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///x",
        "https://user@example.com/",
        "https://user:pw@example.com/",
        "https://example.com@evil.com/",
        "https://evil.com\\@example.com/",
        "https://exa\tmple.com/",
        "https://example.com/a b",
        "https://example.com/한글",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:/",
        "https://example.com:４43/",
        "https://[::1]/",
        "https://[::1]evil.com/",
        "https://[example.com]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://example.com./",
        " https://example.com/",
    ],
)
def test_misleading_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        endpoint(url, NO_ALLOWANCE)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_authority_survives_being_written_and_read(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    host, read = split_authority(authority("https", str(address), port))

    assert (host.strip("[]"), read or 443) == (str(address), port)
