"""Every case of the corpus on every backend this machine has; `--write` puts the table into docs/security.md.

`python -m tests.prove.corpus [--backend gvisor] [--only CASE …] [--write]`
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.contained import ContainedSandbox
from services.executor.adapters.docker import DockerEngine
from services.executor.adapters.gvisor import GvisorEngine
from services.executor.ports import Sandbox
from services.executor.siege.cases import Case, read
from services.executor.siege.doctor import Progress
from services.executor.siege.judge import Found, Judge
from tests.contract.remote_sandbox import RemoteHouse
from tests.docker_daemon import daemon

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- corpus -->", "<!-- /corpus -->"
BACKENDS = ("bubblewrap", "docker", "gvisor", "cloud_run")


@contextmanager
def _opened(backend: str, folder: Path) -> Iterator[Sandbox]:
    if backend == "docker":
        with daemon() as address:
            sandbox: Sandbox = ContainedSandbox(folder, DockerEngine(address))
            try:
                yield sandbox
            finally:
                sandbox.close()
        return
    if backend == "cloud_run":
        house = RemoteHouse(folder)
        try:
            yield house.sandbox
        finally:
            house.close()
        return
    sandbox = ContainedSandbox(folder, GvisorEngine()) if backend == "gvisor" else BubblewrapSandbox(folder)
    try:
        yield sandbox
    finally:
        sandbox.close()


def tried(backend: str, cases: Sequence[Case]) -> list[Found]:
    """Raises RuntimeError, with the cure, where the backend does not work."""
    with tempfile.TemporaryDirectory(prefix="ab-corpus-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _opened(backend, folder / "sandbox") as sandbox:
            missing = sandbox.enforcement().missing
            if "all" in missing:
                raise RuntimeError(missing["all"])
            progress = Progress(len(cases), lambda line: print(line, flush=True))
            return Judge(sandbox, folder / "siege", backend, at_once=2).try_all(cases, progress.heard)


def table(found: dict[str, list[Found]]) -> str:
    """Rows: classes. Columns: held of tried, for each backend."""
    classes = sorted({one.case.category for group in found.values() for one in group})
    lines = ["| class | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for name in [*classes, ""]:
        cells = []
        for group in found.values():
            mine = [one for one in group if name in ("", one.case.category)]
            cells.append(f"{sum(one.held for one in mine)}/{len(mine)}")
        lines.append(f"| {name or '**all**'} | " + " | ".join(cells) + " |")
    out = [str(sum(one.verdict == "ESCAPED" for one in group)) for group in found.values()]
    return "\n".join([*lines, "| **ESCAPED** | " + " | ".join(out) + " |"])


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--backend", choices=BACKENDS, action="append")
    options.add_argument("--only", nargs="*", default=[])
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args(arguments)
    os.environ["SBX_CANARY_SECRET"] = "canary"
    cases = [case for case in read() if not chosen.only or case.id in chosen.only]
    found: dict[str, list[Found]] = {}
    for backend in chosen.backend or BACKENDS:
        print(f"{backend}: {len(cases)} cases", flush=True)
        found[backend] = tried(backend, cases)
    print(table(found))
    if chosen.write:
        before, _begin, rest = PAGE.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}")
    return 0 if all(one.held for group in found.values() for one in group) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
