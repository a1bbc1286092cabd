"""How many jobs one executor hears at once: the Run API under gunicorn as deployed, asked by jobs that send signs of
life and steps only. `python -m tests.prove.listening` prints what docs/scale.md says; no store is in it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # without types

from services.executor.adapters.remote_attempt import RemoteAttempt, Surroundings
from services.executor.ports import Order
from services.executor.routes import run_api
from services.executor.run_api.messages import REPORTS, Report, Reports, WorkAsked
from services.executor.task.reporter import _BEAT_S
from shared.clock import SystemClock
from shared.errors import NotFound
from shared.runtime.gunicorn_server import THREADS
from shared.vault.keyfile import Key, KeyfileKeyring
from shared.vault.run_tokens import AttemptTokens
from tests.contract.sandbox_runs import RecordingSink

JOBS = (50, 200, 500, 950)
_SECONDS = 15.0
_STEP_EVERY = 5  # signs of life
_INSTANCE = "prc_measured"
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _tokens() -> AttemptTokens:
    return AttemptTokens(KeyfileKeyring((Key("a", bytes(32)),)), SystemClock())


class _Desk:
    """So many attempts, all of them begun."""

    def __init__(self, folder: Path, count: int) -> None:
        (folder / "code").mkdir()
        (folder / "code" / "main.py").write_text("print(1)")
        around = Surroundings(folder / "room", "v1", "", SystemClock())
        self._tokens = _tokens()
        self._attempts = {
            f"att_{n}": RemoteAttempt(Order(f"att_{n}", folder / "code"), RecordingSink(), "job", around)
            for n in range(count)
        }
        for attempt in self._attempts.values():
            attempt.work(WorkAsked(instance=_INSTANCE, version="v1"))

    def attempt(self, token: str) -> RemoteAttempt:
        found = self._attempts.get(self._tokens.read(token))
        if found is None:
            raise NotFound("This attempt is over.")
        return found


class _Server(BaseApplication):  # type: ignore[misc]  # a class without types
    def __init__(self, web: Any, listening: socket.socket) -> None:
        self._web = web
        self._listening = listening
        super().__init__()

    def load_config(self) -> None:
        said = {"bind": f"fd://{self._listening.fileno()}", "worker_class": "gthread", "threads": THREADS}
        for name, value in {**said, "keepalive": 75, "timeout": 0, "loglevel": "error"}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._web


def _serve(folder: str, count: int, port: Any) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listening.set_inheritable(True)
    web = run_api(_Desk(Path(folder), count))
    port.send(listening.getsockname()[1])
    _Server(web, listening).run()


async def _asked(port: int, connection: _Connection | None, request: bytes) -> _Connection:
    """Answered on this connection, or on a new one where the server has closed it: gunicorn keeps some 900."""
    while True:
        reader, writer = connection or await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in answer[:20], answer
            await reader.readexactly(int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            connection = None
            continue
        return reader, writer


async def _job(port: int, number: int, until: float, took: list[float]) -> None:
    """As services/executor/task/reporter.py: the next sign of life a second after the answer to the last."""
    token = _tokens().mint(f"att_{number}", SystemClock().now() + timedelta(hours=1))
    await asyncio.sleep(number % 100 / 100 * _BEAT_S)
    connection: _Connection | None = None
    heard, sent = 0, 0
    while time.monotonic() < until:
        sent += 1
        step: tuple[Report, ...] = ()
        if sent % _STEP_EVERY == 0:
            heard += 1
            step = (Report(number=heard, kind="entry", entry={"kind": "step", "name": "가격 수집"}),)
        body = Reports(instance=_INSTANCE, reports=step).model_dump_json().encode()
        about = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}"
        begun = time.monotonic()
        connection = await _asked(
            port, connection, f"POST {REPORTS} HTTP/1.1\r\n{about}\r\n\r\n".encode() + body
        )
        took.append(time.monotonic() - begun)
        await asyncio.sleep(_BEAT_S)
    if connection is not None:
        connection[1].close()


async def _jobs(port: int, count: int) -> list[float]:
    took: list[float] = []
    until = time.monotonic() + _SECONDS
    await asyncio.gather(*(_job(port, number, until, took) for number in range(count)))
    return sorted(took)


def measured(count: int) -> str:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        server = spawn.Process(target=_serve, args=(folder, count, theirs))
        server.start()
        try:
            took = asyncio.run(_jobs(ours.recv(), count))
        finally:
            server.terminate()
            server.join()
    p50, p95, worst = (took[min(len(took) - 1, int(len(took) * q))] * 1000 for q in (0.5, 0.95, 1.0))
    return f"{count} | {len(took) / _SECONDS:,.0f} | {p50:,.0f} | {p95:,.0f} | {worst:,.0f}"


def main() -> int:
    print("jobs | requests a second | p50 ms | p95 ms | longest ms")
    for count in JOBS:
        print(measured(count), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
