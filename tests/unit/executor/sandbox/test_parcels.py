"""Folders sent as tars: what is honest arrives, what is hostile arrives harmless or not at all."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from services.executor.run_api.parcels import Incoming, pack, unpack
from shared.errors import DecodeError, TooLarge

take = partial(unpack, max_bytes=1 << 20, max_entries=100)


def sent(folder: Path, into: Path, **how: object) -> Path:
    stream = Incoming(pack(folder, **how))  # type: ignore[arg-type]
    take(cast("BinaryIO", stream), into)
    return into


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    out.seek(0)
    return out


def test_files_arrive_with_content_and_mode_whatever_their_names(tmp_path: Path) -> None:
    box = tmp_path / "box"
    (box / "깊은" / "곳").mkdir(parents=True)
    (box / "깊은" / "곳" / "표.csv").write_text("가,나", encoding="utf-8")
    (box / ("n" * 200)).write_bytes(b"x" * 100_000)
    with open(os.fsencode(box) + b"/\xff\xfe", "wb") as odd:
        odd.write(b"odd")
    (box / "run.sh").write_text("")
    (box / "run.sh").chmod(0o755)

    there = sent(box, tmp_path / "there")

    assert (there / "깊은" / "곳" / "표.csv").read_text(encoding="utf-8") == "가,나"
    assert (there / ("n" * 200)).stat().st_size == 100_000
    assert os.fsencode(there) + b"/\xff\xfe" in [os.fsencode(path) for path in there.iterdir()]
    assert stat.S_IMODE((there / "run.sh").stat().st_mode) == 0o755


def test_what_code_left_is_followed_by_nobody(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("secret")
    box = tmp_path / "box"
    box.mkdir()
    (box / "link").symlink_to(outside)
    (box / "folder").symlink_to(tmp_path)
    os.link(outside, box / "hard")
    os.mkfifo(box / "pipe")
    (box / "long").touch()
    os.truncate(box / "long", 1 << 33)

    there = sent(box, tmp_path / "there", left_by_code=True, max_file_bytes=1000)

    assert {path.name for path in there.iterdir()} == {"link", "folder", "hard", "pipe", "long"}
    assert all((there / name).is_symlink() for name in ("link", "folder", "hard"))
    assert str((there / "hard").readlink()) == "a-hard-link"
    assert stat.S_ISFIFO((there / "pipe").lstat().st_mode)
    assert (there / "long").stat().st_size == 1 << 33
    assert (there / "long").stat().st_blocks == 0


def test_packages_that_are_hard_links_arrive_as_files(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "wheel.py").write_text("X = 1")
    os.link(tmp_path / "wheel.py", site / "wheel.py")

    assert (sent(site, tmp_path / "there") / "wheel.py").read_text() == "X = 1"


def test_one_file_arrives_alone(tmp_path: Path) -> None:
    """What lies beside it is not sent."""
    (tmp_path / "one.so").write_bytes(b"\x7fELF")
    (tmp_path / "other.so").write_bytes(b"other")

    there = sent(tmp_path / "one.so", tmp_path / "there")

    assert [(path.name, path.read_bytes()) for path in there.iterdir()] == [("one.so", b"\x7fELF")]


@pytest.mark.parametrize(
    "name", ["../out", "/out", "a/../../out", "nowhere/out", ".", "..", "", "a//b", "./a"]
)
def test_an_entry_that_lies_elsewhere_spoils_the_whole(tmp_path: Path, name: str) -> None:
    good = tarfile.TarInfo("a")
    good.type = tarfile.DIRTYPE

    with pytest.raises(DecodeError):
        take(tar_of((good, b""), (tarfile.TarInfo(name), b"x")), tmp_path / "there")

    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_through_a_link_that_came_before(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, str(outside)

    for name in ("link/file", "link"):
        with pytest.raises(DecodeError):
            take(tar_of((link, b""), (tarfile.TarInfo(name), b"x")), tmp_path / "there")

    assert list(outside.iterdir()) == []


def test_devices_and_hard_links_of_others_making_are_pipes(tmp_path: Path) -> None:
    device, hard = tarfile.TarInfo("device"), tarfile.TarInfo("hard")
    device.type, hard.type, hard.linkname = tarfile.CHRTYPE, tarfile.LNKTYPE, "/etc/passwd"

    take(tar_of((device, b""), (hard, b"")), tmp_path / "there")

    assert all(stat.S_ISFIFO((tmp_path / "there" / name).lstat().st_mode) for name in ("device", "hard"))


def test_more_than_the_bounds_is_refused(tmp_path: Path) -> None:
    many = tar_of(*((tarfile.TarInfo(str(n)), b"") for n in range(101)))
    big = tar_of((tarfile.TarInfo("big"), bytes(2 << 20)))

    for stream in (many, big):
        with pytest.raises(TooLarge):
            take(stream, tmp_path / "there")
        assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("data", [b"not a tar" * 200, b"\xff" * 2048])
def test_what_is_no_tar_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DecodeError):
        take(io.BytesIO(data), tmp_path / "there")


def test_a_tar_that_was_cut_is_refused(tmp_path: Path) -> None:
    whole = tar_of((tarfile.TarInfo("a"), b"x" * 5000)).getvalue()

    with pytest.raises(DecodeError):
        take(io.BytesIO(whole[:3000]), tmp_path / "there")


def test_who_shall_read_can_read_what_was_for_its_owner_alone(tmp_path: Path) -> None:
    private = tarfile.TarInfo("private")
    private.mode = 0o600

    take(tar_of((private, b"x")), tmp_path / "there", for_all=True)

    assert stat.S_IMODE((tmp_path / "there" / "private").stat().st_mode) == 0o644
