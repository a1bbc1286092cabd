"""Files that can be fetched at an address, as out of a bucket; it keeps count."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from shared.blobs.files import FileBlobs
from shared.blobs.port import UploadLink
from shared.ids import RandomIds


class LinkedBlobs(FileBlobs):
    """put_files, fetched: keys in the order in which they were. changed: what becomes of bytes that came by a link,
    once they were all there. Use as a context."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, RandomIds())
        self.put_files: list[str] = []
        self.fetched: list[str] = []
        self.changed: Callable[[bytes], bytes] = lambda data: data
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

            def do_PUT(self) -> None:
                key = self.path.strip("/").partition("?")[0]
                data = self.rfile.read(int(self.headers["Content-Length"]))
                asked = {name: self.headers.get(name, "") for name in house.signed(0)}
                if asked != house.signed(int(asked["x-goog-content-length-range"].partition(",")[2] or 0)):
                    status = 403
                elif len(data) > int(asked["x-goog-content-length-range"].partition(",")[2]):
                    status = 400
                elif house.info(key) is not None:
                    status = 412
                else:
                    status = 200
                    house.put(key, house.changed(data))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

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

    def upload_link(self, key: str, lasts_s: int, at_most_bytes: int) -> UploadLink:
        address = f"http://127.0.0.1:{self._server.server_port}/{key}?lasts={lasts_s}"
        return UploadLink(address, self.signed(at_most_bytes))

    @staticmethod
    def signed(at_most_bytes: int) -> dict[str, str]:
        return {
            "x-goog-content-length-range": f"0,{at_most_bytes}",
            "x-goog-if-generation-match": "0",
        }
