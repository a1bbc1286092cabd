"""Whether a request's path lies under a rule's path, without being fooled by spellings. Pure.

A rule without a path accepts every path. A rule with one accepts only paths that every server reads the same
way, so tricks are refused rather than resolved.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from shared.errors import BadRequest

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+\Z")
# Slash, backslash, dot, percent and NUL in disguise: what one server decodes and the next one does not.
_DISGUISES = frozenset({"2f", "5c", "2e", "25", "00"})


def canonical_path(path: str) -> str:
    """The one spelling of an ordinary path: escapes of unreserved characters resolved, others upper case.

    Raises: BadRequest, code `ambiguous_path`, for dot segments, empty segments, encoded slashes, dots or
    percent signs, backslashes, and anything that is no path at all.
    """
    if not _PLAIN.match(path):
        raise BadRequest("the path holds characters that servers read differently", code="ambiguous_path")
    if any(code.lower() in _DISGUISES for code in _ESCAPE.findall(path)):
        raise BadRequest("the path hides a slash, dot or percent sign", code="ambiguous_path")
    segments = path.split("/")[1:]
    # `..;x` is a dot segment to servers that know path parameters.
    if any(segment.split(";")[0] in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise BadRequest("the path holds dot or empty segments", code="ambiguous_path")
    return _ESCAPE.sub(_resolve, path)


def rule_path(text: str) -> str:
    """A rule's path as written by a person (Korean letters allowed) in canonical spelling, without a
    trailing slash; empty means any path."""
    if text in ("", "/"):
        return ""
    written = quote(text if text.startswith("/") else f"/{text}", safe="/%!$&'()*+,;=:@-._~")
    return canonical_path(written.rstrip("/"))


def lies_under(path: str, prefix: str) -> bool:
    """Both canonical. `/new` covers `/new` and `/new/x`, not `/newer`; an empty prefix covers all."""
    return not prefix or path == prefix or path.startswith(f"{prefix}/")


def _resolve(match: re.Match[str]) -> str:
    character = chr(int(match.group(1), 16))
    return character if character in _UNRESERVED else match.group(0).upper()
