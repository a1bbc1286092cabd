"""For whoever watches the installation: alive, ready, a few numbers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from services.gateway.repository.shapes import WORKSPACES
from services.gateway.routes.answers import deps
from shared.errors import ProjectError

blueprint = Blueprint("probes", __name__)

_OUTBOX_SEEN = 1000


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Every database this service needs can be read, by name."""
    found = {name: _readable(name) for name in ("gateway", *sorted(deps().readers))}
    response = jsonify({"status": "ok" if all(found.values()) else "failing", "databases": found})
    response.status_code = 200 if all(found.values()) else 503
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text."""
    waiting = len(deps().store.outbox(_OUTBOX_SEEN))
    dead = len(deps().bus.dead_letters(_OUTBOX_SEEN))
    lines = (
        "# HELP ab_gateway_outbox_events Events committed and not yet on the bus.",
        "# TYPE ab_gateway_outbox_events gauge",
        f"ab_gateway_outbox_events {waiting}",
        "# HELP ab_dead_letters Events that could not be handled and wait for an operator.",
        "# TYPE ab_dead_letters gauge",
        f"ab_dead_letters {dead}",
        "# HELP ab_gateway_streams_open Live views open now.",
        "# TYPE ab_gateway_streams_open gauge",
        f"ab_gateway_streams_open {deps().slots.taken}",
    )
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _readable(name: str) -> bool:
    reader = deps().store if name == "gateway" else deps().readers[name]
    try:
        reader.get(WORKSPACES, "probe")
    except (ProjectError, OSError):
        return False
    return True
