"""A package index on loopback with wheels and source archives made here; remembers who asked for what."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

LONG_AGO = datetime(2024, 3, 1, tzinfo=UTC)


def wheel(
    name: str,
    version: str = "1.0",
    files: Mapping[str, str | bytes] | None = None,
    *,
    requires: Sequence[str] = (),
    record: str | None = None,
    odd: Sequence[zipfile.ZipInfo] = (),
) -> bytes:
    """A pure wheel. record: text instead of a true one. odd: entries of unusual kinds, each holding b"x"."""
    folder = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    about += "".join(f"Requires-Dist: {one}\n" for one in requires)
    held: dict[str, bytes] = {
        **{
            k: v.encode() if isinstance(v, str) else v
            for k, v in (files or {f"{name}.py": "HERE = 1\n"}).items()
        },
        f"{folder}/METADATA": about.encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},{_digest(data)},{len(data)}" for path, data in held.items()]
    told = record if record is not None else "\n".join([*rows, f"{folder}/RECORD,,"]) + "\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {**held, f"{folder}/RECORD": told.encode()}.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), data)
        for entry in odd:
            archive.writestr(entry, b"x")
    return out.getvalue()


def source(name: str, version: str, backend: str) -> bytes:
    """A source archive whose build backend is `backend`, a module of its own."""
    top = f"{name}-{version}"
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    project += f'[project]\nname = "{name}"\nversion = "{version}"\n'
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in {"pyproject.toml": project, "backend.py": backend, "PKG-INFO": about}.items():
            entry = tarfile.TarInfo(f"{top}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


@dataclass
class Held:
    data: bytes
    uploaded: datetime | None
    lies: bool = False


@dataclass
class FakeIndex:
    """json: PEP 691 pages with times and sizes; else the older HTML ones, which tell neither."""

    json: bool = True
    files: dict[str, dict[str, Held]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    held_up: threading.Event | None = None  # no answer before it is set
    server: ThreadingHTTPServer | None = None

    def add(
        self, name: str, file_name: str, data: bytes, *, age: timedelta | None = None, lies: bool = False
    ) -> None:
        """lies: what is sent is not what the page's hash says."""
        uploaded = datetime.now(UTC) - age if age is not None else LONG_AGO
        self.files.setdefault(name, {})[file_name] = Held(data, uploaded, lies)

    def add_wheel(
        self, name: str, version: str = "1.0", *, age: timedelta | None = None, **more: object
    ) -> None:
        data = wheel(name.replace("-", "_"), version, **more)  # type: ignore[arg-type]
        self.add(name, f"{name.replace('-', '_')}-{version}-py3-none-any.whl", data, age=age)

    def add_old(self, name: str) -> None:
        """A package of several releases that nothing is odd about."""
        for version in ("0.8", "0.9", "1.0"):
            self.add_wheel(name, version)

    def start(self) -> FakeIndex:
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.index = self  # type: ignore[attr-defined]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()

    def fetched(self, ending: str = ".whl") -> list[str]:
        return [
            path.rpartition("/")[2]
            for method, path in self.asked
            if method == "GET" and path.endswith(ending)
        ]

    def page(self, name: str) -> tuple[str, bytes] | None:
        held = self.files.get(name)
        if held is None:
            return None
        hashes = {n: hashlib.sha256(one.data).hexdigest() for n, one in held.items()}
        if self.json:
            files = [
                {
                    "filename": n,
                    "url": f"../../files/{name}/{n}",
                    "hashes": {"sha256": hashes[n]},
                    "size": len(one.data),
                    **({"upload-time": one.uploaded.isoformat()} if one.uploaded else {}),
                }
                for n, one in held.items()
            ]
            body = json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files})
            return "application/vnd.pypi.simple.v1+json", body.encode()
        links = [f'<a href="../../files/{name}/{n}#sha256={hashes[n]}">{n}</a><br>' for n in held]
        return "text/html", "".join(links).encode()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked may be dead by the time of the answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        index = cast("FakeIndex", self.server.index)  # type: ignore[attr-defined]
        index.asked.append((self.command, self.path))
        if index.held_up is not None:
            index.held_up.wait(150)
        if index.down:
            self._send(503, "text/plain", b"down")
            return
        if match := re.fullmatch(r"/simple/([^/]+)/", self.path):
            page = index.page(match[1])
            self._send(200, *page) if page else self._send(404, "text/plain", b"")
        elif match := re.fullmatch(r"/files/([^/]+)/([^/]+)", self.path):
            held = index.files.get(match[1], {}).get(match[2])
            if held is None:
                self._send(404, "text/plain", b"")
                return
            self._send(200, "application/octet-stream", held.data[::-1] if held.lies else held.data)
        else:
            self._send(404, "text/plain", b"")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        cast("FakeIndex", self.server.index).asked.append((self.command, self.path))  # type: ignore[attr-defined]
        self._send(200, "text/plain", b"thanks")

    do_PUT = do_POST

    def _send(self, status: int, kind: str, body: bytes) -> None:
        first, last = 0, len(body) - 1
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))
        if status == 200 and wanted and body:
            first = int(wanted[1]) if wanted[1] else max(0, len(body) - int(wanted[2]))
            last = min(last, int(wanted[2])) if wanted[1] and wanted[2] else last
            status = 206
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("accept-ranges", "bytes")
        if status == 206:
            self.send_header("content-range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("content-length", str(last - first + 1))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[first : last + 1])
