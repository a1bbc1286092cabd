"""What code left behind is hostile: only plain files come out, and never more than fits."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from services.executor.attempts.collector import Collected, archive, collect

PLENTY = 1 << 20


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def taken(box: Path, tmp_path: Path, max_bytes: int = PLENTY) -> Collected:
    return collect(box, tmp_path / "copy", max_bytes=max_bytes)


def test_plain_files_are_copied_with_size_and_hash(box: Path, tmp_path: Path) -> None:
    (box / "보고서.md").write_text("새 상품")
    (box / "in" / "side").mkdir(parents=True)
    (box / "in" / "side" / "items.csv").write_bytes(b"a,b\n")
    (box / "empty.txt").write_bytes(b"")
    found = taken(box, tmp_path)
    assert found.problems == []
    assert found.files == {"보고서.md": 10, "empty.txt": 0, "in/side/items.csv": 4}
    assert (found.folder / "in" / "side" / "items.csv").read_bytes() == b"a,b\n"
    assert found.hashes["empty.txt"].startswith("e3b0c442")


def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    found = taken(tmp_path / "nowhere", tmp_path)
    assert (found.files, found.problems) == ({}, [])
    assert found.folder.is_dir()


def test_a_link_leads_nowhere(box: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("s3cret")
    (box / "file.txt").symlink_to(secret / "key")
    (box / "folder").symlink_to(secret)
    (box / "dangling").symlink_to("/nowhere")
    (box / "hard.txt").hardlink_to(secret / "key")
    found = taken(box, tmp_path)
    assert found.files == {}
    assert sorted(problem.split(":")[0] for problem in found.problems) == [
        "dangling",
        "file.txt",
        "folder",
        "hard.txt",
    ]
    assert list(found.folder.iterdir()) == []


def test_a_box_that_is_itself_a_link_or_a_file_is_an_empty_one(box: Path, tmp_path: Path) -> None:
    (box / "file.txt").write_text("x")
    (tmp_path / "link").symlink_to(box)
    assert taken(tmp_path / "link", tmp_path).files == {}
    assert taken(box / "file.txt", tmp_path).files == {}


@pytest.mark.timeout(20)
def test_pipes_sockets_and_devices_are_left_out_and_hold_nobody_up(box: Path, tmp_path: Path) -> None:
    os.mkfifo(box / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(box / "socket"))
        (box / "good.txt").write_text("x")
        made = ["pipe", "socket"]
        if os.geteuid() == 0:
            os.mknod(box / "zero", 0o666 | 0o020000, os.makedev(1, 5))
            made.append("zero")
        found = taken(box, tmp_path)
    assert found.files == {"good.txt": 1}
    assert sorted(problem.split(":")[0] for problem in found.problems) == made
    assert all("not a regular file" in problem for problem in found.problems)


def test_a_deep_tree_is_cut_where_it_is_too_deep(box: Path, tmp_path: Path) -> None:
    deep = box
    for level in range(1, 9):
        deep = deep / str(level)
        deep.mkdir()
        (deep / "file").write_text("x")
    found = taken(box, tmp_path)
    assert sorted(found.files) == [
        "1/2/3/4/5/file",
        "1/2/3/4/file",
        "1/2/3/file",
        "1/2/file",
        "1/file",
    ]
    assert found.problems == ["1/2/3/4/5/6: too deep"]


def test_what_is_over_the_size_limit_is_left_out_and_leaves_no_piece(box: Path, tmp_path: Path) -> None:
    (box / "a").write_bytes(b"x" * 60)
    (box / "b").write_bytes(b"x" * 50)
    (box / "c").write_bytes(b"x" * 40)
    found = taken(box, tmp_path, max_bytes=100)
    assert found.files == {"a": 60, "c": 40}
    assert found.problems == ["b: over the size limit"]
    assert sorted(path.name for path in found.folder.iterdir()) == ["a", "c"]


def test_a_huge_file_without_content_is_not_copied(box: Path, tmp_path: Path) -> None:
    with (box / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    found = taken(box, tmp_path)
    assert found.files == {}
    assert found.problems == ["sparse: over the size limit"]
    assert list(found.folder.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        b".hidden",
        b"new\nline",
        b"es\x1bcape",
        b"\xff\xfe.txt",
        "right\u202eleft.txt".encode(),
        "zero\u200bwidth".encode(),
        b"x" * 181,
        "가".encode() * 61,
    ],
    ids=["hidden", "newline", "escape", "no-utf8", "direction", "invisible", "long", "long-korean"],
)
def test_a_name_that_could_deceive_is_left_out_and_shown_harmlessly(
    box: Path, tmp_path: Path, name: bytes
) -> None:
    with open(os.path.join(os.fsencode(box), name), "wb") as file:  # noqa: PTH118 - names that are no text
        file.write(b"x")
    found = taken(box, tmp_path)
    assert found.files == {}
    (problem,) = found.problems
    assert problem.endswith("unusual name")
    assert problem.isascii()
    assert problem.isprintable()
    assert len(problem) < 120


def test_thousands_of_files_are_cut_and_the_complaints_as_well(box: Path, tmp_path: Path) -> None:
    for number in range(3000):
        (box / f"{number:04d}-{'x' * 150}").write_bytes(b"x")
    found = taken(box, tmp_path)
    assert len(found.files) == 200
    assert 1 <= len(found.problems) <= 20
    assert "more than 200 files" in found.problems[0]


def test_the_archive_is_equal_for_equal_content_whatever_its_age_and_owner(box: Path, tmp_path: Path) -> None:
    (box / "b").write_text("2")
    (box / "a").write_text("1")
    one = archive(collect(box, tmp_path / "one", max_bytes=PLENTY))
    os.utime(box / "a", (0, 0))
    (box / "b").chmod(0o755)
    other = archive(collect(box, tmp_path / "other", max_bytes=PLENTY))
    assert one == other
    with tarfile.open(fileobj=io.BytesIO(one)) as tar:
        assert [(member.name, member.mtime, member.uid) for member in tar] == [("a", 0, 0), ("b", 0, 0)]
    (box / "a").write_text("3")
    assert archive(collect(box, tmp_path / "third", max_bytes=PLENTY)) != one
