"""Files that can be fetched at an address, as out of a bucket; it keeps count."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from shared.blobs.files import FileBlobs
from shared.ids import RandomIds


class LinkedBlobs(FileBlobs):
    """put_files, fetched: keys in the order in which they were. Use as a context."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, RandomIds())
        self.put_files: list[str] = []
        self.fetched: list[str] = []
        house = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = self.path.strip("/").partition("?")[0]
                house.fetched.append(key)
                data = house.get(key)
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put_file(self, key: str, path: Path) -> None:
        self.put_files.append(key)
        super().put_file(key, path)

    def link(self, key: str, lasts_s: int) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{key}?lasts={lasts_s}"
