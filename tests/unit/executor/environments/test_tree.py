"""What a builder sandbox may leave: plain files as the record says, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.executor.environments.programs.layout import Refused, place
from services.executor.environments.tree import check
from shared.errors import BadRequest

COMPILED = "__pycache__/a." + __import__("sys").implementation.cache_tag + ".pyc"


def digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "a-1.dist-info").mkdir(parents=True)
    (root / "__pycache__").mkdir()
    (root / "a.py").write_bytes(b"A = 1\n")
    (root / COMPILED).write_bytes(b"compiled")
    (root / "a-1.dist-info" / "RECORD").write_text(
        f"a.py,{digest(b'A = 1' + bytes([10]))},6\na-1.dist-info/RECORD,,\n"
    )
    return root


def test_files_as_recorded_and_what_was_compiled_from_them_pass(site: Path) -> None:
    found = check(site, max_bytes=1000, max_files=10)
    assert found.files == ("__pycache__/" + COMPILED.split("/")[1], "a-1.dist-info/RECORD", "a.py")
    assert (site / "a.py").stat().st_mode & 0o777 == 0o644


def scripts(root: Path) -> Path:
    """Where files need no record."""
    (root / "bin").mkdir()
    return root / "bin"


BREAKS: dict[str, Callable[[Path], object]] = {
    "a link": lambda root: (root / "bin").symlink_to(root.parent / "outside" / "private"),
    "a linked folder": lambda root: (root / "bin").symlink_to(root.parent / "outside"),
    "a second name of a file": lambda root: os.link(root / "a.py", scripts(root) / "b"),
    "a pipe": lambda root: os.mkfifo(root / "b.py"),
    "a file nobody recorded": lambda root: (root / "b.py").write_text(""),
    "other bytes than recorded": lambda root: (root / "a.py").write_text("A = 2\n"),
    "a recorded file missing": lambda root: (root / "a.py").unlink(),
    "compiled code without a source": lambda root: (root / COMPILED.replace("a.", "b.")).write_text(""),
    "no record": lambda root: (root / "a-1.dist-info" / "RECORD").unlink(),
    "too much": lambda root: (root / "a.py").write_bytes(bytes(2000)),
    "too many": lambda root: [(root / f"b{number}.py").write_text("") for number in range(12)],
    "a record that leads out": lambda root: (root / "a-1.dist-info" / "RECORD").write_text("../../x,,\n"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_tree_is_refused_when_it_holds(what: str, site: Path) -> None:
    outside = site.parent / "outside"
    outside.mkdir()
    (outside / "private").write_text("")
    (outside / "private").chmod(0o600)
    BREAKS[what](site)
    with pytest.raises(BadRequest) as refused:
        check(site, max_bytes=1000, max_files=10)
    assert refused.value.code == "bad_wheel"
    assert (outside / "private").stat().st_mode & 0o777 == 0o600, "nothing outside was touched"


@pytest.mark.parametrize(
    "name",
    ["/x", "../x", "a/../../x", "a//x", "./x", "a\\b", "a/\x00", "x/" * 40 + "y", "p.data/odd/x", "p.data/x"],
)
def test_a_name_that_leads_elsewhere_has_no_place(name: str) -> None:
    with pytest.raises(Refused):
        place(name)


def test_data_folders_lie_where_the_wheel_format_says() -> None:
    kinds = {
        "purelib": "m.py",
        "platlib": "m.py",
        "scripts": "bin/m.py",
        "data": "m.py",
        "headers": "include/m.py",
    }
    assert {kind: place(f"p-1.data/{kind}/m.py") for kind in kinds} == kinds
