"""Where Pub/Sub pushes events to: `POST /events`, for the one account that may."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

from shared.bus.push import Handed, from_push
from shared.errors import DecodeError, NotAllowed, ProjectError

EVENTS, HEALTH = "/events", "/healthz"
# Cloud Run checks this header in the place of Authorization, and Pub/Sub never sends it.
# Source: cloud.google.com/run/docs/authenticating/service-to-service#acquire-token
_CHECKED_INSTEAD = "X-Serverless-Authorization"
_MAX_BODY = 1 << 20  # twice what an event with its base64 and attributes can be

log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def inlet(take: Callable[[Handed], bool], admit: Callable[[str], None]) -> Flask:
    """take: as PubSubBus.take. admit: gets the Authorization header, raises what refuses it.

    204 acknowledges. Anything else makes Pub/Sub deliver again, and after as many tries as the subscription allows
    put the message into the dead-letter topic: what cannot be read ends there, where somebody can look at it.
    """
    app = Flask("events", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY

    @app.post(EVENTS)
    def events() -> Response:
        if _CHECKED_INSTEAD in request.headers:
            raise NotAllowed("Nobody has checked the token of this event.")
        admit(request.headers.get("Authorization", ""))
        try:
            done = take(from_push(request.get_data()))
        except KeyError as error:
            raise DecodeError("No service here has that subscription.") from error
        return Response(status=204 if done else 503)

    @app.get(HEALTH)
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @app.errorhandler(ProjectError)
    def refused(error: ProjectError) -> Response:
        log.warning("a push was refused (%s): %s", error.code, error.detail)
        return Response(status=error.status)

    return app


def beside(front: Flask | None, rooms: Mapping[str, Flask]) -> Wsgi | None:
    """One server for all: rooms by the path they answer at and below; everything else is the front's, the page's app.
    Whoever starts the container asks for its health under an address that is no name of ours, which the front would
    refuse. None when there is nothing to serve."""
    if not rooms:
        return None if front is None else front.wsgi_app
    nothing = Flask("nothing", static_folder=None) if front is None else front

    def choose(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        chosen = next((app for at, app in rooms.items() if path == at or path.startswith(f"{at}/")), nothing)
        return chosen.wsgi_app(environ, start_response)

    return choose
