"""First program inside a sandbox: opens the way out, takes the job, closes every door, becomes the code.

Shipped alone as one .pyc, and only built-in and frozen modules lie on the way to the first line (`json`,
`socket` and `tarfile` would cost more than all the rest). Arguments: "listen" or "closed", and the bound on
processes (0: none). Descriptors: 3 takes reports out, 4 is the job socket.
"""

from __future__ import annotations

import _socket
import marshal
import os
import sys

TYPE_CHECKING = False  # importing `typing` for the real one would take longer than everything here
if TYPE_CHECKING:
    from types import CodeType, TracebackType

REPORT_FD, JOB_FD = 3, 4
PROXY_PORT = 3128


def _receive(channel: _socket.socket) -> bytes:
    """Everything until the platform closes its sending half."""
    parts = []
    while part := channel.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


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


def prepare() -> tuple[bytes, str]:
    """Do all of the above; source and path of the code, with nothing of the platform left open."""
    channel = _socket.socket(fileno=JOB_FD)
    if sys.argv[1] == "listen":
        _way_out(channel)
    job = marshal.loads(_receive(channel))  # noqa: S302 - from the platform, over a socket of its own
    if int(sys.argv[2]):
        _bound_processes(int(sys.argv[2]))
    os.makedirs(job["scratch"], exist_ok=True)
    for name in ("job.json", "ca.pem"):
        with open(f"{job['scratch']}/{name}", "wb") as file:
            file.write(job[name])
    if job["state"] is not None:
        _unpack(job["state"], "state")
    os.environ.update(job["env"])
    # the library first: a file of the code named agent.py must not hide it
    sys.path[:] = [job["lib"], job["app"], *sys.path, *job["site"]]
    sys.argv[:] = [f"{job['app']}/{job['entry']}"]
    with open(sys.argv[0], "rb") as file:
        source = file.read()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.set_inheritable(REPORT_FD, False)
    channel.send(b"first line")
    channel.close()
    os.closerange(JOB_FD, 4096)
    return source, sys.argv[0]


def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the error as Python does but without our own frames, and say which bound of the sandbox it met.

    Runs when this module's names are gone: everything it needs it imports itself.
    """
    import errno
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
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def become_main() -> CodeType:
    """Empty __main__ of everything of ours and give it the code's names; what is returned runs in it."""
    source, path = prepare()
    names = sys.modules["__main__"].__dict__
    sys.excepthook = explain
    builtins = names["__builtins__"]
    names.clear()
    names.update(__name__="__main__", __file__=path, __builtins__=builtins, __doc__=None, __package__=None)
    names.update(__loader__=None, __spec__=None, __annotations__={})
    return compile(source, path, "exec", dont_inherit=True)


if __name__ == "__main__":
    exec(become_main())  # noqa: S102 - running code is what it is for
