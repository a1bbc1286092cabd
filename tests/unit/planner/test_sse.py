"""Events are found wherever the network cuts them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planner.adapters.sse import LARGEST_CHARS, data_of

STREAM = (
    b'event: a\ndata: {"x": 1}\n\n'
    b": a comment\n\n"
    b"event: b\r\ndata:two\r\ndata: lines \r\n\r\n"
    b"id: 7\rdata: \xed\x95\x9c\xea\xb8\x80 \xf0\x9f\x98\x80\r\r"
    b"event: nothing\n\n"
    b"data: cut off"
)
EVENTS = ['{"x": 1}', "two\nlines ", "한글 😀"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[begin:end] for begin, end in pairwise(edges)]

    assert list(data_of(chunks)) == EVENTS


def test_events_are_the_same_when_bytes_come_one_by_one() -> None:
    assert list(data_of(bytes([byte]) for byte in STREAM)) == EVENTS


def test_an_event_is_given_out_as_soon_as_it_is_whole() -> None:
    events = data_of(iter([b"data: one\n\ndata: t", b"wo\n", b"\n"]))

    assert next(events) == "one"
    assert next(events) == "two"


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 1000, b"data: " + b"x" * 1000 + b"\n"])
def test_an_event_without_end_is_refused(piece: bytes) -> None:
    with pytest.raises(ValueError, match="without end"):
        list(data_of(piece for _ in range(LARGEST_CHARS // 900)))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        list(data_of([b"data: \xff\n\n"]))
