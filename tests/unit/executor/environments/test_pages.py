"""Pages, locks and wheel names as values."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from packaging.version import Version

from services.executor.environments.pages import Project, read_page, write_page
from services.executor.environments.wheels import (
    best_wheel,
    fingerprint,
    newest_source,
    rank,
    read_lock,
    read_wish,
)
from shared.errors import BadRequest

H1, H2, H3 = "1" * 64, "2" * 64, "3" * 64
PAGE = {
    "files": [
        {"filename": "a-1.0-py3-none-any.whl", "url": "../../f/a-1.0-py3-none-any.whl", "hashes": {"sha256": H1},
         "size": 7, "upload-time": "2026-01-02T03:04:05.000000Z", "core-metadata": {"sha256": H2}},
        {"filename": "a-1.0.tar.gz", "url": "https://files.test/a-1.0.tar.gz", "hashes": {"sha256": H2}},
        {"filename": "a-1.1-py3-none-any.whl", "url": "x.whl", "hashes": {}},
        {"filename": "a-1.1-cp27-cp27m-win32.whl", "url": "x.whl", "hashes": {"sha256": H3}, "yanked": "broken"},
        {"filename": "a-1.2-py3-none-any.whl", "url": "x.whl", "hashes": {"sha256": "../../x"}},
        {"filename": "nonsense", "url": "x", "hashes": {"sha256": H3}},
    ]
}  # fmt: skip


def a() -> Project:
    return read_page(
        "a", json.dumps(PAGE).encode(), "application/vnd.pypi.simple.v1+json", "https://i.test/simple/a/"
    )


def test_files_without_a_hash_or_a_readable_name_are_left_out() -> None:
    assert [file.name for file in a().files] == [
        "a-1.0-py3-none-any.whl",
        "a-1.0.tar.gz",
        "a-1.1-cp27-cp27m-win32.whl",
    ]
    first = a().files[0]
    assert first.url == "https://i.test/f/a-1.0-py3-none-any.whl"
    assert first.uploaded == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (first.size, first.metadata, a().files[2].yanked) == (7, H2, True)


def test_the_older_page_says_the_same_but_times() -> None:
    text = (
        f'<a href="../../f/a-1.0-py3-none-any.whl#sha256={H1}" data-requires-python="&gt;=3">a</a>'
        '<a href="no.whl">b</a>'
    )
    found = read_page("a", text.encode(), "text/html; charset=utf-8", "https://i.test/simple/a/").files
    assert [(f.url, f.sha256, f.requires_python, f.uploaded) for f in found] == [
        ("https://i.test/f/a-1.0-py3-none-any.whl", H1, ">=3", None)
    ]


def test_the_door_names_no_address_but_its_own() -> None:
    shown = write_page(a(), "http://door.test").decode()
    assert "i.test" not in shown
    assert "files.test" not in shown
    again = read_page("a", shown.encode(), "application/json", "http://door.test/simple/a/")
    assert [file.sha256 for file in again.files] == [H1, H2, H3]


@pytest.mark.parametrize(
    "text",
    ["a", "a>=1 --hash=sha256:" + H1, "a==1", "a @ https://x.test/a.whl --hash=sha256:" + H1, "-r more.txt", "./a",
     "--index-url https://x.test", "a==1.* --hash=md5:" + H1, "git+https://x.test/a"],
)  # fmt: skip
def test_a_lock_holds_names_versions_and_hashes_only(text: str) -> None:
    with pytest.raises(BadRequest):
        read_lock(text)


def test_a_lock_counts_for_this_interpreter_and_says_who_needs_what() -> None:
    text = (
        f"b==2 ; python_version < '3' \\\n    --hash=sha256:{H1}\n    # via a\n"
        f"b==3 ; python_version >= '3' \\\n    --hash=sha256:{H2} \\\n    --hash=sha256:{H3}\n"
        "    # via\n    #   a\n    #   -r in\n"
        f"a==1 --hash=sha256:{H1}\n"
    )
    first, second = read_lock(text)
    assert (first.label, second.label) == ("a==1", "b==3")
    assert (set(second.hashes), set(second.via)) == ({H2, H3}, {"a"})


def test_locks_that_install_the_same_are_the_same_however_written() -> None:
    one = read_lock(
        f"a==1 \\\n    --hash=sha256:{H1} \\\n    --hash=sha256:{H2}\n    # via x\nb==1 --hash=sha256:{H3}\n"
    )
    other = read_lock(f"b==1 --hash=sha256:{H3}\nA==1 --hash=sha256:{H2} --hash=sha256:{H1}\n")
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(one[:1])


def test_the_wheel_that_fits_is_chosen_and_one_of_another_machine_never() -> None:
    pin = read_lock(f"a==1.0 --hash=sha256:{H1}\n")[0]
    chosen = best_wheel(a().files, pin)
    assert chosen is not None
    assert chosen.name == "a-1.0-py3-none-any.whl"
    assert best_wheel(a().files, read_lock(f"a==1.1 --hash=sha256:{H3}\n")[0]) is None
    assert rank("a-1-cp27-cp27m-win32.whl") is None


def test_a_source_archive_is_chosen_as_the_wish_says() -> None:
    found = newest_source(a(), [read_wish("a")])
    assert found is not None
    assert found.version == Version("1.0")
    assert newest_source(a(), [read_wish("a>2")]) is None
