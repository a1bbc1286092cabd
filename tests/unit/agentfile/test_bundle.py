"""The agent's folder as one zip: what comes back, and what is refused before it is unpacked."""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agentfile.bundle import MAX_FILES, pack, unpack
from shared.errors import BadRequest, ProjectError, TooLarge

GOOD = {"agent.toml": b"[agent]\n", "main.py": b"print(1)\n", "data/목록.csv": b"a,b\n"}


def zipped(
    files: dict[str, bytes], *, kind: int = zipfile.ZIP_DEFLATED, mode: int = stat.S_IFREG | 0o644
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = kind
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
    return out.getvalue()


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}(/[a-z]{9,12})?\.txt", fullmatch=True), st.binary(max_size=200), max_size=5
    )
)
@settings(max_examples=40)
def test_files_come_back_the_same_when_packed_and_unpacked(extra: dict[str, bytes]) -> None:
    files = {**GOOD, **extra}
    assert unpack(pack(files)) == files


def test_the_bytes_are_equal_when_the_files_are_equal() -> None:
    assert pack(GOOD) == pack(dict(reversed(GOOD.items())))


def test_the_outer_folder_goes_when_somebody_zipped_the_folder_itself() -> None:
    wrapped = {f"내 봇/{name}": data for name, data in GOOD.items()} | {
        "__MACOSX/x": b"",
        "내 봇/.DS_Store": b"",
    }
    assert unpack(zipped(wrapped)) == GOOD


def test_names_are_composed_when_the_archive_decomposes_them() -> None:
    decomposed = {unicodedata.normalize("NFD", name): data for name, data in GOOD.items()}
    assert unpack(zipped(decomposed)) == GOOD


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../x",
        "/etc/passwd",
        "a\\b",
        "C:/x",
        "a//b",
        "a/./b",
        "a\u202egpj.py",
        " a",
        "a.",
        "x" * 300,
        "/".join("a" * 20),
    ],
)
def test_a_name_is_refused_when_it_is_not_plainly_inside_the_folder(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        unpack(zipped({**GOOD, name: b""}))
    assert caught.value.code == "bad_bundle"


@pytest.mark.parametrize(
    "pair", [("a.txt", "A.txt"), ("d/x", "D/y"), ("ß.txt", "SS.txt"), ("d", "d/x"), ("é.txt", "e\u0301.txt")]
)
def test_twins_are_refused_when_a_disk_would_take_them_for_one(pair: tuple[str, str]) -> None:
    with pytest.raises(BadRequest):
        unpack(zipped({**GOOD, pair[0]: b"", pair[1]: b""}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_an_entry_is_refused_when_it_is_no_regular_file(kind: int) -> None:
    with pytest.raises(BadRequest):
        unpack(zipped(GOOD, mode=kind | 0o777))


def test_a_bomb_is_refused_when_it_says_it_is_small() -> None:
    honest = zipped({**GOOD, "bomb": b"\0" * (21 << 20)})
    lying = honest.replace((21 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert len(honest) < 100_000
    with pytest.raises(TooLarge):
        unpack(honest)
    with pytest.raises(ProjectError):
        unpack(lying)


def test_it_is_refused_when_there_are_too_many_files() -> None:
    with pytest.raises(TooLarge):
        unpack(zipped({**GOOD, **{f"f{n}": b"" for n in range(MAX_FILES)}}))


def test_it_is_refused_when_it_is_encrypted() -> None:
    data = bytearray(zipped(GOOD, kind=zipfile.ZIP_STORED))
    central = data.find(b"PK\x01\x02")
    data[central + 8] |= 1
    with pytest.raises(BadRequest, match="암호"):
        unpack(bytes(data))


@pytest.mark.parametrize("missing", ["agent.toml", "main.py"])
def test_the_missing_file_is_named_when_one_is_not_there(missing: str) -> None:
    with pytest.raises(BadRequest) as caught:
        unpack(zipped({name: data for name, data in GOOD.items() if name != missing}))
    assert missing in caught.value.fields


@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=80)
def test_only_the_projects_errors_come_out_when_the_bytes_are_broken(
    noise: bytes, at: int, value: int
) -> None:
    broken = bytearray(zipped(GOOD))
    broken[at % len(broken)] = value
    for data in (noise, bytes(broken)):
        try:
            unpack(data)
        except ProjectError:
            continue


def test_a_name_is_refused_when_a_nul_would_cut_it_short() -> None:
    data = zipped({**GOOD, "x_evil.py": b""}).replace(b"x_evil.py", b"x\x00evil.py")
    with pytest.raises(BadRequest):
        unpack(data)
