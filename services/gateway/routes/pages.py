"""The built page, or what its build is doing while there is none. Any path to bookmark is the page."""

from __future__ import annotations

import html
import json
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory
from werkzeug.exceptions import NotFound as NoSuchFile

from services.gateway.model.words import say
from services.gateway.routes.answers import deps, language, problem_response

blueprint = Blueprint("pages", __name__)

# Vite puts a hash of the content into every name in this folder.
_HASHED = "assets/"
_YEAR = "public, max-age=31536000, immutable"

_STARTING = """<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="1">
<title>{title}</title><link rel="stylesheet" href="/starting.css"></head>
<body><main><h1>{title}</h1><p>{text}</p>
<progress max="{total}" value="{done}"></progress></main></body></html>"""
_STARTING_CSS = """:root{color-scheme:light dark}
body{min-height:100vh;margin:0;display:grid;place-items:center;background:#f6f4ef;color:#1c2430;
font:16px/1.6 Pretendard,"Apple SD Gothic Neo","Noto Sans KR","Noto Sans CJK KR",system-ui,sans-serif;
word-break:keep-all}
main{width:min(440px,calc(100vw - 48px));padding:36px 32px;box-sizing:border-box;background:#fffdf9;
border:1px solid #e4dfd4;border-radius:20px}
h1{margin:0;font-size:22px}p{color:#5b6675}progress{width:100%;accent-color:#1f7a5c}
@media(prefers-color-scheme:dark){body{background:#15181d;color:#ece8df}main{background:#1d2127;border-color:#323841}
p{color:#a7adb6}progress{accent-color:#58c39d}}
"""


@blueprint.get("/starting.css")
def starting_css() -> Response:
    return Response(_STARTING_CSS, content_type="text/css; charset=utf-8")


@blueprint.get("/")
@blueprint.get("/<path:name>")
def page(name: str = "") -> Response:
    if name.startswith(("api/", "events", "hooks/", "download/")):
        return problem_response(404, "not_found", say("not_found", language()))
    folder = deps().door.page
    if name:
        try:
            response = send_from_directory(folder, name, conditional=True)
            response.headers["Cache-Control"] = _YEAR if name.startswith(_HASHED) else "no-cache"
            return response
        except NoSuchFile:
            if "." in name.rsplit("/", 1)[-1]:
                return problem_response(404, "not_found", say("not_found", language()))
    return _index(folder)


def _index(folder: Path) -> Response:
    try:
        text = (folder / "index.html").read_bytes()
    except OSError:
        return _starting()
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _starting() -> Response:
    status = _build_status()
    korean = language() == "ko"
    title = "화면을 만들고 있어요" if korean else "Building the page"
    text = status.get("sentence_ko" if korean else "sentence_en") or ""
    body = _STARTING.format(
        language=language(),
        title=title,
        text=html.escape(str(text)),
        done=html.escape(str(status.get("done", 0))),
        total=html.escape(str(status.get("total", 1))),
    )
    code = 503 if "application/json" in request.headers.get("Accept", "") else 200
    response = Response(body, code, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _build_status() -> dict[str, object]:
    try:
        status = json.loads(deps().door.page_status.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return status if isinstance(status, dict) else {}
