"""The trusted side's own client of the package index: where it goes, and what it takes for true."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from packaging.version import Version

from services.executor.environments.door import IndexDoor, Own
from services.executor.environments.pages import IndexFile
from services.executor.environments.source import IndexSource
from shared.errors import BadRequest, Misconfigured, ProjectError, TooLarge, Unavailable
from tests.fakes.index import FakeIndex


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    made.add_old("lantern")
    yield made
    made.stop()


@pytest.fixture
def source(index: FakeIndex) -> Iterator[IndexSource]:
    made = IndexSource(lambda: index.url)
    yield made
    made.close()


def nothing(_done: int, _all: int) -> None:
    return None


def file_at(url: str, data: bytes = b"x") -> IndexFile:
    return IndexFile("a-1-py3-none-any.whl", url, hashlib.sha256(data).hexdigest(), Version("1"), True)


def test_the_index_is_addressed_with_https_unless_it_is_on_this_machine() -> None:
    for url in ("http://index.test/simple", "ftp://127.0.0.1/simple", "file:///simple"):
        with pytest.raises(Misconfigured):
            IndexSource(lambda url=url: url).project("a")  # type: ignore[misc]


def test_a_page_is_asked_for_once_and_a_missing_project_is_none(
    source: IndexSource, index: FakeIndex
) -> None:
    assert source.project("Lantern") == source.project("lantern")
    assert source.project("nothing-here") is None
    assert source.project("../../etc/passwd") is None
    assert index.asked == [("GET", "/simple/lantern/"), ("GET", "/simple/nothing-here/")]


def test_a_file_that_is_not_its_hash_or_longer_than_allowed_is_refused(
    source: IndexSource, index: FakeIndex, tmp_path: Path
) -> None:
    found = source.project("lantern")
    assert found is not None
    with pytest.raises(TooLarge):
        source.download(found.files[0], tmp_path / "a", 10, nothing)
    index.files["lantern"][found.files[0].name].lies = True
    with pytest.raises(BadRequest) as refused:
        source.download(found.files[0], tmp_path / "a", 1 << 20, nothing)
    assert refused.value.code == "wrong_hash"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.0.0.8", "address_refused"),
        ("127.0.0.1", "address_refused"),
        ("169.254.169.254", "address_refused"),
    ],
)
def test_a_page_of_a_public_index_cannot_lead_into_a_private_network(
    address: str, code: str, tmp_path: Path
) -> None:
    def resolver(host: str, port: int) -> Sequence[str]:
        return ("8.8.8.8",) if host == "index.test" else (address,)

    source = IndexSource(lambda: "https://index.test/simple", resolver=resolver)
    with pytest.raises(ProjectError) as refused:
        source.download(file_at("https://files.test/a.whl"), tmp_path / "a", 10, nothing)
    assert refused.value.code == code


def test_no_setting_makes_a_metadata_address_reachable() -> None:
    source = IndexSource(
        lambda: "https://index.test/simple", resolver=lambda host, port: ("169.254.169.254",)
    )
    with pytest.raises(BadRequest):
        source.project("a")


def test_files_are_never_fetched_without_encryption_from_an_encrypted_index(tmp_path: Path) -> None:
    source = IndexSource(lambda: "https://index.test/simple", resolver=lambda host, port: ("8.8.8.8",))
    with pytest.raises(BadRequest) as refused:
        source.download(file_at("http://files.test/a.whl"), tmp_path / "a", 10, nothing)
    assert refused.value.code == "plain_http"


def test_an_index_that_is_down_is_unavailable_and_not_remembered(
    source: IndexSource, index: FakeIndex
) -> None:
    index.down = True
    with pytest.raises(Unavailable):
        source.project("lantern")
    index.down = False
    assert source.project("lantern") is not None


def test_the_door_reads_only_and_shows_only_what_fits_and_is_old_enough(
    source: IndexSource, index: FakeIndex, tmp_path: Path
) -> None:
    index.add_wheel("lantern", "2.0", age=timedelta(days=2))
    index.add("lantern", "lantern-3.0-cp27-cp27m-win32.whl", b"x")
    index.add("lantern", "lantern-3.0.tar.gz", b"x")
    door = IndexDoor(source, tmp_path, until=datetime.now(UTC) - timedelta(days=7))
    page = door.answer("GET", "/simple/lantern/", {}).body
    assert isinstance(page, bytes)
    assert b"lantern-1.0-" in page
    assert b"2.0" not in page
    assert b"3.0" not in page
    assert b"127.0.0.1" not in page
    assert door.seen.withheld == {"lantern"}
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert door.answer(method, "/simple/lantern/", {}).status == 405
    assert door.answer("GET", f"/files/{'0' * 64}/x.whl", {}).status == 404
    assert door.answer("GET", "/simple/../../x", {}).status == 404
    assert all(method in ("GET", "HEAD") for method, _path in index.asked)


def test_the_door_gives_parts_and_wholes_of_a_file_the_page_named(
    source: IndexSource, index: FakeIndex, tmp_path: Path
) -> None:
    door = IndexDoor(source, tmp_path)
    door.answer("GET", "/simple/lantern/", {})
    name = "lantern-1.0-py3-none-any.whl"
    data = index.files["lantern"][name].data
    sha256 = hashlib.sha256(data).hexdigest()
    target = f"/files/{sha256}/{name}"
    assert dict(door.answer("HEAD", target, {}).headers)["content-length"] == str(len(data))
    assert door.answer("GET", target, {"range": "bytes=-10"}).body == data[-10:]
    whole = door.answer("GET", target, {}).body
    assert isinstance(whole, Path)
    assert whole.read_bytes() == data
    assert door.answer("GET", target, {"range": "bytes=2-5"}).body == data[2:6]
    assert door.answer("GET", target, {"range": "bytes=999999-"}).status == 416


def test_a_workspaces_own_wheel_is_shown_by_its_own_door_only(source: IndexSource, tmp_path: Path) -> None:
    path = tmp_path / "own.whl"
    path.write_bytes(b"own")
    file = IndexFile(
        "evil-1.0-py3-none-any.whl", "", hashlib.sha256(b"own").hexdigest(), Version("1.0"), True
    )
    mine = IndexDoor(source, tmp_path / "cache", own=(Own("evil", file, path),))
    others = IndexDoor(source, tmp_path / "cache")
    assert mine.answer("GET", "/simple/evil/", {}).status == 200
    assert mine.answer("GET", f"/files/{file.sha256}/{file.name}", {}).body == path
    assert others.answer("GET", "/simple/evil/", {}).status == 404
    assert others.answer("GET", f"/files/{file.sha256}/{file.name}", {}).status == 404
