"""Names and ages: what is odd about a package, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from services.executor.environments.guard import Doubt, Popular, judge, one_edit, shipped, vouched_for
from services.executor.environments.pages import IndexFile, Project

NOW = datetime(2026, 11, 22, tzinfo=UTC)
POPULAR = Popular(("requests", "pandas", "python-dateutil", "six", "beautifulsoup4", "pillow", "attrs"))


def project(name: str, *ages: float | None) -> Project:
    """One release per age in days, oldest named first; None: the index does not say."""
    files = []
    for number, age in enumerate(ages):
        version = Version(f"1.{number}")
        at = NOW - timedelta(days=age) if age is not None else None
        files.append(IndexFile(f"{name}-{version}-py3-none-any.whl", "", "", version, True, uploaded=at))
    return Project(name, tuple(files))


def verdict(name: str, *ages: float | None) -> Doubt | None:
    found = project(name, *ages)
    return judge(name, found.files[-1].version, found, NOW, POPULAR)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("reqeusts", "requests"),  # two neighbours swapped
        ("request", "requests"),
        ("requestss", "requests"),
        ("requezts", "requests"),
        ("pand4s", "pandas"),
        ("pil1ow", "pillow"),
        ("pythondateutil", "python-dateutil"),
        ("python-dateuti1", "python-dateutil"),
        ("beautifulsoup5", "beautifulsoup4"),
        ("python-requests", "requests"),
        ("requests-official", "requests"),
        ("slx", "six"),
    ],
)
def test_a_name_is_taken_for_a_popular_one_when_it_is(name: str, other: str) -> None:
    found = verdict(name, 900, 800, 700)
    assert found == Doubt("mistaken", other)


@pytest.mark.parametrize(
    "name", ["requests", "python-dateutil", "six", "lantern", "sax7", "pandasql-extra", "requestium-x"]
)
def test_a_name_is_fine_when_it_is_popular_itself_or_like_no_other(name: str) -> None:
    assert verdict(name, 900, 800, 700) is None


def test_a_project_asks_when_it_is_young_and_the_same_name_does_not_when_it_is_popular() -> None:
    assert verdict("lantern", 12, 11, 10) == Doubt("new_project", days=12)
    assert verdict("requests", 12, 11, 10) is None
    assert verdict("lantern", 31, 20, 10) is None


def test_a_version_asks_when_it_is_younger_than_a_week_whoever_made_it() -> None:
    assert verdict("requests", 900, 3) == Doubt("new_version", days=3)
    assert verdict("requests", 900, 8) is None


def test_an_unknown_age_asks_unless_the_package_is_popular() -> None:
    assert verdict("lantern", None, None, None) == Doubt("unknown_age")
    assert verdict("requests", None, None, None) is None


def test_a_single_small_upload_asks() -> None:
    assert verdict("lantern", 900) == Doubt("few_files")
    assert verdict("lantern", 900, 800, 700) is None


def test_what_the_index_does_not_have_is_invented_and_its_neighbour_named() -> None:
    assert judge("reqeusts", Version("1"), None, NOW, POPULAR) == Doubt("invented", "requests")


def test_a_name_is_no_slip_when_a_popular_package_wrote_it_and_is_when_a_person_did() -> None:
    trusted = vouched_for(
        {"requests": (), "requestz": ("requests",), "pandsa": ("requestz",), "sixx": ()}, POPULAR
    )
    assert trusted == {"requests", "requestz", "pandsa"}
    found = project("pandsa", 900, 800, 700)
    assert judge("pandsa", Version("1.2"), found, NOW, POPULAR, vouched="pandsa" in trusted) is None


def test_the_shipped_list_is_long_dated_and_small() -> None:
    known = shipped()
    assert "requests" in known
    assert "pandas" in known
    assert known.taken_for("reqeusts") == "requests"


NAMES = st.text("abcde-", min_size=1, max_size=7)


@given(NAMES, NAMES)
def test_one_edit_is_what_counting_all_edits_says(one: str, other: str) -> None:
    letters = "abcde-"
    edits = {one[:i] + one[i + 1 :] for i in range(len(one))}
    edits |= {one[:i] + c + one[i:] for i in range(len(one) + 1) for c in letters}
    edits |= {one[:i] + c + one[i + 1 :] for i in range(len(one)) for c in letters}
    edits |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}
    assert one_edit(one, other) == (other in edits - {one})
