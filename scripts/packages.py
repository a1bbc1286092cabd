"""The project's two environments: `.venv` (Python packages) and `.venv-web` (Node, to build the page).

Both are made by pip from hash-locked files, also where `ensurepip` is missing, and are left alone for as
long as locks, interpreter and place stay the same.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from scripts.console import CannotContinue
from scripts.layout import CACHE, ROOT, VENV, WEB_VENV, digest, is_stamped, only_one, write_stamp
from scripts.tools import Registry, Tool, clean_environment

Report = Callable[[int, int, str], None]
"""(done, total, the package at hand); total 0 means not known yet."""


def _ignore(done: int, total: int, name: str) -> None:
    return None


def is_ready(target: Path, lock: str) -> bool:
    return is_stamped(target / f".{lock}.stamp", _wanted(target, lock)) and (target / "bin/python").exists()


def ensure(target: Path, lock: str, tool: Tool, report: Report = _ignore) -> Path:
    """Makes `target` hold exactly what `lock` names (a file beside the Makefile); returns its python.

    Adding a second lock to the same environment keeps the first: the locks pin the same versions.
    """
    if not is_ready(target, lock):
        with only_one(target.name.lstrip(".")):
            if not is_ready(target, lock):
                _install(target, lock, tool, report)
    return target / "bin" / "python"


def _wanted(target: Path, lock: str) -> str:
    return digest([ROOT / lock], sys.version, os.path.realpath(sys.executable), str(target))


def _install(target: Path, lock: str, tool: Tool, report: Report) -> None:
    interpreter = digest([], sys.version, os.path.realpath(sys.executable), str(target))
    lock_changed = (target / f".{lock}.stamp").exists()
    if lock_changed or not is_stamped(target / ".interpreter.stamp", interpreter):
        _create(target)
        write_stamp(target / ".interpreter.stamp", interpreter)
    total = sum("==" in line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines())
    seen = 0

    def on_line(line: str) -> None:
        nonlocal seen
        if line.startswith("Collecting "):
            seen += 1
            report(min(seen, total), total, line.split()[1].partition("==")[0])
        elif line.startswith("Installing collected"):
            report(total, total, "")

    arguments: list[str | Path] = ["--require-hashes", "--only-binary", ":all:", "-r", ROOT / lock]
    tool.run(
        f"pip-{Path(lock).stem}", [*_installer(target), *arguments], env=clean_environment(), on_line=on_line
    )
    write_stamp(target / f".{lock}.stamp", _wanted(target, lock))


def _create(target: Path) -> None:
    """`venv` is always there; only `ensurepip` is a package of its own on Debian, so pip is left out here."""
    shutil.rmtree(target, ignore_errors=True)
    try:
        venv.create(target, with_pip=False, symlinks=True)
    except OSError as problem:
        raise CannotContinue(
            f"{target} cannot be written ({problem.strerror}): "
            "clone the project into a folder of your own and start there."
        ) from problem


def _installer(target: Path) -> list[str | Path]:
    """pip from outside the environment, from a bundled copy, or uv; whichever this machine has."""
    pip = ["install", "--no-user", "--compile", "--retries", "2", "--progress-bar", "off", "--no-input"]
    python = target / "bin" / "python"
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", python, *pip, "--no-warn-script-location"]
    if importlib.util.find_spec("ensurepip"):
        tools = CACHE / "pip"
        if not (tools / "bin" / "pip").exists():
            venv.create(tools, with_pip=True, symlinks=True, clear=True)
        return [tools / "bin" / "python", "-m", "pip", "--python", python, *pip, "--no-warn-script-location"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", python, "--compile-bytecode"]
    raise CannotContinue(
        "This Python comes without pip: run 'sudo apt-get install python3-venv' (Debian, Ubuntu) "
        "or install pip for it, then start again."
    )


def ensure_runtime(tool: Tool, report: Report = _ignore) -> Path:
    return ensure(VENV, "requirements.txt", tool, report)


def ensure_dev(tool: Tool, report: Report = _ignore) -> Path:
    ensure_runtime(tool, report)
    return ensure(VENV, "requirements-dev.txt", tool, report)


_MIRROR = "npm_config_registry"
NPM = re.compile(r"http fetch GET [1-5]\d\d ")
PNPM = re.compile(r"(?:reused|downloaded) [1-9]|Already up to date|Done in")


def registry(sign: re.Pattern[str]) -> Registry:
    """Of npm and pnpm, as far as the environment names it."""
    address = os.environ.get(_MIRROR, "")
    return Registry(sign, urlsplit(address).hostname or "the npm registry")


def ensure_node(tool: Tool, report: Report = _ignore) -> Path:
    """Node, npm and pnpm; returns the folder to put in front of PATH."""
    ensure(WEB_VENV, "requirements-web.txt", tool, report)
    source = ROOT / "scripts" / "pnpm"
    home = WEB_VENV / "pnpm"
    files = [source / name for name in ("package.json", "package-lock.json", ".npmrc")]
    wanted = digest(files)
    if not is_stamped(home / ".stamp", wanted):
        home.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, home)
        report(0, 0, "pnpm")
        tool.run(
            "npm-pnpm",
            [WEB_VENV / "bin" / "npm", "install", "--no-save", "--loglevel", "http"],
            cwd=home,
            env=node_environment(),
            registry=registry(NPM),
        )
        write_stamp(home / ".stamp", wanted)
    return home / "node_modules" / ".bin"


def node_environment() -> dict[str, str]:
    """PATH finds the project's own Node and pnpm first; nothing asks questions."""
    env = clean_environment()
    folders = [WEB_VENV / "pnpm" / "node_modules" / ".bin", WEB_VENV / "bin"]
    env["PATH"] = os.pathsep.join([*map(str, folders), env.get("PATH", os.defpath)])
    if mirror := env.get(_MIRROR):  # pnpm no longer reads npm's name for it
        env.setdefault("pnpm_config_registry", mirror)
    return env | {"CI": "true", "npm_config_update_notifier": "false", "npm_config_fund": "false"}
