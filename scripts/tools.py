"""Starts what setup needs (pip, npm, pnpm), keeps what it prints, and ends it with its children."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.console import CannotContinue
from scripts.layout import CACHE, ROOT

# Settings of a person's shell that would send packages elsewhere or leave imports uncompiled.
_UNWANTED = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONHOME",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_NO_COMPILE",
)
_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Max retries|Temporary failure|timed out|ProxyError|SSLError"
    r"|Could not fetch URL|Connection refused|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET"
    r"|network is unreachable|No matching distribution",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://(?:[^@/\s]*@)?([^/\s'\"),]+)|host='([^']+)'")


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without the settings that break setup; `HOME` is always writable."""
    env = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    home = env.get("HOME", "")
    if not home or not os.access(home, os.W_OK | os.X_OK):
        env["HOME"] = str(CACHE / "home")
        Path(env["HOME"]).mkdir(parents=True, exist_ok=True)
    return env | extra


class Failed(CannotContinue):
    """A program ended with `status`; the text says which and what may help, `output` all it printed."""

    def __init__(self, sentence: str, status: int, output: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.output = output


class Tool:
    """One program at a time, in a session of its own, so that `stop` reaches everything it started."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        what: str,
        command: Sequence[str | Path],
        *,
        cwd: Path = ROOT,
        env: dict[str, str] | None = None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Output goes to `on_line` and to `.cache/<what>.log`.

        Raises: Failed, with a different sentence when the network seems to be the reason.
        """
        log = CACHE / f"{what}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._stopped:
                raise CannotContinue(f"{what} was stopped.")
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=env or clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        lines: list[str] = []
        with self._process as process, open(log, "w", encoding="utf-8") as file:
            for line in process.stdout or ():
                lines.append(line)
                file.write(line)
                on_line(line.rstrip())
        status = process.wait()
        with self._lock:
            self._process = None
        if status:
            output = "".join(lines)
            raise Failed(_sentence(what, output, log), status, output)

    def stop(self) -> None:
        """Ends what runs now and lets nothing else start; may be called from a signal handler's thread."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)


def _sentence(what: str, output: str, log: Path) -> str:
    shown = log.relative_to(ROOT)
    if not _NETWORK.search(output):
        lines = [line.strip() for line in output.splitlines() if line.strip() and "ELIFECYCLE" not in line]
        telling = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
        return f"Setup stopped at '{what}': {telling[-1][:200]} (everything it said: {shown})"
    tried = sorted({host for pair in _ADDRESS.findall(output) for host in pair if host})
    named = ", ".join(tried[:3]) or "the default index"
    cure = (
        "set PIP_INDEX_URL to a mirror, or PIP_FIND_LINKS to a folder of wheels with PIP_NO_INDEX=1"
        if what.startswith("pip")
        else "set npm_config_registry to a mirror"
    )
    return (
        f"The package registry could not be reached (tried {named}): check the network or proxy and start "
        f"again; without a network, {cure}. Everything it said: {shown}"
    )
