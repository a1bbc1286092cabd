"""Where Pub/Sub pushes events to: `POST /events`, for the one account that may."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, jsonify, request

from shared.bus.push import Handed, from_push
from shared.errors import DecodeError, ProjectError

EVENTS, HEALTH = "/events", "/healthz"
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


def beside(events: Flask, web: Flask | None) -> Wsgi:
    """One server for both: what people ask for, and what is pushed. Whoever starts the container asks for its health
    under an address that is no name of ours, which the page's app would refuse."""
    if web is None:
        return events.wsgi_app

    def choose(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        chosen = events if environ.get("PATH_INFO") in (EVENTS, HEALTH) else web
        return chosen.wsgi_app(environ, start_response)

    return choose
