"""What code left behind is hostile: only plain files come out, and never more than fits."""

from __future__ import annotations

import io
import os
import socket
import tarfile
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.attempts.collector import Collected, Walk, archive, collect, name_problem

PLENTY = 1 << 20


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def taken(box: Path, tmp_path: Path, max_bytes: int = PLENTY) -> Collected:
    return collect(box, tmp_path / "copy", max_bytes=max_bytes)


def told(found: Collected) -> dict[str, str]:
    return {problem.name: problem.code for problem in found.problems}


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
    assert not found.folder.exists()


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
    assert told(found) == {"dangling": "link", "file.txt": "link", "folder": "link", "hard.txt": "link"}
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
    assert told(found) == dict.fromkeys(made, "special")


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
    assert told(found) == {"1/2/3/4/5/6": "too_deep"}


def test_what_is_over_the_size_limit_is_left_out_and_leaves_no_piece(box: Path, tmp_path: Path) -> None:
    (box / "a").write_bytes(b"x" * 60)
    (box / "b").write_bytes(b"x" * 50)
    (box / "c").write_bytes(b"x" * 40)
    found = taken(box, tmp_path, max_bytes=100)
    assert found.files == {"a": 60, "c": 40}
    assert told(found) == {"b": "too_big"}
    assert sorted(path.name for path in found.folder.iterdir()) == ["a", "c"]


def test_a_huge_file_without_content_is_not_copied(box: Path, tmp_path: Path) -> None:
    with (box / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    found = taken(box, tmp_path)
    assert found.files == {}
    assert told(found) == {"sparse": "too_big"}
    assert list(found.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b".hidden", "hidden"),
        (b"-rf", "dash"),
        (b"new\nline", "odd_name"),
        (b"es\x1bcape", "odd_name"),
        (b"\xff\xfe.txt", "odd_name"),
        ("right\u202eleft.txt".encode(), "odd_name"),
        ("isolate\u2067x.txt".encode(), "odd_name"),
        ("zero\u200bwidth".encode(), "odd_name"),
        ("line\u2028end".encode(), "odd_name"),
        ("private\ue000".encode(), "odd_name"),
        (b"x" * 181, "long_name"),
        ("가".encode() * 61, "long_name"),
        (b"CON", "unfit_name"),
        (b"nul.txt", "unfit_name"),
        (b"COM1.tar.gz", "unfit_name"),
        (b"ends with dot.", "unfit_name"),
        (b"ends with space ", "unfit_name"),
        (b" begins with space", "unfit_name"),
        (b"back\\slash", "unfit_name"),
        (b"..\\..\\evil", "hidden"),
        (b'quo"te', "unfit_name"),
    ],
)
def test_a_name_that_could_deceive_is_left_out_and_shown_harmlessly(
    box: Path, tmp_path: Path, name: bytes, code: str
) -> None:
    with open(os.path.join(os.fsencode(box), name), "wb") as file:  # noqa: PTH118 - names that are no text
        file.write(b"x")
    (box / "good.txt").write_text("x")
    found = taken(box, tmp_path)
    assert found.files == {"good.txt": 1}
    (problem,) = found.problems
    assert problem.code == code
    assert problem.name.isprintable()
    assert len(problem.name) <= 80
    for sentence in (problem.sentence("ko"), problem.sentence("en")):
        assert sentence.isprintable()
        assert sentence.endswith(".")


def test_names_that_differ_in_case_or_composition_only_are_all_left_out(box: Path, tmp_path: Path) -> None:
    for name in (
        "A.txt",
        "a.txt",
        "보고.md",
        unicodedata.normalize("NFD", "보고.md"),
        "b.txt",
        "straße",
        "STRASSE",
    ):
        (box / name).write_text(name)
    (box / "Folder").mkdir()
    (box / "folder").mkdir()
    (box / "folder" / "inside.txt").write_text("x")
    found = taken(box, tmp_path)
    assert set(found.files) == {"b.txt"}
    assert {problem.code for problem in found.problems} == {"twin"}
    assert len(found.problems) == 8


def test_korean_in_decomposed_characters_is_kept_composed_but_not_in_a_state(
    box: Path, tmp_path: Path
) -> None:
    (box / unicodedata.normalize("NFD", "보고서")).mkdir()
    (box / unicodedata.normalize("NFD", "보고서") / unicodedata.normalize("NFD", "표.csv")).write_text("x")
    found = taken(box, tmp_path)
    assert (found.files, found.problems) == ({"보고서/표.csv": 1}, [])
    assert (found.folder / "보고서" / "표.csv").read_text() == "x"

    state = collect(box, tmp_path / "state", max_bytes=PLENTY, compose=False)
    assert (state.files, [problem.code for problem in state.problems]) == ({}, ["not_composed"])


def test_files_that_would_pass_on_rights_are_left_out(box: Path, tmp_path: Path) -> None:
    for name, mode in (("suid", 0o4755), ("sgid", 0o2755), ("plain", 0o755)):
        (box / name).write_text("x")
        (box / name).chmod(mode)
    found = taken(box, tmp_path)
    assert told(found) == {"suid": "setuid", "sgid": "setuid"}
    assert (found.folder / "plain").stat().st_mode & 0o7111 == 0


def test_a_file_that_changes_while_it_is_read_is_left_out_whole(box: Path, tmp_path: Path) -> None:
    (box / "a").write_text("x")
    found = Collected(tmp_path)
    with (box / "a").open("rb") as file:
        before = os.fstat(file.fileno())
        (box / "a").write_text("more")
        Walk(found, PLENTY, compose=True).copy(file.fileno(), before, "a", tmp_path / "copied")
    assert (told(found), found.files, (tmp_path / "copied").exists()) == ({"a": "changed"}, {}, False)


def test_paths_that_are_too_long_together_are_left_out(box: Path, tmp_path: Path) -> None:
    deep = box
    for _ in range(4):
        deep = deep / ("x" * 160)
        deep.mkdir()
    found = taken(box, tmp_path)
    assert [problem.code for problem in found.problems] == ["long_name"]
    assert len(found.problems[0].name) == 80


KINDS = st.sampled_from(["file", "big", "folder", "link", "loop", "pipe", "hard", "suid", "sparse"])
NAMES = st.sampled_from(
    [
        "a",
        "A",
        "b.txt",
        "보고",
        unicodedata.normalize("NFD", "보고"),
        "CON",
        "-x",
        ".h",
        "x" * 200,
        "\u202e",
        "…",
        "é",
    ]
) | st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=12)
TREES = st.recursive(
    st.dictionaries(NAMES, KINDS, max_size=6),
    lambda below: st.dictionaries(NAMES, KINDS | below, max_size=5),
    max_leaves=20,
)


def plant(tree: dict[str, Any], folder: Path, secret: Path) -> None:
    for name, what in tree.items():
        if name in (".", "..") or len(name.encode()) > 255:
            continue
        path = folder / name
        if isinstance(what, dict) or what == "folder":
            path.mkdir()
            plant(what if isinstance(what, dict) else {}, path, secret)
        elif what in ("file", "big", "suid"):
            path.write_bytes(b"x" * (3000 if what == "big" else 10))
            path.chmod(0o4755 if what == "suid" else 0o644)
        elif what == "sparse":
            path.touch()
            os.truncate(path, 1 << 36)
        elif what == "pipe":
            os.mkfifo(path)
        elif what == "hard":
            path.hardlink_to(secret)
        else:
            path.symlink_to(secret if what == "link" else folder)


@given(TREES)
@settings(max_examples=150)
def test_whatever_tree_is_left_only_plain_named_files_come_out_and_everything_else_is_named(
    tree: dict[str, Any],
) -> None:
    with tempfile.TemporaryDirectory() as place:
        box, secret = Path(place) / "box", Path(place) / "secret"
        box.mkdir()
        secret.write_text("s3cret")
        plant(tree, box, secret)
        found = collect(box, Path(place) / "copy", max_bytes=8000)

        on_disk = [path for path in found.folder.rglob("*") if not path.is_dir()]
        assert {str(path.relative_to(found.folder)) for path in on_disk} == set(found.files)
        assert all(path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1 for path in on_disk)
        assert all(b"s3cret" not in path.read_bytes() for path in on_disk)
        assert sum(found.files.values()) <= 8000
        assert len({name.casefold() for name in found.files}) == len(found.files)
        for name in found.files:
            assert unicodedata.is_normalized("NFC", name)
            assert all(name_problem(part) is None for part in name.split("/"))
        planted = sum(1 for path in box.rglob("*") if path.is_symlink() or not path.is_dir())
        if planted > len(found.files):
            assert found.problems
        with tarfile.open(fileobj=io.BytesIO(archive(found))) as tar:
            assert [member.name for member in tar] == sorted(found.files)
            assert all(member.isreg() and not member.linkname for member in tar)


def test_thousands_of_files_are_cut_and_the_complaints_as_well(box: Path, tmp_path: Path) -> None:
    for number in range(3000):
        (box / f"{number:04d}-{'x' * 150}").write_bytes(b"x")
    found = taken(box, tmp_path)
    assert len(found.files) == 200
    assert 1 <= len(found.problems) <= 20
    assert found.problems[0].code == "too_many"


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
