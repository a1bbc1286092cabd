"""Packages by `uv`: a lock with hashes from names, a folder of installed wheels from a lock.

Wheels only, so nothing of a package runs while it is installed (sandbox.md's supply chain rules).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from shared.errors import BadRequest, Unavailable

_TIMEOUT_S = 240  # under the five minutes a slow handler has
_MISSING = re.compile(r"[Bb]ecause ([A-Za-z0-9._-]+) was not found")
_NO_WHEEL = re.compile(r"([A-Za-z0-9._-]+)==\S+ (?:has no|.*no) (?:usable )?wheels?", re.DOTALL)
_ADDED = re.compile(r"^ \+ ([A-Za-z0-9._-]+)==(\S+)")
_OFFLINE = ("dns error", "connection refused", "timed out", "error sending request", "network", "tcp connect")


# Becomes uv after asking the kernel to end it with us: a killed platform leaves no installation going on.
_WITH_US = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9, 0, 0, 0); "
    "os.getppid() == int(sys.argv[1]) and os.execv(sys.argv[2], sys.argv[2:])"
)


class UvBuilder:
    """`uv` is the path of its program; `cache` a folder it may fill."""

    def __init__(self, uv: str, cache: Path | None = None) -> None:
        self._uv = uv
        self._cache = ["--cache-dir", str(cache)] if cache else []

    def resolve(self, packages: tuple[str, ...]) -> str:
        command = [
            "pip",
            "compile",
            "-",
            "--generate-hashes",
            "--only-binary",
            ":all:",
            "--no-annotate",
            "--no-header",
        ]
        done = self._run([*command, "--python", sys.executable, "--universal"], "\n".join(packages))
        if done.returncode != 0:
            raise self._refused(done.stderr, packages)
        return done.stdout

    def install(self, lock: str, into: Path, progress: Callable[[str], None]) -> None:
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        names = [line.split("==")[0] for line in lock.splitlines() if re.match(r"^[A-Za-z0-9]", line)]
        progress(f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''} 설치 중…")
        command = ["pip", "install", "--target", str(into), "--require-hashes", "--no-deps", "--no-build"]
        done = self._run([*command, "--python", sys.executable, "--compile-bytecode", "-r", "-"], lock)
        if done.returncode != 0:
            raise self._refused(done.stderr, tuple(names))
        for line in done.stderr.splitlines():
            added = _ADDED.match(line)
            if added:
                progress(f"{added[1]} {added[2]} 준비됨")

    def _run(self, arguments: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        start = [sys.executable, "-I", "-S", "-c", _WITH_US, str(os.getpid())]
        try:
            return subprocess.run(
                [*start, self._uv, *arguments, "--no-progress", "--color", "never", *self._cache],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                "패키지 목록 서버가 제때 답하지 않았어요. (The package index did not answer in time.)"
            ) from error

    def _refused(self, stderr: str, packages: tuple[str, ...]) -> BadRequest | Unavailable:
        text = " ".join(stderr.split())
        missing = _MISSING.search(text)
        if missing:
            name = missing[1]
            return BadRequest(
                f"{name} 패키지를 찾을 수 없어요. 이름을 확인해 주세요. (There is no package {name}; check its name.)",
                code="no_such_package",
                fields={"packages": name},
            )
        if any(sign in text.lower() for sign in _OFFLINE):
            return Unavailable("패키지 목록 서버에 닿지 않아요. (The package index cannot be reached.)")
        no_wheel = _NO_WHEEL.search(text)
        what = no_wheel[1] if no_wheel else ", ".join(packages[:5])
        return BadRequest(
            f"{what} 을(를) 설치할 수 없어요. ({what} cannot be installed: {text[-300:]})",
            code="not_installable",
            fields={"packages": what},
        )
