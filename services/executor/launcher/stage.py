"""A sandbox's root, laid out in mounts of its own before bubblewrap starts.

bubblewrap reads the list of all mounts after each one it makes. So it is asked for few: everything of ours (and
/dev) lies ready below one folder, which it takes as a whole. What belongs to the machine it still binds itself,
with whatever is mounted below.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from services.executor.launcher import boxes, kernel
from services.executor.launcher.protocol import Machine, Spec

# Always there, open to all, and nothing below it is wanted; it is covered in the sandbox's own namespace only.
STAGE = "/sys"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEV_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
_SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_PLAIN = kernel.MS_NOSUID | kernel.MS_NODEV
_KEPT = os.ST_RDONLY | os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC  # the same numbers as MS_*


@dataclass(frozen=True)
class Stage:
    """Where things are for bubblewrap, which cannot enter the folders (a home of mode 0700) they came from.
    options: what is left for it to mount."""

    root: str
    runtime: str
    options: tuple[str, ...]


def lay_out(machine: Machine, spec: Spec, box: str) -> Stage:
    """Call in a mount namespace of the sandbox's own, before changing users."""
    with suppress(OSError):  # an ordinary user may not, and covers it
        kernel.unmount(STAGE)
    kernel.mount("stage", STAGE, "tmpfs", _PLAIN, "size=64k,mode=0755")
    root, runtime, prefix = f"{STAGE}/root", f"{STAGE}/runtime", f"{STAGE}/prefix"
    for name in ("", "/usr", "/proc", "/dev", "/dev/pts"):
        os.mkdir(root + name, 0o755)
    _bind(f"{machine.root}/runtime", runtime)
    options = ["--dev-bind", root, "/", *_of_the_machine(root)]
    if not machine.prefix.startswith("/usr"):
        os.makedirs(root + machine.prefix)
        _bind(machine.prefix, prefix)
        options += ["--ro-bind", prefix, machine.prefix]
    for path in machine.hidden:
        options += ["--ro-bind", f"{runtime}/empty", path]
    _devices(root)
    _bind(f"{runtime}/etc", f"{root}/etc")
    _bind(f"{runtime}/guest", f"{root}/runner")
    for part, inside in boxes.PARTS.items():
        _bind(f"{box}/{part}", root + inside, writable=True)
    for host, inside in spec.mounts:
        _bind(host, root + inside)
    for host, inside in spec.writable:
        _bind(host, root + inside, writable=True)
    options += ["--proc", "/proc", "--ro-bind", f"{runtime}/init", "/proc/1", "--remount-ro", "/"]
    return Stage(root, runtime, tuple(options))


def drop(machine: Machine) -> None:
    """Take the machine's other mounts out of this namespace. A copy of another sandbox's box would keep its
    memory after it is gone, and every mount makes bubblewrap's reading longer."""
    for point in (f"{machine.root}/boxes", *machine.unneeded):
        with suppress(OSError):  # gone meanwhile, or with one above it
            kernel.unmount(point)


def _of_the_machine(root: str) -> list[str]:
    options = ["--ro-bind", "/usr", "/usr"]
    for path in _SYSTEM_LINKS:
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            os.mkdir(root + path)
            options += ["--ro-bind", path, path]
    return options


def _devices(root: str) -> None:
    for name in _DEVICES:
        _touch(f"{root}/dev/{name}")
        kernel.mount(f"/dev/{name}", f"{root}/dev/{name}", flags=kernel.MS_BIND)
    for name, target in _DEV_LINKS.items():
        os.symlink(target, f"{root}/dev/{name}")
    kernel.mount(
        "devpts",
        f"{root}/dev/pts",
        "devpts",
        kernel.MS_NOSUID | kernel.MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )


def _bind(source: str, target: str, *, writable: bool = False) -> None:
    """A folder or a file, with all that is mounted below; where it goes is made."""
    if os.path.isdir(source):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
        _touch(target)
    kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
    flags = _PLAIN | (0 if writable else kernel.MS_RDONLY) | os.statvfs(target).f_flag & _KEPT
    kernel.mount("", target, flags=kernel.MS_BIND | kernel.MS_REMOUNT | flags)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
