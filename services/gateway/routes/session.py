"""Signing in with a link from the server's window, and out."""

from __future__ import annotations

from flask import Response, request

from services.gateway.model.origin import secure
from services.gateway.repository.access import end_session, open_session
from services.gateway.routes.answers import Answer, Api, Body, SlowDown, deps, person, reply
from services.gateway.routes.guard import cookie_name
from services.gateway.routes.me import Me, me_of

api = Api("session")


class SignIn(Body):
    """secret: what stands after `#link=` in the sign-in link."""

    secret: str


class SignedIn(Answer):
    """key: kept in the origin's storage and sent as X-AB-Key with every call."""

    key: str
    me: Me


@api.post("/session", SignedIn, public=True)
def post_session(body: SignIn) -> Response:
    if not deps().brake.allow(request.remote_addr or ""):
        raise SlowDown("slow down")
    who, cookie, key = open_session(deps().store, deps().clock, deps().ids, body.secret)
    response = reply(SignedIn(key=key, me=me_of(who)), 200)
    https = secure(deps().door.public_url)
    response.set_cookie(
        cookie_name(deps().door.public_url),
        cookie,
        max_age=7 * 24 * 3600,
        httponly=True,
        secure=https,
        samesite="Lax",
        path="/",
    )
    return response


@api.delete("/session")
def delete_session() -> Response:
    who = person()
    if who.session_id:
        end_session(deps().store, who.session_id)
    response = Response(status=204)
    name = cookie_name(deps().door.public_url)
    response.delete_cookie(
        name, path="/", secure=secure(deps().door.public_url), httponly=True, samesite="Lax"
    )
    return response
