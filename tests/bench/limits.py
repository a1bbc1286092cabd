"""The limits of this machine: the same work with nothing of ours around it."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.executor.adapters.host import bubblewrap, interpreter
from tests.bench.application import Client

_LINE = "import time\nprint(time.time_ns())\n"
_BARE_SERVER = """
import sys
from flask import Flask
from waitress.server import create_server
app = Flask("bare")
app.add_url_rule("/", view_func=lambda: {"ok": True}, methods=["GET", "POST"])
server = create_server(app, port=0, threads=4)
print(server.effective_port, flush=True)
server.run()
"""


class BareSandbox:
    """bubblewrap and python, and nothing else: own namespaces, the system read-only, one line of code."""

    def __init__(self, folder: Path) -> None:
        found = interpreter()
        source = folder / "line.py"
        source.write_text(_LINE)
        own = (
            []
            if str(found.prefix).startswith("/usr")
            else ["--ro-bind", str(found.prefix), str(found.prefix)]
        )
        links = [
            part for name in ("bin", "lib", "lib64") for part in ("--symlink", f"usr/{name}", f"/{name}")
        ]
        self._command = [
            str(bubblewrap()), "--unshare-all", "--die-with-parent",
            "--ro-bind", "/usr", "/usr", *links, *own, "--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache",
            "--ro-bind", str(source), "/line.py", "--proc", "/proc", "--dev", "/dev",
            str(found.program), "-I", "-S", "/line.py",
        ]  # fmt: skip

    def once(self) -> float:
        """Milliseconds until its first line ran; returns when it is over."""
        begun = time.time_ns()
        done = subprocess.run(self._command, capture_output=True, check=True, close_fds=False)
        return (int(done.stdout) - begun) / 1e6

    def per_second(self, count: int, at_once: int) -> float:
        begun = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: self.once(), range(count)))
        return count / (time.perf_counter() - begun)


class BareServer:
    """Flask behind waitress in a process of its own, answering {"ok": true}."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BARE_SERVER], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.client = Client(int(self._process.stdout.readline()))

    def once(self) -> float:
        begun = time.perf_counter()
        self.client.call("POST", "/", {"input": None})
        return (time.perf_counter() - begun) * 1000

    def close(self) -> None:
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def commits_per_second(folder: Path, seconds: float) -> float:
    """One row a commit on SQLite as we set it: WAL, synchronous=NORMAL."""
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t (body) VALUES (?)", ('{"n": 1}',))
        connection.execute("COMMIT")
        count += 1
    connection.close()
    return count / (time.perf_counter() - begun)


def hand_overs(count: int) -> list[float]:
    """Milliseconds from setting an event until the thread that waits for it runs."""
    event, back, woken = threading.Event(), threading.Event(), [0.0]

    def wait() -> None:
        for _ in range(count):
            event.wait()
            woken[0] = time.perf_counter()
            event.clear()
            back.set()

    thread = threading.Thread(target=wait)
    thread.start()
    found = []
    for _ in range(count):
        time.sleep(0.002)
        begun = time.perf_counter()
        event.set()
        back.wait()
        back.clear()
        found.append((woken[0] - begun) * 1000)
    thread.join()
    return found


def loopback(count: int) -> list[float]:
    """Milliseconds for a few bytes to another thread over a TCP connection of this machine, one way."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    theirs, _address = listener.accept()
    arrived: list[float] = []

    def read() -> None:
        while theirs.recv(64):
            arrived.append(time.perf_counter())

    thread = threading.Thread(target=read)
    thread.start()
    sent = []
    for _ in range(count):
        time.sleep(0.002)
        sent.append(time.perf_counter())
        ours.sendall(b"data: 1\n\n")
    time.sleep(0.05)
    ours.close()
    thread.join()
    theirs.close()
    listener.close()
    return [(end - begin) * 1000 for begin, end in zip(sent, arrived, strict=False)]


def bare_start() -> float:
    """Seconds for python to import what no service of this kind does without, and to leave."""
    begun = time.perf_counter()
    code = "import flask, waitress, pydantic, sqlite3, ssl, asyncio"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": os.environ["PATH"]})
    return time.perf_counter() - begun


def emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
