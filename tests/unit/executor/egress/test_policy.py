"""What host rules allow, and which effect a request then has."""

from __future__ import annotations

from typing import Any

import pytest

from services.executor.egress.policy import Policy
from shared.agentfile.model import HostRule
from shared.errors import BadRequest, NotAllowed
from shared.net.allowance import NO_ALLOWANCE, Allowance

HOST = "api.example.com"


def effect(method: str, path: str, *rules: dict[str, Any], scheme: str = "https", port: int = 443) -> str:
    policy = Policy([HostRule(host=HOST, **rule) for rule in rules], NO_ALLOWANCE)
    return policy.effect(scheme, HOST, port, method, path)


def refusal(method: str, path: str, *rules: dict[str, Any]) -> str:
    with pytest.raises((NotAllowed, BadRequest)) as caught:
        effect(method, path, *rules)
    return caught.value.code


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_methods_read_whatever_the_rule_says(method: str) -> None:
    assert effect(method, "/", {"effect": "read"}) == "read"
    assert effect(method, "/", {"effect": "write"}) == "read"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changing_methods_need_a_write_rule(method: str) -> None:
    assert effect(method, "/", {"effect": "write"}) == "write"
    assert refusal(method, "/", {"effect": "read"}) == "undeclared_method"


def test_a_read_rule_may_name_post_and_nothing_else_that_changes() -> None:
    rule = {"effect": "read", "methods": ("POST", "DELETE", "PUT")}

    assert effect("POST", "/", rule) == "read"
    assert refusal("DELETE", "/", rule) == "undeclared_method"
    assert refusal("GET", "/", rule) == "undeclared_method"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "PROPFIND", "PRI"])
def test_unusual_methods_are_refused(method: str) -> None:
    assert refusal(method, "/", {"effect": "write"}) == "undeclared_method"


def test_a_trace_is_refused_even_when_named() -> None:
    assert refusal("TRACE", "/", {"effect": "write", "methods": ("TRACE",)}) == "undeclared_method"


def test_the_most_specific_allowing_rule_decides_the_effect() -> None:
    search = {"path": "/search", "effect": "read", "methods": ("POST",)}
    all_writes = {"effect": "write"}

    assert effect("POST", "/search/x", search, all_writes) == "read"
    assert effect("POST", "/orders", search, all_writes) == "write"
    assert effect("DELETE", "/search/x", search, all_writes) == "write"


def test_of_two_equal_rules_the_stricter_effect_counts() -> None:
    assert effect("POST", "/", {"methods": ("POST",)}, {"effect": "write"}) == "write"


def test_an_ambiguous_path_passes_only_where_no_rule_has_a_path() -> None:
    assert effect("GET", "/projects/group%2Fname", {}) == "read"
    assert refusal("GET", "/new/..%2fadmin", {"path": "/new"}) == "ambiguous_path"
    assert refusal("GET", "/new/..%2fadmin", {"path": "/new", "effect": "write"}, {}) == "ambiguous_path"


def test_a_plain_http_rule_without_a_port_means_port_80() -> None:
    assert effect("GET", "/", {"scheme": "http"}, scheme="http", port=80) == "read"


@pytest.mark.parametrize("host", ["*.example.com", "127.0.0.1", "localhost", "[::1]", "2130706433", ""])
def test_a_rule_that_names_no_host_matches_nothing(host: str) -> None:
    policy = Policy([HostRule(host=host)], NO_ALLOWANCE)

    with pytest.raises(NotAllowed, match="not among the hosts"):
        policy.check_host("https", host, 443)


def test_a_listed_literal_can_be_declared() -> None:
    policy = Policy([HostRule(host="127.0.0.1", port=9001, scheme="http")], Allowance.parse("127.0.0.1:9001"))

    assert policy.effect("http", "127.0.0.1", 9001, "GET", "/") == "read"


def test_an_international_name_matches_its_ascii_spelling() -> None:
    policy = Policy([HostRule(host="한국.example")], NO_ALLOWANCE)

    assert policy.effect("https", "xn--3e0b707e.example", 443, "GET", "/") == "read"


def shared(path: str, asked: str) -> str:
    rule = HostRule(host="gist.githubusercontent.com", path=path)
    policy = Policy([rule], NO_ALLOWANCE)
    with pytest.raises(NotAllowed) as caught:
        policy.effect("https", rule.host, 443, "GET", asked)
    return caught.value.code


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_a_rule_for_a_host_many_share_opens_nothing_without_a_path(path: str) -> None:
    """Whatever was written into a grant: the list is looked at where requests are judged, too."""
    assert shared(path, "/anybody/raw/x") == "undeclared_host"


def test_a_rule_for_a_host_many_share_opens_its_path_alone() -> None:
    assert shared("/me/abc", "/somebody/def") == "undeclared_path"
    policy = Policy([HostRule(host="gist.githubusercontent.com", path="/me/abc")], NO_ALLOWANCE)
    assert policy.effect("https", "gist.githubusercontent.com", 443, "GET", "/me/abc/raw") == "read"


def test_an_exact_rule_covers_its_path_and_nothing_below_it() -> None:
    rule = {"path": "/new", "exact": True, "methods": ("GET",)}
    assert effect("GET", "/new", rule) == "read"
    assert effect("GET", "/new/", rule) == "read"
    assert effect("GET", "/%6Eew", rule) == "read"
    assert refusal("GET", "/new/x", rule) == "undeclared_path"
    assert refusal("GET", "/", rule) == "undeclared_path"
    assert refusal("HEAD", "/new", rule) == "undeclared_method"


def test_an_exact_rule_for_the_root_does_not_open_the_whole_host() -> None:
    rule = {"path": "/", "exact": True}
    assert effect("GET", "/", rule) == "read"
    assert refusal("GET", "/x", rule) == "undeclared_path"
    assert refusal("GET", "/x/../", rule) == "ambiguous_path"
