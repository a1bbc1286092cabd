"""A disk that never held an environment knows how to make it; what is one workspace's own stays where it is."""

from __future__ import annotations

from pathlib import Path

from services.executor.environments.cache import Cache
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock
from shared.ids import SeededIds

LOCK = "six==1.17.0 \\\n    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"


def on_a_disk(disk: Path, kept: FileBlobs) -> Cache:
    return Cache(disk, FakeClock(), 1 << 30, kept)


def test_another_disk_knows_what_everybody_may_use_and_no_more(tmp_path: Path) -> None:
    kept = FileBlobs(tmp_path / "bucket", SeededIds())
    first = on_a_disk(tmp_path / "first", kept)
    first.remember("env_all", LOCK, "")
    first.remember("env_own", LOCK, "wsp_1")

    second = on_a_disk(tmp_path / "second", kept)

    assert second.recipe("env_all") == (LOCK, "")
    assert second.recipe("env_own") == (None, "")
    assert second.recipe("env_never") == (None, "")
    assert first.recipe("env_own") == (LOCK, "wsp_1")
