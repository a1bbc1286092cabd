"""The one host a builder sandbox sees: the package index, GET and HEAD only, files named by their hashes.

Answers come from the trusted side; the sandbox never learns the real index's address.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from services.executor.environments.pages import JSON_PAGE, IndexFile, Project, project_name, write_page
from services.executor.environments.source import IndexSource
from services.executor.environments.wheels import fits
from services.executor.ports import SiteAnswer
from shared.errors import ProjectError

HOST = "index.agentbuilder.test"
BASE = f"http://{HOST}"
SIMPLE = f"{BASE}/simple/"
_RANGE_BYTES = 16 << 20
_METADATA_BYTES = 4 << 20
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True)
class Own:
    """A wheel of one workspace, built from source after its yes."""

    project: str
    file: IndexFile
    path: Path


@dataclass
class Seen:
    """What one sandbox asked for and did not find; facts of the trusted side, whatever its tool prints."""

    missing: set[str] = field(default_factory=set)
    no_wheel: dict[str, Project] = field(default_factory=dict)
    withheld: set[str] = field(default_factory=set)
    unreachable: str = ""


class IndexDoor:
    """until: files uploaded later are not shown, where the index says when. own: this workspace's wheels."""

    host = HOST

    def __init__(
        self,
        source: IndexSource,
        cache: Path,
        *,
        until: datetime | None = None,
        own: Collection[Own] = (),
        max_bytes: int = 1 << 30,
    ) -> None:
        self._source = source
        self._cache = cache
        self._until = until
        self._own = own
        self._max_bytes = max_bytes
        self._offered: dict[str, IndexFile] = {}
        self._lock = threading.Lock()
        self.seen = Seen()

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> SiteAnswer:
        if method not in ("GET", "HEAD"):
            return _plain(405, "the package index is for reading")
        parts = target.partition("?")[0].strip("/").split("/")
        try:
            if parts[0] == "simple" and len(parts) == 2:
                return self._page(parts[1])
            if parts[0] == "files" and len(parts) == 3:
                return self._file(method, parts[1], parts[2], headers.get("range", ""))
        except ProjectError as error:
            self.seen.unreachable = self.seen.unreachable or error.detail
            return _plain(502, error.detail)
        return _plain(404, "there is nothing here")

    def _page(self, text: str) -> SiteAnswer:
        name = project_name(text)
        project = self._source.project(name) if name else None
        own = [one.file for one in self._own if one.project == name]
        if name is None or (project is None and not own):
            self.seen.missing.add(name or text[:100])
            return _plain(404, "there is no such project")
        shown = self._shown(project or Project(name, ()), own)
        with self._lock:
            self._offered |= {file.sha256: file for file in shown.files}
        return SiteAnswer(200, (("content-type", JSON_PAGE),), write_page(shown, BASE))

    def _shown(self, project: Project, own: list[IndexFile]) -> Project:
        wheels = [file for file in project.files if file.wheel]
        timely = [f for f in wheels if self._until is None or f.uploaded is None or f.uploaded <= self._until]
        if len(timely) < len(wheels):
            self.seen.withheld.add(project.name)
        if not own and not any(fits(file) for file in wheels):
            self.seen.no_wheel[project.name] = project
        # the metadata of other platforms' wheels is never read, and pages shrink to a tenth without them
        return replace(project, files=(*own, *(file for file in timely if fits(file))))

    def _file(self, method: str, sha256: str, name: str, wanted: str) -> SiteAnswer:
        metadata = name.endswith(".metadata")
        with self._lock:
            file = self._offered.get(sha256)
        if file is None or name not in (file.name, f"{file.name}.metadata"):
            return _plain(404, "there is no such file")
        if metadata:
            return self._metadata(file)
        local = next((one.path for one in self._own if one.file.sha256 == sha256), self._cache / sha256)
        if method == "HEAD":
            return self._head(file, local)
        if wanted and not local.exists():
            return self._range(file, wanted)
        if not local.exists():
            self.fetch(file)
        if wanted:
            return _slice(local, wanted)
        return SiteAnswer(200, _BINARY, local)

    def fetch(self, file: IndexFile) -> Path:
        """The whole file, verified, in the cache."""
        self._cache.mkdir(parents=True, exist_ok=True)
        target = self._cache / file.sha256
        if not target.exists():
            beside = target.with_suffix(f".{threading.get_ident()}")
            try:
                self._source.download(file, beside, self._max_bytes, lambda _done, _all: None)
                beside.rename(target)
            finally:
                beside.unlink(missing_ok=True)
        return target

    def _head(self, file: IndexFile, local: Path) -> SiteAnswer:
        size = local.stat().st_size if local.exists() else file.size
        ranges = "bytes"
        if not size:
            with self._source.answer("HEAD", file.url, {}) as answer:
                answer.read()
                size = int(answer.headers.get("content-length") or 0)
                ranges = answer.headers.get("accept-ranges") or "none"
        more = (("content-length", str(size)), ("accept-ranges", ranges))
        return SiteAnswer(200, (*_BINARY, *more))

    def _range(self, file: IndexFile, wanted: str) -> SiteAnswer:
        """A part of a file as the index gives it: only names and requirements are read from such parts; what
        is installed is verified as a whole."""
        with self._source.answer("GET", file.url, {"range": wanted}) as answer:
            body = answer.read(_RANGE_BYTES + 1)
            if answer.status != 206 or len(body) > _RANGE_BYTES:
                return SiteAnswer(200, _BINARY, self.fetch(file))
            return SiteAnswer(
                206, (*_BINARY, ("content-range", answer.headers.get("content-range") or "")), body
            )

    def _metadata(self, file: IndexFile) -> SiteAnswer:
        if file.metadata is None:
            return _plain(404, "there is no metadata beside this file")
        with self._source.answer("GET", f"{file.url}.metadata", {}) as answer:
            body = answer.read(_METADATA_BYTES)
            whole = answer.isclosed()
        if answer.status != 200 or not whole:
            return _plain(404, "there is no metadata beside this file")
        if file.metadata and hashlib.sha256(body).hexdigest() != file.metadata:
            return _plain(502, "the metadata does not match its hash")
        return SiteAnswer(200, (("content-type", "text/plain; charset=utf-8"),), body)


_BINARY = (("content-type", "application/octet-stream"),)


def _plain(status: int, text: str) -> SiteAnswer:
    return SiteAnswer(status, (("content-type", "text/plain; charset=utf-8"),), text.encode())


def _slice(path: Path, wanted: str) -> SiteAnswer:
    size = path.stat().st_size
    match = _RANGE.fullmatch(wanted)
    if not match or not (match[1] or match[2]):
        return SiteAnswer(200, _BINARY, path)
    first = int(match[1]) if match[1] else max(0, size - int(match[2]))
    last = min(size - 1, int(match[2])) if match[1] and match[2] else size - 1
    if first > last or last - first >= _RANGE_BYTES:
        return SiteAnswer(416, (*_BINARY, ("content-range", f"bytes */{size}")))
    with path.open("rb") as file:
        file.seek(first)
        body = file.read(last - first + 1)
    return SiteAnswer(206, (*_BINARY, ("content-range", f"bytes {first}-{last}/{size}")), body)
