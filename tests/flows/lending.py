"""Houses of one machine share unpacked wheels: their bytes are the index's own, and unpacking takes seconds. Jobs start
with nothing and share what the index has said.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from packaging.utils import parse_wheel_filename

from services.executor.adapters.index import installer
from services.executor.environments.pages import JSON_PAGE, project_name, write_page
from services.executor.environments.source import IndexSource
from shared.errors import NotFound, ProjectError
from shared.ids import RandomIds
from shared.runtime.settings import from_environment

SHARED = Path(__file__).parents[2] / ".cache" / "houses"


def lend_packages(data: Path) -> None:
    """Before the house opens. Nothing where the two lie on different file systems: no hard links there."""
    data.mkdir(parents=True, exist_ok=True)
    SHARED.mkdir(parents=True, exist_ok=True)
    if SHARED.stat().st_dev != data.stat().st_dev:
        return
    for name in ("wheels", "index/facts"):
        (SHARED / name).mkdir(parents=True, exist_ok=True)
        here = data / name
        here.parent.mkdir(parents=True, exist_ok=True)
        if not here.exists():
            here.symlink_to(SHARED / name)


class LentIndex:
    """This machine's package index on loopback, asked once for each page and wheel and never again: for packages that
    a lock names. url: as AB_PACKAGE_INDEX. Answers from when it is made until close."""

    def __init__(self) -> None:
        self._source = IndexSource(installer(from_environment().package_index)[1])
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                try:
                    status, kind, body = 200, *house.answer(self.path.strip("/").split("/"))
                except ProjectError as error:
                    status, kind, body = error.status, "text/plain", error.detail.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    with suppress(OSError):  # who asked is dead
                        self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._source.close()

    def answer(self, parts: list[str]) -> tuple[str, bytes]:
        """Content type and bytes. Raises: NotFound, Unavailable."""
        if parts[0] == "simple" and len(parts) == 2 and (name := project_name(parts[1])):
            return JSON_PAGE, self._kept(f"pages/{name}", lambda: self._page(name))
        if parts[0] == "files" and len(parts) == 3:
            return "application/octet-stream", self._kept(
                f"files/{parts[1]}", lambda: self._file(parts[1], parts[2])
            )
        raise NotFound("There is nothing here.")

    def _kept(self, place: str, made: Callable[[], bytes]) -> bytes:
        path = SHARED / "lent" / place
        with suppress(FileNotFoundError):
            return path.read_bytes()
        data = made()
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(RandomIds().new("tmp"))
        beside.write_bytes(data)
        beside.replace(path)
        return data

    def _page(self, name: str) -> bytes:
        project = self._source.project(name)
        if project is None:
            raise NotFound(f"There is no {name}.")
        files = tuple(replace(file, metadata=None) for file in project.files)
        return write_page(replace(project, files=files), "../..")

    def _file(self, sha256: str, name: str) -> bytes:
        project = self._source.project(str(parse_wheel_filename(name)[0]))
        for file in project.files if project else ():
            if file.sha256 == sha256:
                with tempfile.TemporaryDirectory() as folder:
                    whole = Path(folder) / sha256
                    self._source.download(file, whole, 1 << 30, lambda _done, _all: None)
                    return whole.read_bytes()
        raise NotFound(f"There is no {name}.")
