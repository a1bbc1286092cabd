"""Stands before every request: our own Host, our own Origin, a known person, a bounded body; and behind every
answer: the security headers. Nothing behind it needs to ask again."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from services.gateway.deps import Deps
from services.gateway.model.access import OWNER_USER, OWNER_WORKSPACE, Person, same
from services.gateway.model.origin import files_origin, own_origin, place, secure
from services.gateway.model.words import say
from services.gateway.repository.access import find_session
from services.gateway.routes import watched
from services.gateway.routes.answers import language, problem, problem_response
from services.gateway.routes.downloads import POLICY
from shared.errors import BadRequest, NotAllowed, NotAuthenticated, ProjectError

log = logging.getLogger(__name__)

_JSON_BYTES = 1 << 20
UPLOAD_BYTES = 20 << 20
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DOWNLOAD = "downloads.download"
# Source: shared decision on product security, content security policy of the app. {files}: where the pictures,
# films and sounds of runs come from.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {files}; font-src 'self'; "
    "media-src {files}; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}


def cookie_name(public_url: str) -> str:
    """`__Host-` needs Secure, which a loopback address over http cannot have."""
    return "__Host-ab_session" if secure(public_url) else "ab_session"


def install(app: Flask, deps: Deps) -> None:
    watched.install(app, deps)

    def before() -> Response | None:
        g.person = None
        g.place = place(request.host, deps.door.public_url, deps.door.files_url)
        if g.place is None:
            return problem_response(421, "misdirected", say("misdirected", language()))
        if g.place == "files":
            return _files_only()
        _bound_body()
        _refuse_strangers_origin(deps)
        if request.path.startswith("/api/") and request.url_rule is not None and not _public(app):
            g.person = _person(deps)
        return None

    app.before_request(before)
    app.after_request(lambda response: _hardened(response, deps))
    app.register_error_handler(ProjectError, problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _unexpected)


def _files_only() -> Response | None:
    """Under the files' own name there is neither page nor API, and nobody is anybody."""
    if request.endpoint == _DOWNLOAD and request.method in ("GET", "HEAD"):
        return None
    return problem_response(404, "not_found", say("not_found", language()))


def _public(app: Flask) -> bool:
    view = app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "ab_public", False))


def _bound_body() -> None:
    upload = request.path == "/api/v1/agents/import"
    request.max_content_length = UPLOAD_BYTES + (1 << 16) if upload else _JSON_BYTES
    if request.method in _SAFE or upload or not request.path.startswith("/api/"):
        return
    raw = request.get_data(cache=True)
    if not raw:
        return
    try:
        value = json.loads(raw)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:  # also NaN, and halves of characters that no file can hold
        raise BadRequest("not JSON", code="bad_request") from error
    if not request.is_json:
        # A form of another site can send text/plain without asking; a page of ours always says JSON.
        raise BadRequest("not JSON", code="bad_request")


def _refuse_strangers_origin(deps: Deps) -> None:
    if request.method in _SAFE:
        return
    origin = request.headers.get("Origin")
    if origin is not None and not own_origin(origin, request.scheme, request.host, deps.door.public_url):
        raise NotAllowed("foreign origin", code="foreign_origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("foreign origin", code="foreign_origin")


def _person(deps: Deps) -> Person:
    """Raises: NotAuthenticated."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        if deps.door.owner_token and same(token.strip(), deps.door.owner_token):
            return Person(OWNER_WORKSPACE, OWNER_USER)
        raise NotAuthenticated("unknown token", code="not_authenticated")
    cookie = request.cookies.get(cookie_name(deps.door.public_url))
    key = request.headers.get("X-AB-Key")
    # Cookies are shared by all ports of a machine; the key is not, so a cookie alone opens nothing.
    found = find_session(deps.store, deps.clock, cookie, key) if cookie and key else None
    if found is None:
        raise NotAuthenticated("no session", code="not_authenticated")
    return found


def _hardened(response: Response, deps: Deps) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = _policy(deps)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.add("Vary", "Accept-Language")
    if secure(deps.door.public_url):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _policy(deps: Deps) -> str:
    if g.get("place") != "app":
        return POLICY
    files = files_origin(request.host, deps.door.public_url, deps.door.files_url)
    return _PAGE_POLICY.format(files=files or "'self'")


def _http_problem(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if status == 413:
        limit = "20 MB" if request.path == "/api/v1/agents/import" else "1 MB"
        return problem_response(413, "too_large", say("too_large", language(), limit=limit))
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(status, "bad_request" if status < 500 else "internal")
    response = problem_response(status, code, say(code, language()))
    if status == 405:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return response


def _unexpected(error: Exception) -> Response:
    log.error("request failed: %s", request.endpoint, exc_info=error)
    return problem_response(500, "internal", say("internal", language()))
