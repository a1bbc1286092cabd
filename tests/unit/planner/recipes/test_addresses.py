"""Addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planner.recipes.addresses import read_addresses, same_site, short_name, without_addresses

WRITTEN = [
    ("https://shop.example/new에서 새 상품", ["https://shop.example/new"]),
    ("https://shop.example/new의 가격을", ["https://shop.example/new"]),
    ("https://shop.example/new,", ["https://shop.example/new"]),
    ("(https://shop.example/new)를 봐 줘", ["https://shop.example/new"]),
    ("https://shop.example입니다", ["https://shop.example/"]),
    ("shop.example.com이랑 other.co.kr/list하고", ["https://shop.example.com/", "https://other.co.kr/list"]),
    ("https://a.com/new,https://b.com/new", ["https://a.com/new", "https://b.com/new"]),
    ("a.com, b.com 그리고 c.com.", ["https://a.com/", "https://b.com/", "https://c.com/"]),
    ("Watch https://a.com/new and b.io/x?page=2!", ["https://a.com/new", "https://b.io/x?page=2"]),
    ("http://127.0.0.1:8080/list를", ["http://127.0.0.1:8080/list"]),
    ("http://localhost:9000/shop-a/new와", ["http://localhost:9000/shop-a/new"]),
    ("localhost:9001/x에서", ["http://localhost:9001/x"]),
    ("https://a.kr/신제품에서", ["https://a.kr/%EC%8B%A0%EC%A0%9C%ED%92%88"]),
    ("https://a.kr/목록/new에서", ["https://a.kr/%EB%AA%A9%EB%A1%9D/new"]),
    ("https://a.kr/?q=한글&p=1", ["https://a.kr/?q=%ED%95%9C%EA%B8%80&p=1"]),
    ("https://한글.kr/new을", ["https://xn--bj0bj06e.kr/new"]),
    ("https://en.wikipedia.org/wiki/Shop_(retail) 페이지", ["https://en.wikipedia.org/wiki/Shop_(retail)"]),
    ("HTTPS://Shop.Example/New", ["https://shop.example/New"]),
    ("https://a.com/new https://a.com/new", ["https://a.com/new"]),
    ("https://a.com/new#top", ["https://a.com/new"]),
    ("me@example.com 으로 report.xlsx를 Node.js 3.11", []),
    ("9.30에 1.5배로 e.g. 그리고...", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "urls"), WRITTEN)
def test_address_is_read_as_written(text: str, urls: list[str]) -> None:
    assert list(read_addresses(text).urls) == urls


@pytest.mark.parametrize(
    "text",
    [
        "https://user:pass@shop.example/new",
        "https://shop.example/new?api_key=0123456789abcdef",
        "https://hooks.slack.com/services/T000/B000/XXXXXXXX로",
        "http://127.0.0.1:9999/services/T000/B000/XXXX",
        "https://discord.com/api/webhooks/1/abc",
    ],
)
def test_address_that_carries_a_secret_is_left_out_and_counted(text: str) -> None:
    found = read_addresses(text)

    assert (found.urls, found.with_secret) == ((), 1)


def test_words_inside_addresses_are_no_wishes() -> None:
    assert without_addresses("https://a.com/slack/9-am 확인해 줘").split() == ["확인해", "줘"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://shop.example/a", "https://www.shop.example/b", True),
        ("https://shop.example/", "https://shop.example.evil.test/", False),
        ("https://shop.example/", "", False),
    ],
)
def test_same_site_ignores_scheme_and_www(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same


def test_short_name_is_what_people_call_it() -> None:
    assert short_name("https://www.shop.example/new/") == "shop.example/new"


@given(st.text(max_size=300))
def test_any_text_gives_plain_ascii_addresses(text: str) -> None:
    for url in read_addresses(text).urls:
        assert url.isascii()
        assert url.startswith(("http://", "https://"))
        assert " " not in url
        assert read_addresses(url).urls == (url,)
