"""First program inside a sandbox: opens the way out, takes the job, closes every door, becomes the code.

Shipped alone as one .pyc, and little lies on the way to its first line (importing `os` is a sixth of a start).
Arguments: "listen" or "closed", the bound on processes (0: none), in a container a third (enclosed.py). Descriptors: 3
takes reports out, 4 is the job socket."""

from __future__ import annotations

import _socket
import gc
import marshal
import posix
import sys

TYPE_CHECKING = False  # importing `typing` for the real one would take longer than everything here
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any

REPORT_FD, JOB_FD = 3, 4
PROXY_PORT = 3128


def _receive(channel: _socket.socket) -> dict[str, Any]:
    """One message of the platform: its length in eight bytes, then marshal of plain values."""
    return marshal.loads(_exactly(channel, int.from_bytes(_exactly(channel, 8), "little")))  # type: ignore[no-any-return]  # noqa: S302 - from the platform, over a socket of its own


def _exactly(channel: _socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        got = channel.recv_into(view[at:])
        if not got:
            raise SystemExit("the platform went away")
        at += got
    return data


def _way_out(channel: _socket.socket) -> None:
    """A listening socket made here, in the sandbox's network, accepted on outside: no other way leads out."""
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PROXY_PORT))
    listener.listen(64)
    fd = listener.fileno().to_bytes(4, sys.byteorder)
    channel.sendmsg([b"listening"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fd)])
    listener.close()


def _unpack(archive: bytes, folder: str) -> None:
    """State of an earlier run: hostile bytes, opened nowhere but in here. Regular files below the folder only,
    by hand: tarfile's own filters came with Python 3.11.4."""
    import io
    import os
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or member.name.startswith("/") or ".." in member.name.split("/"):
                continue
            path = os.path.join(folder, member.name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content.read())


def _bound_processes(count: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (count, count))


def companion(folder: str, name: str) -> dict[str, Any]:
    """The names of another program of the platform's that lies beside this one, run on its own."""
    try:
        with open(f"{folder}/{name}.pyc", "rb") as file:
            code = marshal.loads(file.read()[16:])  # noqa: S302 - ours, read-only
    except FileNotFoundError:
        with open(f"{folder}/{name}.py", "rb") as file:
            code = compile(file.read(), name, "exec", dont_inherit=True)
    names: dict[str, Any] = {"__name__": name}
    exec(code, names)  # noqa: S102 - ours
    return names


def _make_folders(path: str) -> None:
    """As os.makedirs."""
    try:
        posix.mkdir(path)
    except FileExistsError:
        pass
    except FileNotFoundError:
        _make_folders(path.rpartition("/")[0])
        posix.mkdir(path)


def _name(values: dict[str, str]) -> None:
    """Environment variables. `os`, once it is imported, has a copy of its own; until then it will make one."""
    loaded = sys.modules.get("os")
    if loaded:
        loaded.environ.update(values)
        return
    for name, value in values.items():
        posix.putenv(name, value)
        posix.environ[name.encode()] = value.encode()


def _settle() -> None:
    """Whatever is the same everywhere. Done while the platform opens the way out: it costs a start nothing."""
    if int(sys.argv[2]):
        _bound_processes(int(sys.argv[2]))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    posix.set_inheritable(REPORT_FD, False)
    posix.set_inheritable(JOB_FD, False)
    posix.closerange(JOB_FD + 1, 4096)


def _furnish(told: dict[str, Any]) -> None:
    """Whatever is the same for every run of a version: folders, variables, the way to its modules."""
    _make_folders(told["scratch"])
    _name(told["env"])
    # the library first: a file of the code named agent.py must not hide it
    sys.path[:] = [told["lib"], told["app"], *sys.path, *told["site"]]
    sys.argv[:] = [f"{told['app']}/{told['entry']}"]


def _take(told: dict[str, Any], run: dict[str, Any]) -> None:
    """Whatever belongs to this run alone."""
    for name in ("job.json", "ca.pem"):
        with open(f"{told['scratch']}/{name}", "wb") as file:
            file.write(run[name])
    if run["state"] is not None:
        _unpack(run["state"], "state")
    for path, content in run["files"].items():
        _make_folders(path.rpartition("/")[0] or ".")
        with open(path, "wb") as file:
            file.write(content)
    _name(run["env"])


def prepare() -> tuple[CodeType | bytes, str]:
    """Do all of the above; the code (or its source) and its path, with nothing of the platform left open."""
    if sys.argv[3:]:  # in a container: nobody has put the descriptors in place
        companion(sys.argv[0].rpartition("/")[0], "enclosed")["enter"](sys.argv[3], sys.argv[1] == "relay")
    channel = _socket.socket(fileno=JOB_FD)
    if sys.argv[1] == "listen":
        _way_out(channel)
    _settle()
    told = _receive(channel)
    _furnish(told)
    chance = companion(told["runner"], "repeatable") if told["repeatable"] else None
    if chance:
        chance["install"]()
    ready = None
    if told["wait"]:
        ready = companion(told["runner"], "preload")["Preloaded"](told)
        channel.send(b"ready")
    run = _receive(channel)
    _take(told, run)
    code = ready.bind() if ready else None
    if code is None:
        with open(sys.argv[0], "rb") as file:
            code = file.read()
    gc.freeze()  # what is here now stays to the end: neither the code's collections nor the last ones go through it
    if chance:
        chance["begin"](run["seed"], run["clock"])
    # Here: whatever must hold from the code's first line on and from no earlier.
    channel.send(b"first line")
    channel.close()
    return code, sys.argv[0]


def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the error as Python does but without our own frames and without where Python lies on this machine,
    and say which bound of the sandbox it met.

    Runs when this module's names are gone: everything it needs it imports itself.
    """
    import errno
    import io
    import os
    import sys
    from contextlib import suppress

    code = error.errno if isinstance(error, OSError) else None
    names = {errno.EMFILE: "files", errno.EAGAIN: "processes", errno.ENOSPC: "disk", errno.EFBIG: "disk"}
    met = names.get(code or 0)
    if code == errno.ENOSPC and os.statvfs(".").f_favail == 0:
        met = "inodes"
    if isinstance(error, MemoryError):
        met = "memory"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        met = "processes"
    if met:
        with suppress(OSError):
            os.write(3, b'{"kind": "bound", "name": "%s"}\n' % met.encode())
    ours = sys._getframe().f_code.co_filename
    while trace and trace.tb_frame.f_code.co_filename == ours:
        trace = trace.tb_next
    shown, text = sys.stderr, io.StringIO()
    sys.stderr = text
    sys.__excepthook__(kind, error.with_traceback(trace), trace)
    sys.stderr = shown
    python = os.path.dirname(os.__file__)
    shown.write(text.getvalue().replace(f'"{python}/', '"<python>/'))


def become_main() -> CodeType:
    """Empty __main__ of everything of ours and give it the code's names; what is returned runs in it."""
    code, path = prepare()
    names = sys.modules["__main__"].__dict__
    sys.excepthook = explain
    builtins = names["__builtins__"]
    names.clear()
    names.update(__name__="__main__", __file__=path, __builtins__=builtins, __doc__=None, __package__=None)
    names.update(__loader__=None, __spec__=None, __annotations__={})
    return compile(code, path, "exec", dont_inherit=True) if isinstance(code, bytes) else code


if __name__ == "__main__":
    exec(become_main())  # noqa: S102 - running code is what it is for
