"""Each request as the operator sees it: a span and two numbers, without the address that was asked for."""

from __future__ import annotations

from flask import Flask, Response, g, request

from services.gateway.deps import Deps
from shared.telemetry.trace import Attribute, AttributeName, Open

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_READ = 1000  # events and letters: more than that is "many"


def install(app: Flask, deps: Deps) -> None:
    """Before everything else that stands before a request, so that it is seen whatever becomes of it."""
    tracer, meter = deps.watching.tracer, deps.watching.meter

    def before() -> None:
        g.began = deps.clock.monotonic()
        route = request.url_rule.rule if request.url_rule is not None else ""
        about: dict[AttributeName, Attribute] = {"method": _method(), "route": route}
        span = tracer.root("request", request.headers.get("traceparent", ""), about)
        g.span = span.__enter__()

    def after(response: Response) -> Response:
        """Of a stream: when it begins. How long somebody watches says nothing about us."""
        span: Open = g.span
        span.attributes["status"] = response.status_code
        span.failed = response.status_code >= 500
        meter.add("ab_requests_total", f"{response.status_code // 100}xx")
        meter.observe("ab_request_seconds", deps.clock.monotonic() - g.began, _method())
        return response

    def teardown(error: BaseException | None) -> None:
        span: Open | None = g.pop("span", None)
        if span is not None:
            span.__exit__(None, None, None)

    app.before_request(before)
    app.after_request(after)
    app.teardown_request(teardown)
    meter.level("ab_gateway_outbox_events", lambda: len(deps.store.outbox(_READ)))
    meter.level("ab_dead_letters", lambda: len(deps.bus.dead_letters(_READ)))
    meter.level("ab_gateway_streams_open", lambda: deps.slots.taken)


def _method() -> str:
    return request.method if request.method in _METHODS else "other"
