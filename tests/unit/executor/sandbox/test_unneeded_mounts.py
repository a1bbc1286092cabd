"""Which of the machine's mounts a sandbox's own list goes without: never one it reads, and each one once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.executor.launcher.boxes import unneeded

_READ = ("usr", "bin", "sbin", "lib", "lib64", "etc", "proc", "sys")
_names = st.sampled_from([*_READ, "dev", "tmp", "run", "snap", "home", "library", "u"])
_points = st.lists(_names, max_size=4).map(lambda names: "/" + "/".join(names))


def _below(point: str, one: str) -> bool:
    return point == one or point.startswith(f"{one}/")


@given(st.lists(_points, max_size=12))
def test_all_goes_but_what_a_sandbox_reads(points: list[str]) -> None:
    gone = unneeded(points)

    for point in points:
        read = point == "/" or point.split("/")[1] in _READ
        assert any(_below(point, one) for one in gone) is not read


@given(st.lists(_points, max_size=12))
def test_nothing_is_named_that_goes_with_another(points: list[str]) -> None:
    gone = unneeded(points)

    assert set(gone) <= set(points)
    assert not [point for point in gone for one in gone if point != one and _below(point, one)]
    assert len(set(gone)) == len(gone)


def test_a_folder_whose_name_begins_alike_is_another() -> None:
    assert unneeded(["/", "/dev", "/dev/pts", "/device", "/usr/lib/wsl"]) == ("/dev", "/device")
