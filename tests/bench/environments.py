"""Packages: an environment from wheels that are here, and what one that is ready adds to a run's start."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from uv import find_uv_bin

from tests.bench.figures import Limit, Row, Samples
from tests.workshop import Workshop

WANTED = ("pandas", "requests", "beautifulsoup4")


def measure(folder: Path, count: int) -> list[Row]:
    """Asks the machine's package index once for what is not in `folder` yet."""
    shop = Workshop(folder / "data")
    linked, ready, judged, peer = [], [], [], []
    try:
        shop.builder.close()
        begun = time.perf_counter()
        found = shop.built(*WANTED)
        first = (time.perf_counter() - begun) * 1000
        place = shop.root / "environments" / found.environment_id
        lock = folder / "requirements.lock"
        lock.write_text(found.lock)
        _install(lock, folder, offline=False)
        for _ in range(count):
            shutil.rmtree(place)
            linked.append(_ms(lambda: shop.build(lock=found.lock)))
            judged.append(_ms(lambda: shop.build(lock=found.lock)))
            ready.append(_ms(lambda: shop.builder.ready(found.environment_id)))
            peer.append(_ms(lambda: _install(lock, folder, offline=True)))
    finally:
        shop.close()
    names = ", ".join(WANTED)
    limit = Limit("`uv pip install` from its warm cache, not compiled", Samples.of(peer))
    return [
        Row(f"environment ({names}): names → ready, nothing here yet", Samples.of([first])),
        Row("environment: lock → ready, its wheels in the store", Samples.of(linked), limit, target=400),
        Row("environment: lock of one that is ready, judged again", Samples.of(judged)),
        Row("environment: what a ready one adds to a start", Samples.of(ready), target=2),
    ]


def _ms(what: object) -> float:
    assert callable(what)
    begun = time.perf_counter()
    what()
    return (time.perf_counter() - begun) * 1000


def _install(lock: Path, folder: Path, *, offline: bool) -> None:
    target = folder / "peer"
    shutil.rmtree(target, ignore_errors=True)
    command = [
        find_uv_bin(),
        "pip",
        "install",
        "--quiet",
        "--target",
        str(target),
        "--python",
        sys.executable,
    ]
    command += ["--require-hashes", "--no-deps", "--no-build", "--cache-dir", str(folder / "cache")]
    subprocess.run([*command, *(["--offline"] if offline else []), "-r", str(lock)], check=True)
