"""The package index as a builder job sees it: pages and the files they name, passed on while they come. Keeps nothing,
so any process may answer any request. Why: docs/decisions/0054.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from http.client import HTTPException, HTTPResponse

from services.executor.environments.door import BASE, HOST
from services.executor.environments.pages import JSON_PAGE, IndexFile, project_name, write_page
from services.executor.environments.source import IndexSource
from services.executor.ports import SiteAnswer
from shared.errors import ProjectError, Unavailable

_CHUNK = 256 << 10
_TEXT = (("content-type", "text/plain; charset=utf-8"),)
_PASSED = ("content-length", "content-range", "accept-ranges")


class IndexMirror:
    """A LocalSite: `/simple/<project>/` and `/<project>/files/<sha256>/<name>`. Thread-safe."""

    host = HOST

    def __init__(self, source: IndexSource) -> None:
        self._source = source

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> SiteAnswer:
        if method not in ("GET", "HEAD"):
            return _said(405, "the package index is for reading")
        parts = target.partition("?")[0].strip("/").split("/")
        try:
            if parts[0] == "simple" and len(parts) == 2:
                return self._page(parts[1])
            if len(parts) == 4 and parts[1] == "files":
                return self._file(method, parts[0], parts[2], parts[3], headers)
        except ProjectError as error:
            return _said(502, error.detail)
        return _said(404, "there is nothing here")

    def _page(self, text: str) -> SiteAnswer:
        name = project_name(text)
        project = self._source.project(name) if name else None
        if project is None:
            return _said(404, "there is no such project")
        return SiteAnswer(200, (("content-type", JSON_PAGE),), write_page(project, f"{BASE}/{project.name}"))

    def _file(
        self, method: str, project_text: str, sha256: str, wanted: str, headers: Mapping[str, str]
    ) -> SiteAnswer:
        name = project_name(project_text)
        project = self._source.project(name) if name else None
        for file in project.files if project else ():
            beside = file.metadata is not None and wanted == f"{file.name}.metadata"
            if file.sha256 == sha256 and (wanted == file.name or beside):
                return self._passed_on(method, file, ".metadata" if beside else "", headers.get("range", ""))
        return _said(404, "there is no such file")

    def _passed_on(self, method: str, file: IndexFile, suffix: str, part: str) -> SiteAnswer:
        open_until_read = ExitStack()
        asked = self._source.answer(method, f"{file.url}{suffix}", {"range": part} if part else {})
        answer = open_until_read.enter_context(asked)
        length = answer.headers.get("content-length") or ""
        if answer.status not in (200, 206) or not length.isdigit():
            open_until_read.close()
            return _said(502, f"the package index answered {answer.status}")
        passed = tuple((name, answer.headers[name]) for name in _PASSED if name in answer.headers)
        body = _pieces(open_until_read, answer)
        return SiteAnswer(answer.status, (("content-type", "application/octet-stream"), *passed), body)


def _pieces(open_until_read: ExitStack, answer: HTTPResponse) -> Iterator[bytes]:
    """Raises Unavailable when the index breaks off: whoever reads must not take it for the end."""
    with open_until_read:
        try:
            while piece := answer.read(_CHUNK):
                yield piece
        except (OSError, HTTPException) as error:
            raise Unavailable("The package index broke off.", code="index_unreachable") from error


def _said(status: int, text: str) -> SiteAnswer:
    return SiteAnswer(status, _TEXT, text.encode())
