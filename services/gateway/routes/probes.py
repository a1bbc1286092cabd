"""For whoever watches the installation: alive, ready, a few numbers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from services.gateway.repository.shapes import WORKSPACES
from services.gateway.routes.answers import deps
from shared.errors import ProjectError
from shared.telemetry.metrics import prometheus

blueprint = Blueprint("probes", __name__)


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
    """Prometheus text: the numbers of this process; where services have processes of their own, the gateway's."""
    text = prometheus(deps().watching.meter.points())
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _readable(name: str) -> bool:
    reader = deps().store if name == "gateway" else deps().readers[name]
    try:
        reader.get(WORKSPACES, "probe")
    except (ProjectError, OSError):
        return False
    return True
