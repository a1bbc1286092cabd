"""Builds the page in the background while the server already answers, and says how far it is.

`<data dir>/web-build.json`: {"step", "done", "total", "sentence_ko", "sentence_en", "failed"?}; the app
shows it until `web/dist/index.html` exists. Absent: nothing is being built.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from scripts.console import CannotContinue, run_command, say
from scripts.layout import (
    CACHE,
    PAGE,
    ROOT,
    WEB,
    data_dir,
    digest,
    is_stamped,
    only_one,
    page_sources,
    write_stamp,
)
from scripts.packages import PNPM, ensure_node, node_environment, registry
from scripts.tools import Tool

STEPS = {
    "node": ("화면을 만들 도구를 받고 있어요", "Fetching the tools that build the page"),
    "packages": ("화면의 준비물을 받고 있어요", "Fetching the page's packages"),
    "build": ("화면을 만들고 있어요", "Building the page"),
}
_STAMP = CACHE / "page.stamp"


def is_current() -> bool:
    """True also where there is nothing to build."""
    sources = page_sources()
    if not (WEB / "package.json").exists():
        return True
    return PAGE.exists() and is_stamped(_STAMP, digest(sources))


def start_beside(server_data: Path) -> None:
    """Starts the builder so that it ends with this process, whatever this process becomes by `exec`.

    The builder reads a pipe whose other end only this process holds: end of file means the server is gone.
    It is a grandchild, so the server never has a child it does not know.
    """
    write_status(server_data, "node")
    theirs, ours = os.pipe()
    child = os.fork()
    if child == 0:
        command = [sys.executable, "-m", "scripts.page_build", "--until-closed", str(theirs)]
        subprocess.Popen(command, cwd=ROOT, pass_fds=(theirs,), stdin=subprocess.DEVNULL)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(theirs)
    os.set_inheritable(ours, True)


def build(tool: Tool) -> None:
    """Raises: CannotContinue. Doing it twice is cheap: nothing happens when the sources are unchanged."""
    with only_one("page"):
        sources = page_sources()
        wanted = digest(sources)
        if PAGE.exists() and is_stamped(_STAMP, wanted):
            return
        data = data_dir()
        _announce(data, "node")
        pnpm = ensure_node(tool, lambda done, total, name: _announce(data, "node", name)) / "pnpm"
        env = node_environment()
        _announce(data, "packages")
        install: list[str | Path] = [pnpm, "install", "--frozen-lockfile", "--reporter", "append-only"]
        seen = _Counting(data)
        tool.run("pnpm-install", install, cwd=WEB, env=env, on_line=seen.on_line, registry=registry(PNPM))
        _announce(data, "build")
        tool.run("pnpm-build", [pnpm, "run", "build"], cwd=WEB, env=env)
        if not PAGE.exists():
            raise CannotContinue(
                "The page was built but web/dist/index.html is missing: see .cache/pnpm-build.log"
            )
        write_stamp(_STAMP, wanted)


class _Counting:
    """Packages as pnpm says it has them."""

    _progress = re.compile(r"resolved (\d+), reused (\d+), downloaded (\d+)")

    def __init__(self, data: Path) -> None:
        self._data = data

    def on_line(self, line: str) -> None:
        if found := self._progress.search(line):
            all_of_them, reused, downloaded = map(int, found.groups())
            write_status(self._data, "packages", at_hand=f"{reused + downloaded}/{all_of_them}")


def _announce(data: Path, step: str, at_hand: str = "") -> None:
    shown = f" ({at_hand})" if at_hand else ""
    say(f"  page: {STEPS[step][1].lower()}{shown} …")
    write_status(data, step, at_hand=at_hand)


def write_status(data: Path, step: str, failed: str = "", at_hand: str = "") -> None:
    """Whole file or none: readers never see half of it. at_hand: what of the step is being done."""
    names = list(STEPS)
    shown = f" ({at_hand})" if at_hand else ""
    korean, english = (f"{sentence}{shown}" for sentence in STEPS[step])
    status: dict[str, object] = {"step": step, "done": names.index(step), "total": len(names)}
    status |= {"sentence_ko": korean, "sentence_en": english}
    if failed:
        status |= {
            "failed": failed,
            "sentence_ko": f"화면을 만들지 못했어요: {failed}",
            "sentence_en": f"The page could not be built: {failed}",
        }
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = data / f"web-build.{os.getpid()}.tmp"
    fresh.write_text(json.dumps(status, ensure_ascii=False), encoding="utf-8")
    fresh.replace(data / "web-build.json")


def clear_status(data: Path) -> None:
    (data / "web-build.json").unlink(missing_ok=True)


def _end_with_owner(pipe: int, tool: Tool) -> None:
    os.read(pipe, 1)
    tool.stop()
    os._exit(0)


def main() -> int:
    options = argparse.ArgumentParser(description="Build web/dist when its sources changed.")
    options.add_argument(
        "--until-closed", type=int, default=None, help="pipe that closes when the server ends"
    )
    pipe = options.parse_args().until_closed
    tool = Tool()
    if pipe is not None:
        os.nice(10)  # the server answers people meanwhile
        threading.Thread(target=_end_with_owner, args=(pipe, tool), daemon=True).start()

    def end(number: int, frame: object) -> None:
        tool.stop()
        os._exit(128 + number)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    data = data_dir()
    try:
        build(tool)
    except CannotContinue as problem:
        write_status(data, _last_step(data), failed=str(problem))
        raise
    clear_status(data)
    say("  page: ready")
    return 0


def _last_step(data: Path) -> str:
    try:
        step = json.loads((data / "web-build.json").read_text(encoding="utf-8"))["step"]
    except (OSError, ValueError, KeyError):
        return "node"
    return step if step in STEPS else "node"


if __name__ == "__main__":
    run_command(main)
