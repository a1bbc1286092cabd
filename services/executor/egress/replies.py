"""The gateway's own answers to the code: problem documents with a stable reason."""

from __future__ import annotations

import json

import h11

from services.executor.egress.model import Verdict
from shared.errors import NotAllowed, ProjectError
from shared.net.url import Endpoint

# HTTP libraries raise by status, so each reason has the one that fits; others follow their error's class.
_STATUS = {
    "address_refused": 403,
    "not_a_name": 403,
    "secret_needs_https": 403,
    "secret_not_a_header": 403,
    "host_mismatch": 421,
    "request_too_large": 413,
    "run_cap": 429,
    "upgrade_unsupported": 501,
    "no_such_host": 502,
    "bad_certificate": 502,
    "unreadable_answer": 502,
    "no_name_service": 502,
    "unreachable": 502,
    "no_answer": 502,
    "not_on_tape": 502,
    "secret_unavailable": 502,
    "timeout": 504,
}
_REFUSED = frozenset(
    {
        "address_refused",
        "ambiguous_path",
        "bad_url",
        "host_mismatch",
        "malformed",
        "not_a_name",
        "secret_needs_https",
        "upgrade_unsupported",
    }
)


def status_of(error: ProjectError) -> int:
    return _STATUS.get(error.code, error.status)


def verdict_of(error: ProjectError) -> Verdict:
    """refused: this request can never pass. failed: it was allowed and something else went wrong."""
    return "refused" if isinstance(error, NotAllowed) or error.code in _REFUSED else "failed"


def problem(error: ProjectError, target: Endpoint | None, *, last: bool) -> tuple[h11.Response, bytes]:
    """The reason also stands in the status line, which is all that many libraries show of a refused
    CONNECT. `last`: the connection ends with it."""
    shown: dict[str, str | int] = {"title": "egress gateway", "code": error.code, "detail": error.detail}
    if target:
        shown |= {"host": target.host, "port": target.port}
    body = json.dumps(shown, ensure_ascii=False).encode()
    line = f"{error.code}: {error.detail}".encode("ascii", "replace")[:200]
    return own_response(status_of(error), "application/problem+json", body, reason=line, last=last), body


def own_response(
    status: int, content_type: str, body: bytes, *, reason: bytes = b"", last: bool = False
) -> h11.Response:
    headers = [
        ("content-type", content_type),
        ("content-length", str(len(body))),
        ("x-egress-gateway", "answered here"),
    ]
    if last:
        headers.append(("connection", "close"))
    return h11.Response(status_code=status, headers=headers, reason=reason)
