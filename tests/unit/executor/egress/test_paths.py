"""Paths under a rule, and spellings that pretend to be."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.egress.paths import canonical_path, lies_under, rule_path
from shared.errors import BadRequest


@pytest.mark.parametrize(
    ("path", "prefix", "inside"),
    [
        ("/new", "/new", True),
        ("/new/", "/new", True),
        ("/new/1", "/new/", True),
        ("/newer", "/new", False),
        ("/new.html", "/new", False),
        ("/", "/new", False),
        ("/anything", "", True),
        ("/%6Eew", "/new", True),
        ("/상품/1".encode().decode("latin-1"), "", False),
        (quote("/상품/1"), "/상품", True),
        (quote("/상품/1").lower(), "/상품", True),
        (quote("/상품권"), "/상품", False),
    ],
)
def test_a_prefix_ends_at_a_segment(path: str, prefix: str, inside: bool) -> None:
    try:
        assert lies_under(canonical_path(path), rule_path(prefix)) is inside
    except BadRequest:
        assert inside is False


@pytest.mark.parametrize(
    "path",
    [
        "",
        "new",
        "/new/../admin",
        "/new/./admin",
        "/new//admin",
        "//new",
        "/new/..",
        "/new/%2e%2e/admin",
        "/new/%2E./admin",
        "/new/..;a=b/admin",
        "/new/.;/admin",
        "/new%2fadmin",
        "/new%5cadmin",
        "/new\\admin",
        "/new/%252e%252e/admin",
        "/new/%00",
        "/new/%",
        "/new/%zz",
        "/new/a b",
        "/new/\u00e9",
        "/new#x",
        "/new?x",
    ],
)
def test_spellings_that_servers_read_differently_are_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        canonical_path(path)


@given(st.text(alphabet="/.%;abAB25eEfF\\~-", max_size=24).map(lambda text: f"/{text}"))
def test_what_lies_under_a_rule_still_does_after_decoding_and_resolving(path: str) -> None:
    try:
        inside = lies_under(canonical_path(path), "/a")
    except BadRequest:
        return
    decoded = unquote(unquote(path)).replace("\\", "/")
    resolved = posixpath.normpath(decoded)

    assert inside == (resolved == "/a" or resolved.startswith("/a/"))
