"""The real application as a child process on a data folder, and a client that keeps its connection."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).parents[2]
TOKEN = "bench-owner-token"
_SLOWEST_START_S = 60
_NONE: Mapping[str, str] = MappingProxyType({})


class Served:
    """Running once made. `start_s`: from the order to start it until /readyz says yes."""

    def __init__(
        self, folder: Path, *, open_places: tuple[str, ...] = (), settings: Mapping[str, str] = _NONE
    ) -> None:
        environment = {
            k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("AB_")
        }
        environment |= {
            "AB_DATA_DIR": str(folder),
            "AB_PORT": "0",
            "AB_OWNER_TOKEN": TOKEN,
            "AB_EGRESS_ALLOW_PRIVATE": ",".join(open_places),
            **settings,
        }
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.all_in_one"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = re.search(r"http://127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if said is None:
            raise RuntimeError("the application did not say where it answers")
        self.port = int(said[1])
        while Client(self.port).status("/readyz") != 200:
            if time.perf_counter() - begun > _SLOWEST_START_S:
                raise RuntimeError("the application never became ready")
            time.sleep(0.002)
        self.start_s = time.perf_counter() - begun

    def client(self) -> Client:
        return Client(self.port)

    def stop(self) -> float:
        """Ctrl-C, as a terminal sends it; seconds until nothing is left."""
        begun = time.perf_counter()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return time.perf_counter() - begun


class Client:
    """One kept connection; not for several threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, path: str, body: object = None) -> Any:
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        kind = "application/zip" if isinstance(body, bytes) else "application/json"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, "Accept-Language": "en"}
        self._connection.request(method, path, raw, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:500]!r}")
        return json.loads(data) if data else None

    def status(self, path: str) -> int:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def wait(self, path: str, field: str, *values: str, every_s: float = 0.05, give_up_s: float = 60) -> Any:
        """Asks again until `field` has one of the values; with none given, until it has any."""
        end = time.monotonic() + give_up_s
        while True:
            found = self.call("GET", path)
            if found[field] in values or (not values and found[field]):
                return found
            if time.monotonic() > end:
                raise RuntimeError(f"{path}: {field} stayed {found[field]!r}")
            time.sleep(every_s)

    def stream(self, path: str) -> http.client.HTTPResponse:
        """An open stream of events on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        return connection.getresponse()
