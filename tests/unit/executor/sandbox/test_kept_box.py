"""Copying a box out of a namespace: nothing in it is followed, and bounds hold."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from services.executor.adapters.kept_box import keep
from services.executor.attempts.collector import collect


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "b" / "box" / "outputs").mkdir(parents=True)
    return tmp_path / "b"


def _keep(box: Path, *, disk_bytes: int = 1 << 20, inodes: int = 100) -> Path:
    fd = os.open(box, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return keep(fd, box.parent / "kept", disk_bytes=disk_bytes, inodes=inodes)
    finally:
        os.close(fd)


def test_files_are_copied_when_they_lie_in_outputs(box: Path) -> None:
    (box / "box/outputs/표").mkdir()
    (box / "box/outputs/표/a.csv").write_text("x")
    (box / "box/scratch.txt").write_text("not kept")

    kept = _keep(box)

    assert (kept / "outputs/표/a.csv").read_text() == "x"
    assert [path.name for path in kept.iterdir()] == ["outputs"]


def test_links_and_pipes_stay_what_they_are_when_copied(box: Path) -> None:
    (box / "box/outputs/l").symlink_to("/etc/passwd")
    os.mkfifo(box / "box/outputs/p")

    kept = _keep(box) / "outputs"

    assert str((kept / "l").readlink()) == "/etc/passwd"
    assert stat.S_ISFIFO((kept / "p").lstat().st_mode)


def test_a_folder_that_is_a_link_is_not_entered_when_copied(box: Path) -> None:
    (box / "box/state").symlink_to("/etc")

    assert (_keep(box) / "state").is_symlink()


def test_copying_stops_when_a_bound_is_reached(box: Path) -> None:
    for number in range(20):
        (box / f"box/outputs/{number}").write_bytes(bytes(100))
    (box / "box/outputs/sparse").touch()
    os.truncate(box / "box/outputs/sparse", 1 << 40)

    assert len(list((_keep(box, inodes=11) / "outputs").iterdir())) <= 10
    kept = _keep(box, disk_bytes=500)
    assert sum(path.stat().st_blocks > 0 for path in (kept / "outputs").iterdir()) <= 5


def test_the_collector_can_name_everything_it_refuses_when_a_box_was_copied(box: Path) -> None:
    outputs = box / "box/outputs"
    (outputs / "one").write_text("x")
    (outputs / "two").hardlink_to(outputs / "one")
    (outputs / "giant").touch()
    os.truncate(outputs / "giant", 1 << 40)
    (outputs / "suid").write_text("x")
    (outputs / "suid").chmod(0o4755)
    (outputs / "link").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(outputs / "socket"))
    (outputs / "good").write_text("x")

    kept = _keep(box)

    found = collect(kept / "outputs", box.parent / "copy", max_bytes=1 << 20)
    assert set(found.files) == {"good"}
    assert {problem.name: problem.code for problem in found.problems} == {
        "one": "link",
        "two": "link",
        "giant": "too_big",
        "suid": "setuid",
        "link": "link",
        "socket": "special",
    }
