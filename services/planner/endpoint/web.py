"""What the model endpoint answers: two addresses of the Messages API, in its own words, to running agents only."""

from __future__ import annotations

import json
import logging

from flask import Flask, Response, request

from services.planner.endpoint.fields import read_asked, read_counted
from services.planner.endpoint.metered import MeteredCalls
from services.planner.endpoint.says import told
from shared.errors import BadRequest, NotFound, ProjectError, Unavailable
from shared.net.model_endpoint import PREFIX, RUN_HEADER
from shared.vault.run_tokens import RunTokens

log = logging.getLogger(__name__)

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
_LISTED = {f"{PREFIX}{path}": path for path in (MESSAGES, COUNT)}
# As the API names them, so that its own libraries raise what they always raise.
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
# What stands between the agent and the provider is not the agent's doing, and not to be tried again at once.
_STATUS = {
    "rate_limited": 429,
    "overloaded": 529,
    "unreachable": 502,
    "key_refused": 403,
    "no_credit": 403,
    "model_unknown": 403,
    "server_refused": 502,
}


def create_web(calls: MeteredCalls, tokens: RunTokens) -> Flask:
    """Of all below PREFIX; what is asked for there says itself which run asks, whichever way it came."""
    web = Flask("model-endpoint")

    @web.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @web.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def answer(path: str) -> Response:
        try:
            return _answered(calls, tokens)
        except ProjectError as error:
            return _problem(error)
        except Exception:
            log.exception("a call of a running agent failed")
            return _problem(ProjectError("여기서 문제가 생겼어요. (Something failed here.)"))

    return web


def _answered(calls: MeteredCalls, tokens: RunTokens) -> Response:
    asking = tokens.read(request.headers.get(RUN_HEADER, ""))
    path = _listed()
    body = request.get_data()
    if path == COUNT:
        return _json(200, {"input_tokens": calls.count(asking, read_counted(body))})
    answer = calls.ask(asking, read_asked(body))
    response = Response(answer.chunks, status=200, content_type=answer.content_type, direct_passthrough=True)
    if answer.request_id:
        response.headers["request-id"] = answer.request_id
    return response


def _listed() -> str:
    """Raises: NotFound for any other address, BadRequest for what would change what an address means."""
    path = _LISTED.get(request.path)
    if path is None or request.method != "POST":
        place = f"{request.method} {request.path.removeprefix(PREFIX)}"[:120]
        text = f"{place}: 에이전트가 쓸 수 없는 주소예요. (Agents have POST {MESSAGES} and {COUNT} only.)"
        raise NotFound(text, code="not_listed", fields={"path": place})
    if request.query_string:
        name = next(iter(request.args), "?")[:80]
        raise _unlisted(f"?{name}")
    if request.headers.get("anthropic-beta"):
        raise _unlisted("anthropic-beta")
    return path


def _unlisted(name: str) -> BadRequest:
    text = f"{name}: 에이전트는 이렇게 물을 수 없어요. (Agents cannot ask like this: {name}.)"
    return BadRequest(text, code="not_listed", fields={name: "not available to agents"})


def _problem(error: ProjectError) -> Response:
    status = _STATUS.get(error.code, 502 if isinstance(error, Unavailable) else error.status)
    problem: dict[str, object] = {
        "type": _TYPES.get(status, "api_error"),
        "message": told(error),
        "code": error.code,
    }
    if error.fields:
        problem["fields"] = error.fields
    response = _json(status, {"type": "error", "error": problem})
    if isinstance(error, Unavailable) and error.retry_after_s is not None:
        response.headers["retry-after"] = str(max(0, round(error.retry_after_s)))
    return response


def _json(status: int, value: dict[str, object]) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status=status, content_type="application/json")
