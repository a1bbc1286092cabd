"""The Run API: what the process around a sandbox elsewhere asks of the executor, with its attempt's token."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol, TypeVar

from flask import Flask, Response, request
from pydantic import BaseModel, ValidationError

from services.executor.ports import EndReason
from services.executor.run_api.messages import (
    BOX,
    ENDING,
    FOLDERS,
    PART_BYTES,
    PREFIX,
    REPORTS,
    WORK,
    EndingTold,
    Heard,
    Known,
    Reports,
    Work,
    WorkAsked,
)
from shared.errors import BadRequest, ProjectError
from shared.runtime.shell import problem

__all__ = ["PREFIX", "run_api"]
_MAX_BODY = 2 * PART_BYTES
_BEARER = "Bearer "
_Shape = TypeVar("_Shape", bound=BaseModel)
log = logging.getLogger(__name__)


class Remote(Protocol):
    """One attempt, as the process elsewhere may speak to it; see adapters/remote_attempt.py."""

    def work(self, asked: WorkAsked) -> Work: ...

    def folder(self, number: int) -> Iterator[bytes]: ...

    def hear(self, reports: Reports) -> EndReason | None: ...

    def take_box(self, instance: str, offset: int, data: bytes) -> None: ...

    def end(self, told: EndingTold) -> bool: ...


class Remotes(Protocol):
    def attempt(self, token: str) -> Remote:
        """Raises: NotAuthenticated, NotFound when the token's attempt is over, Unavailable when it is to be asked for
        again."""


def run_api(remotes: Remotes | None) -> Flask | None:
    """None where runs stay on this machine."""
    if remotes is None:
        return None
    app = Flask("run_api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY

    @app.post(WORK)
    def work() -> Response:
        return _answer(_asking(remotes).work(_read(WorkAsked)))

    @app.get(f"{FOLDERS}/<int:number>")
    def folder(number: int) -> Response:
        return Response(_asking(remotes).folder(number), mimetype="application/x-tar")

    @app.post(REPORTS)
    def reports() -> Response:
        return _answer(Heard(stop=_asking(remotes).hear(_read(Reports))))

    @app.put(f"{BOX}/<instance>/<int:offset>")
    def box(instance: str, offset: int) -> Response:
        _asking(remotes).take_box(instance, offset, request.get_data())
        return Response(status=204)

    @app.post(ENDING)
    def ending() -> Response:
        return _answer(Known(known=_asking(remotes).end(_read(EndingTold))))

    @app.errorhandler(ProjectError)
    def refused(error: ProjectError) -> Response:
        log.info("a run's request was refused (%s): %s", error.code, error.detail)
        return problem(error)

    return app


def _asking(remotes: Remotes) -> Remote:
    header = request.headers.get("Authorization", "")
    return remotes.attempt(header.removeprefix(_BEARER) if header.startswith(_BEARER) else "")


def _read(shape: type[_Shape]) -> _Shape:
    try:
        return shape.model_validate_json(request.get_data())
    except ValidationError as error:
        raise BadRequest(f"This is no {shape.__name__}: {error.error_count()} fields are wrong.") from error


def _answer(message: BaseModel) -> Response:
    return Response(message.model_dump_json(), mimetype="application/json")
