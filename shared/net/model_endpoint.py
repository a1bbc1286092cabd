"""Where running agents ask a model: one host name inside the sandbox, and behind it the planner, at a socket on this
machine or as a service of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL_HOST = "model.agentbuilder.test"
"""Answered by the egress gateway alone; the name exists nowhere else (`.test` is reserved for that)."""

RUN_HEADER = "x-agentbuilder-run"
"""The header that says which run asks. The gateway sets it; one that code sends is dropped."""

PREFIX = "/model"
"""Below it the planner answers, at either place: as a service it is asked for other things as well."""

# Source: unix(7), sun_path is 108 bytes with its end.
_PATH_BYTES = 100


def socket_path(data_dir: Path) -> Path:
    """Inside a folder of mode 0700 that no sandbox has."""
    return data_dir / "model.sock"


@contextmanager
def addressed(path: Path) -> Iterator[str]:
    """The path as the system takes it, also where the data folder's name is long."""
    if len(os.fsencode(path)) <= _PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen_at(path: Path) -> socket.socket:
    """A listening socket in place of what an earlier life left there."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with addressed(path) as address:
            listening.bind(address)
        path.chmod(0o600)
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening
