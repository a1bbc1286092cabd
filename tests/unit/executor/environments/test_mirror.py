"""The index as builder jobs see it: everything that is named there, for reading, as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor.environments.door import SIMPLE
from services.executor.environments.mirror import IndexMirror
from services.executor.environments.pages import read_page
from services.executor.environments.source import IndexSource
from services.executor.ports import SiteAnswer
from tests.fakes.index import FakeIndex

NOTHING: dict[str, str] = {}


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    made.add_old("lantern")
    made.add("lantern", "lantern-1.0.tar.gz", b"the source")
    yield made
    made.stop()


@pytest.fixture
def mirror(index: FakeIndex) -> Iterator[IndexMirror]:
    source = IndexSource(lambda: index.url)
    yield IndexMirror(source)
    source.close()


def content(answer: SiteAnswer) -> bytes:
    assert not isinstance(answer.body, Path)
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


def address_of(mirror: IndexMirror, name: str) -> str:
    page = content(mirror.answer("GET", "/simple/lantern/", NOTHING))
    project = read_page("lantern", page, "json", f"{SIMPLE}lantern/")
    (found,) = [file.url for file in project.files if file.name == name]
    return found.removeprefix("http://index.agentbuilder.test")


def test_a_page_names_sources_and_times_and_nowhere_else(mirror: IndexMirror, index: FakeIndex) -> None:
    page = content(mirror.answer("GET", "/simple/lantern/", NOTHING))
    project = read_page("lantern", page, "json", f"{SIMPLE}lantern/")
    assert {file.wheel for file in project.files} == {True, False}
    assert all(file.uploaded for file in project.files)
    assert b"127.0.0.1" not in page
    assert mirror.answer("GET", "/simple/nobody/", NOTHING).status == 404


def test_a_file_that_a_page_names_is_passed_on_whole_or_in_part(mirror: IndexMirror) -> None:
    address = address_of(mirror, "lantern-1.0.tar.gz")
    whole = mirror.answer("GET", address, NOTHING)
    part = mirror.answer("GET", address, {"range": "bytes=4-9"})
    assert (whole.status, content(whole)) == (200, b"the source")
    assert dict(whole.headers)["content-length"] == "10"
    assert (part.status, content(part)) == (206, b"source")


def test_nothing_is_given_that_no_page_names(mirror: IndexMirror, index: FakeIndex) -> None:
    address = address_of(mirror, "lantern-1.0.tar.gz")
    asked = len(index.asked)
    for other in (
        address.replace("lantern-1.0.tar.gz", "other.tar.gz"),
        address.replace("/lantern/files", "/other/files"),
        f"{address}.metadata",
        "/files/lantern/lantern-1.0.tar.gz",
        "/",
        "/simple/",
    ):
        assert mirror.answer("GET", other, NOTHING).status == 404, other
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert mirror.answer(method, address, NOTHING).status == 405
    assert {path for _method, path in index.asked[asked:]} <= {"/simple/other/"}


def test_an_index_that_does_not_answer_is_no_missing_package(mirror: IndexMirror, index: FakeIndex) -> None:
    index.down = True
    assert mirror.answer("GET", "/simple/lantern/", NOTHING).status == 502
