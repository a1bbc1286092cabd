"""A version's code, for reading."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from services.gateway.routes.answers import Answer, Api, ById, deps, language, refusal, scope
from shared.agentfile.bundle import unpack
from shared.errors import BadRequest, NotFound
from shared.records.planner import Version

api = Api("versions")

_TEXT = {
    "200": {"description": "The file as text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


class FileLine(Answer):
    """size in bytes."""

    name: str
    size: int


class FileList(Answer):
    items: tuple[FileLine, ...]


class FilePath(ById):
    name: str = Field(max_length=300)


@api.get("/versions/<string:id>/files", FileList)
def list_files(path: ById) -> FileList:
    files = version_files(path.id)
    return FileList(items=tuple(FileLine(name=name, size=len(data)) for name, data in sorted(files.items())))


@api.get("/versions/<string:id>/files/<path:name>", _TEXT["200"])
def get_file(path: FilePath) -> Response:
    data = version_files(path.id).get(path.name)
    if data is None:
        raise refusal(NotFound, "not_found")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal(BadRequest, "not_text") from error
    return Response(text, content_type="text/plain; charset=utf-8")


def version_files(version_id: str) -> dict[str, bytes]:
    """Everything in the version's bundle, and the lock beside it. Raises: NotFound."""
    version = scope().get(deps().readers["planner"], "versions", version_id, Version)
    files = unpack(deps().blobs.get(version.bundle_key), language())
    if version.lock and "requirements.lock" not in files:
        files["requirements.lock"] = version.lock.encode()
    return files
