"""Artifacts by expiring link, under a host name of their own: no session, no scripts, nothing but the bytes."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import FileWrapper

from services.gateway.model.links import Disposition, Ticket, opened, shown_as, signed, ticket
from services.gateway.model.origin import files_origin, other_loopback, place
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS
from services.gateway.routes.answers import deps, refusal
from shared.errors import NotFound
from shared.records.executor import Artifact
from shared.records.gateway import Agent

blueprint = Blueprint("downloads", __name__)

_KEY = "downloads"
# A file that is opened by itself may show its own pixels and sound; nothing in it runs, asks or is asked.
POLICY = (
    "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; media-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def link(workspace_id: str, artifact_id: str, disposition: Disposition) -> str:
    """An address for whoever made this request: a browser's is under the files' own host name; a program's
    under the loopback name it did not use, for it may not know names below localhost."""
    door = deps().door
    program = "Authorization" in request.headers
    origin = other_loopback(request.host) if program else ""
    origin = origin or files_origin(request.host, door.public_url, door.files_url)
    host = urlsplit(origin).netloc or request.host
    made = ticket(workspace_id, artifact_id, deps().clock.now(), host, disposition)
    return f"{origin}/download/{signed(made, deps().vault.key(_KEY))}"


@blueprint.get("/download/<string:token>")
def download(token: str) -> Response:
    door, key = deps().door, deps().vault.key(_KEY)
    found = opened(token, key, deps().clock.now(), request.host)
    artifact = _still_there(found)
    at_home = place(request.host, door.public_url, door.files_url) == "files"
    origin = files_origin(request.host, door.public_url, door.files_url)
    if not at_home and origin and "Sec-Fetch-Site" in request.headers:
        # A program's link in a browser: not under a name under which the page can be, too.
        moved = replace(found, host=urlsplit(origin).netloc.lower())
        return Response(status=307, headers={"Location": f"{origin}/download/{signed(moved, key)}"})
    return _answer(artifact, found.disposition if at_home or origin else "attachment")


def _still_there(found: Ticket) -> Artifact:
    """Asked again at every fetch: an artifact taken away is gone, however fresh the link, and an agent's files go
    with it. Raises: NotFound."""
    scope = Scope(found.workspace_id)
    artifact = scope.find(deps().readers["executor"], "artifacts", found.artifact_id, Artifact)
    agent = scope.find(deps().store, AGENTS, artifact.agent_id, Agent) if artifact else None
    if artifact is None or (agent is not None and agent.deleted_at is not None):
        raise refusal(NotFound, "file_gone")
    return artifact


def _answer(artifact: Artifact, disposition: Disposition) -> Response:
    disposition, content_type = shown_as(artifact.media_type, disposition)
    stream = deps().blobs.open(artifact.blob_key)
    response = Response(FileWrapper(stream), content_type=content_type, direct_passthrough=True)
    response.call_on_close(stream.close)
    name = artifact.name.rsplit("/", 1)[-1]
    response.headers["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Length"] = str(artifact.size)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, no-store"
    # The page embeds pictures and films from here; everything else is nobody's to embed.
    response.headers["Cross-Origin-Resource-Policy"] = (
        "cross-origin" if disposition == "inline" else "same-origin"
    )
    response.set_etag(artifact.sha256)
    try:
        response.make_conditional(request.environ, accept_ranges=True, complete_length=artifact.size)
    except HTTPException:  # a part that the file does not have
        response.close()
        raise
    return response
