"""The thin layer over flask-openapi3: one `Api` per resource, JSON answers, RFC 9457 problems."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, current_app, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.schema import Schema
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.gateway.deps import Deps
from services.gateway.model.access import Person
from services.gateway.model.words import SENTENCES, Language, say
from services.gateway.repository.scope import Paging, Scope
from services.gateway.routes.once import once
from shared.errors import ProjectError
from shared.store.port import Cause

E = TypeVar("E", bound=ProjectError)
F = TypeVar("F", bound=Callable[..., Any])

SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": "ab_session"},
    "key": {"type": "apiKey", "in": "header", "name": "X-AB-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


class Problem(BaseModel):
    """RFC 9457. `detail` says what to do, in the request's language; `fields` names what was wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fields: dict[str, str] | None = None
    diff: dict[str, Any] | None = None


class SlowDown(ProjectError):
    status = 429
    code = "slow_down"


class Body(BaseModel):
    """Base of request bodies: unknown keys are a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", str_max_length=200_000)


class Answer(BaseModel):
    """Base of answers made here; records are answers as they are."""

    model_config = ConfigDict(frozen=True)


class Id(Answer):
    id: str


class ById(BaseModel):
    id: str = Field(max_length=200)


class PageQuery(BaseModel):
    limit: int = Field(50, ge=1, le=200)
    cursor: str = Field("", max_length=1000)

    def paging(self) -> Paging:
        return Paging(self.limit, self.cursor)


_PROBLEM = {
    "description": "A problem document.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_STREAM = {
    "description": "Server-sent events.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
_SIGNED_IN: list[dict[str, list[Any]]] = [{"session": [], "key": []}, {"bearer": []}]


class Api:
    """Routes of one resource under /api/v1. Functions return a model, None (204), or a Response.

    `blueprint` serves them. `described()` is the same with its JSON schemas, which are made when somebody asks
    for them: for all resources they take 0.2 s, and every start would wait for that.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._routes: list[Callable[[APIBlueprint], object]] = []
        self._shapes: list[type[BaseModel]] = []
        self.blueprint = self._empty(with_schemas=False)

    def _empty(self, *, with_schemas: bool) -> APIBlueprint:
        return APIBlueprint(
            self._name,
            __name__,
            url_prefix="/api/v1",
            abp_tags=[Tag(name=self._name)],
            operation_id_callback=_operation_id,
            doc_ui=with_schemas,
        )

    def described(self) -> APIBlueprint:
        blueprint = self._empty(with_schemas=True)
        for register in self._routes:
            register(blueprint)
        for shape in self._shapes:
            blueprint.components_schemas[shape.__name__] = Schema(**shape.model_json_schema())
        return blueprint

    def also_describe(self, shape: type[BaseModel]) -> None:
        """A shape no route names, such as a stream's."""
        self._shapes.append(shape)

    def get(self, rule: str, answer: type[BaseModel] | dict[str, Any] | None) -> Callable[[F], F]:
        return self._route("get", rule, answer, 200)

    def stream(self, rule: str) -> Callable[[F], F]:
        return self._route("get", rule, dict(_STREAM), 200)

    def post(
        self, rule: str, answer: type[BaseModel] | None, status: int = 200, *, public: bool = False
    ) -> Callable[[F], F]:
        return self._route("post", rule, answer, status, public=public)

    def put(self, rule: str, answer: type[BaseModel] | None = None, status: int = 204) -> Callable[[F], F]:
        return self._route("put", rule, answer, status)

    def patch(self, rule: str, answer: type[BaseModel], status: int = 200) -> Callable[[F], F]:
        return self._route("patch", rule, answer, status)

    def delete(self, rule: str, answer: type[BaseModel] | None = None, status: int = 204) -> Callable[[F], F]:
        return self._route("delete", rule, answer, status)

    def _route(
        self,
        method: str,
        rule: str,
        answer: type[BaseModel] | dict[str, Any] | None,
        status: int,
        *,
        public: bool = False,
    ) -> Callable[[F], F]:
        responses: dict[str, Any] = {str(status): answer, "400": dict(_PROBLEM), "default": dict(_PROBLEM)}

        def decorate(function: F) -> F:
            @wraps(function)
            def view(**arguments: Any) -> Response:
                def work() -> Response:
                    return reply(function(**arguments), status)

                return once(deps(), g.person, work) if method == "post" and not public else work()

            if public:
                open_to_all(view)
            security = [] if public else _SIGNED_IN

            def register(blueprint: APIBlueprint) -> object:
                return getattr(blueprint, method)(rule, responses=responses, security=security)(view)

            self._routes.append(register)
            register(self.blueprint)
            return function

        return decorate


def open_to_all(view: F) -> F:
    """Marks a view that needs no sign-in; the guard looks for it."""
    cast("Any", view).ab_public = True
    return view


def deps() -> Deps:
    return cast("Deps", current_app.extensions["gateway"])


def person() -> Person:
    return cast("Person", g.person)


def scope() -> Scope:
    return Scope(person().workspace_id)


def cause() -> Cause:
    return Cause(person().workspace_id, person().actor)


def language() -> Language:
    """Of this request; Korean when the caller does not say."""
    return "en" if request.accept_languages.best_match(["ko", "en"], "ko") == "en" else "ko"


def problem(error: ProjectError, **more: object) -> Response:
    """The document for an error; codes known to `words` are said in the request's language."""
    return problem_response(error.status, error.code, sentence(error), error.fields, error.retryable, **more)


def sentence(error: ProjectError) -> str:
    """In the request's language; an error whose sentence has blanks was filled by whoever raised it."""
    known = SENTENCES.get(error.code)
    if known is None or "{" in known[0]:
        return error.detail
    return say(error.code, language())


def problem_response(
    status: int,
    code: str,
    detail: str,
    fields: dict[str, str] | None = None,
    retryable: bool = False,
    **more: object,
) -> Response:
    body: dict[str, object] = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    if fields:
        body["fields"] = fields
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    if retryable:
        response.headers["Retry-After"] = "2"
    return response


def bad_fields(error: ValidationError) -> Response:
    """What a body or a query got wrong, field by field."""
    fields = {
        ".".join(str(part) for part in item["loc"]) or "body": item["msg"] for item in error.errors()[:20]
    }
    if set(fields) == {"body"}:
        return problem_response(400, "bad_request", say("bad_request", language()))
    detail = say("bad_fields", language(), fields=", ".join(fields))
    return problem_response(400, "bad_fields", detail, fields)


def refusal(kind: type[E], code: str, fields: dict[str, str] | None = None, **values: object) -> E:
    """An error of the tree with its sentence in the request's language."""
    return kind(say(code, language(), **values), code=code, fields=fields)


def reply(result: object, status: int) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=status if status != 200 else 204)
    if isinstance(result, BaseModel):
        return Response(result.model_dump_json(), status, content_type="application/json")
    response = jsonify(result)
    response.status_code = status
    return response


def _operation_id(*, bp_name: str = "", name: str = "", path: str = "", method: str = "") -> str:
    return name
