"""The report pipe's reader on bytes nobody vouches for."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from services.executor.adapters.reports import ReportReader

_STEP = b'{"kind": "step", "name": "one"}\n'


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_good_line_is_heard_when_anything_came_before_it(noise: list[bytes]) -> None:
    reader = ReportReader()
    for piece in noise:
        assert list(reader.feed(piece)) == []

    assert list(reader.feed(b"\n" + _STEP)) == [{"kind": "step", "name": "one"}]


def test_a_line_is_whole_when_it_came_in_pieces() -> None:
    reader = ReportReader()

    assert [entry for byte in _STEP for entry in reader.feed(bytes([byte]))] == [
        {"kind": "step", "name": "one"}
    ]


def test_nothing_is_kept_when_a_line_never_ends() -> None:
    reader = ReportReader()
    told = [entry for _ in range(64) for entry in reader.feed(b"x" * 65536)]

    assert told == [{"kind": "cut"}]
    assert list(reader.feed(b'"}\n' + _STEP)) == [{"kind": "step", "name": "one"}]


def test_entries_are_dropped_when_they_are_too_deep() -> None:
    deep: object = 1
    for _ in range(12):
        deep = [deep]
    line = json.dumps({"kind": "step", "name": deep}).encode() + b"\n"

    assert list(ReportReader().feed(line)) == []


def test_later_entries_are_dropped_when_there_are_too_many() -> None:
    assert sum(1 for _ in ReportReader().feed(_STEP * 12_000)) == 10_000
