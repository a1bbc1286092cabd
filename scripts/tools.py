"""Starts what setup needs (pip, npm, pnpm), keeps what it prints, and ends it with its children."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Registry:
    """How a program that fetches packages shows that somebody answers. sign: in a line it prints then; names: in its
    environment or settings, where it fetches from. Decision: who says nothing for that long will not say anything."""

    sign: re.Pattern[str]
    name: str
    patience_s: float = 20.0


class _Listening:
    """Ends a program whose registry stays silent; `done` when it has answered, or is over."""

    def __init__(self, registry: Registry | None, end: Callable[[], None]) -> None:
        self._registry = registry
        self._end = end
        self._done = threading.Event()
        self.given_up = False
        if registry is not None:
            threading.Thread(target=self._watch, args=(registry.patience_s,), daemon=True).start()

    def hear(self, line: str) -> None:
        if self._registry is not None and self._registry.sign.search(line):
            self._done.set()

    def done(self) -> None:
        self._done.set()

    def _watch(self, patience_s: float) -> None:
        if not self._done.wait(patience_s):
            self.given_up = True
            self._end()


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
        registry: Registry | None = None,
    ) -> None:
        """Output goes to `on_line` and to `.cache/<what>.log`.

        Raises: Failed, with a different sentence when the network seems to be the reason; also when nothing of the
        registry was heard for as long as it may be silent at first.
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
            listening = _Listening(registry, lambda: _kill(process))
            for line in process.stdout or ():
                lines.append(line)
                file.write(line)
                listening.hear(line)
                on_line(line.rstrip())
            listening.done()
        status = process.wait()
        with self._lock:
            self._process = None
        output = "".join(lines)
        if registry is not None and listening.given_up:
            waited = f"{registry.name} did not answer for {registry.patience_s:.0f} s"
            raise Failed(_unreachable(what, waited, log), status, output)
        if status:
            raise Failed(_sentence(what, output, log), status, output)

    def stop(self) -> None:
        """Ends what runs now and lets nothing else start; may be called from a signal handler's thread."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process and process.poll() is None:
            _kill(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _sentence(what: str, output: str, log: Path) -> str:
    shown = log.relative_to(ROOT)
    if not _NETWORK.search(output):
        lines = [line.strip() for line in output.splitlines() if line.strip() and "ELIFECYCLE" not in line]
        telling = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
        return f"Setup stopped at '{what}': {telling[-1][:200]} (everything it said: {shown})"
    tried = sorted({host for pair in _ADDRESS.findall(output) for host in pair if host})
    return _unreachable(what, f"tried {', '.join(tried[:3]) or 'the default index'}", log)


def _unreachable(what: str, how: str, log: Path) -> str:
    cure = (
        "set PIP_INDEX_URL to a mirror, or PIP_FIND_LINKS to a folder of wheels with PIP_NO_INDEX=1"
        if what.startswith("pip")
        else "set npm_config_registry to a mirror"
    )
    return (
        f"The package registry could not be reached ({how}): check the network or proxy and start "
        f"again; without a network, {cure}. Everything it said: {log.relative_to(ROOT)}"
    )
