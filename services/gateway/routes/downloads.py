"""Artifacts by expiring link: no session, no scripts, nothing but the bytes."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response
from werkzeug.wsgi import FileWrapper

from services.gateway.model.links import inline, opened
from services.gateway.repository.scope import Scope
from services.gateway.routes.answers import deps, refusal
from services.gateway.routes.runs import DOWNLOADS
from shared.errors import NotFound
from shared.records.executor import Artifact

blueprint = Blueprint("downloads", __name__)

_POLICY = "sandbox; default-src 'none'"


@blueprint.get("/download/<string:token>")
def download(token: str) -> Response:
    found = opened(token, deps().vault.key(DOWNLOADS), deps().clock.now())
    # Asked again here: an artifact taken away is gone, however fresh the link.
    artifact = Scope(found.workspace_id).find(
        deps().readers["executor"], "artifacts", found.artifact_id, Artifact
    )
    if artifact is None:
        raise refusal(NotFound, "link_over")
    stream = deps().blobs.open(artifact.blob_key)
    shown = inline(artifact.media_type)
    response = Response(
        FileWrapper(stream),
        content_type=artifact.media_type if shown else "application/octet-stream",
        direct_passthrough=True,
    )
    response.call_on_close(stream.close)
    name = artifact.name.rsplit("/", 1)[-1]
    response.headers["Content-Disposition"] = (
        f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Content-Length"] = str(artifact.size)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response
