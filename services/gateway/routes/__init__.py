"""HTTP in: one module per resource, registered by `register` on the app of this service."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from services.gateway.deps import Deps
from services.gateway.routes import (
    account,
    agents,
    answers,
    connections,
    conversations,
    deliveries,
    downloads,
    files,
    guard,
    me,
    operate,
    pages,
    permissions,
    plans,
    probes,
    repairs,
    runs,
    secrets,
    session,
    states,
    stream,
    tapes,
    traces,
    versions,
    workspace,
    writes,
)

_RESOURCES = (
    session,
    me,
    conversations,
    plans,
    files,
    agents,
    versions,
    states,
    runs,
    writes,
    tapes,
    traces,
    repairs,
    workspace,
    permissions,
    deliveries,
    account,
    secrets,
    connections,
    stream,
    operate,
)


def web(deps: Deps) -> OpenAPI:
    """The app people and their pages talk to: the API, its description, downloads, the page itself."""
    app = _empty()
    app.extensions["gateway"] = deps
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Korean stays readable on the wire
    guard.install(app, deps)
    for resource in _RESOURCES:
        app.register_api(resource.api.blueprint)
    app.register_blueprint(downloads.blueprint)
    app.register_blueprint(probes.blueprint)
    app.register_blueprint(pages.blueprint)
    app.add_url_rule("/api/openapi.json", view_func=answers.open_to_all(description), endpoint="openapi")
    return app


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document of the API; made at the first call, which takes a moment."""
    app = _empty()
    for resource in _RESOURCES:
        app.register_api(resource.api.described())
    return app.api_doc


def _empty() -> OpenAPI:
    return OpenAPI(
        "agent_builder",
        info=Info(title="Agent Builder", version="1"),
        security_schemes=answers.SECURITY,  # type: ignore[arg-type]  # plain dicts fit at run time
        validation_error_status=400,
        validation_error_model=answers.Problem,
        validation_error_callback=answers.bad_fields,
        doc_ui=False,
        static_folder=None,
    )
