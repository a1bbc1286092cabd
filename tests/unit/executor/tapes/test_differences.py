"""Same is said of what is the same; everything else is named, with what stood there before and after."""

from __future__ import annotations

from typing import Any

import pytest

from services.executor.model import AttemptResult
from services.executor.tapes import differences
from services.executor.tapes.differences import MOST, FilePair, Teller
from shared.records.executor import Difference, QueuedDelivery
from shared.records.tapes import TapeEntry


def asked(
    n: int, path: str, *, body: str = "", began: float | None = None, ended: float | None = None
) -> TapeEntry:
    began = float(n) if began is None else began
    return TapeEntry(
        n=n,
        method="GET",
        url=f"https://shop.example.com{path}",
        verdict="sent",
        status=200,
        request_sha256=body,
        began_s=began,
        ended_s=began + 0.5 if ended is None else ended,
    )


def told(before: list[TapeEntry], after: list[TapeEntry]) -> list[tuple[str, str]]:
    teller = Teller("en")
    differences.requests(before, after, teller)
    return [(one.text, one.name) for one in teller.all()]


A, B, C = asked(1, "/a"), asked(2, "/b"), asked(3, "/c")


def test_the_same_requests_in_the_same_order_differ_in_nothing() -> None:
    assert told([A, B, asked(9, "/a")], [A, B, asked(9, "/a")]) == []


def test_a_missing_and_an_extra_request_are_named() -> None:
    found = told([A, B], [A, C])

    assert [name for _, name in found] == ["GET https://shop.example.com/b", "GET https://shop.example.com/c"]
    assert "was not made now" in found[0][0]
    assert "not on the recording" in found[1][0]


def test_another_body_to_the_same_address_is_named_once() -> None:
    before = [asked(1, "/a", body="11"), asked(2, "/a", body="22")]
    (found,) = told(before, [asked(1, "/a", body="22"), asked(2, "/a", body="33")])

    assert "another body" in found[0]


def test_another_order_is_named_when_one_was_over_before_the_other_began() -> None:
    (found,) = told([A, B], [asked(1, "/b"), asked(2, "/a")])

    assert "another order" in found[0]


def test_requests_under_way_together_have_no_order() -> None:
    together = [asked(1, "/a", began=0, ended=2), asked(2, "/b", began=1, ended=3)]

    assert told(together, [asked(1, "/b"), asked(2, "/a")]) == []
    assert told([A, B], [asked(1, "/b", began=0, ended=2), asked(2, "/a", began=1, ended=3)]) == []


def result(**more: Any) -> AttemptResult:
    given = {"id": "att_1", "run_id": "run_1", "workspace_id": "w", "number": 1, "reason": "exited"}
    return AttemptResult.model_validate({**given, "exit_code": 0, **more})


def said(text: str, channel: str = "inbox", files: tuple[str, ...] = ()) -> QueuedDelivery:
    return QueuedDelivery(id="dlv_1", channel=channel, text=text, files=files, status="held")


def collected(work: Any, language: Any = "ko") -> tuple[Difference, ...]:
    teller = Teller(language)
    work(teller)
    return teller.all()


def test_messages_are_compared_by_what_they_say() -> None:
    one, other = said("인사\n셋"), said("인사\n넷")
    (found,) = collected(lambda teller: differences.deliveries([one], [other], teller))

    assert (found.kind, found.name, found.before, found.after) == ("delivery", "inbox", "셋", "넷")
    assert collected(lambda teller: differences.deliveries([one], [one], teller)) == ()
    assert len(collected(lambda teller: differences.deliveries([one], [], teller))) == 1
    assert len(collected(lambda teller: differences.deliveries([], [one], teller))) == 1
    with_file = said("인사\n셋", files=("a.csv",))
    assert len(collected(lambda teller: differences.deliveries([one], [with_file], teller))) == 1
    elsewhere = said("인사\n셋", channel="slack")
    assert len(collected(lambda teller: differences.deliveries([one], [elsewhere], teller))) == 1


def test_files_that_are_gone_new_or_different_are_named() -> None:
    before, after = {"a": "1", "b": "1", "c": "1", "d": "1"}, {"b": "2", "c": "2", "d": "1", "e": "1"}
    pairs = [FilePair("b", True, "pixels"), FilePair("c", False, "text", "old", "new")]
    found = collected(lambda teller: differences.files(before, after, pairs, teller))

    assert [(one.name, one.before, one.after) for one in found] == [
        ("a", "a", ""),
        ("e", "", "e"),
        ("c", "old", "new"),
    ]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (result(), None),
        (result(exit_code=1, error_lines=("ValueError: x",)), "exited 1 ValueError: x"),
        (result(reason="wall", exit_code=None), "wall"),
    ],
)
def test_another_end_is_told(other: AttemptResult, words: str | None) -> None:
    found = collected(lambda teller: differences.ends(result(), other, teller))

    assert [one.after for one in found] == ([] if words is None else [words])


def test_another_memory_is_told_unless_only_its_archive_differs() -> None:
    one, other = result(state_sha256="1"), result(state_sha256="2")

    def told_with(pair: FilePair | None) -> int:
        return len(collected(lambda teller: differences.state(one, other, pair, teller)))

    assert told_with(None) == 1
    assert told_with(FilePair("state", False, "contents", "a", "b")) == 1
    assert told_with(FilePair("state", True)) == 0
    assert collected(lambda teller: differences.state(one, one, None, teller)) == ()


def test_of_too_many_differences_the_last_says_how_many_more() -> None:
    found = collected(
        lambda teller: differences.files({str(n): "1" for n in range(MOST + 7)}, {}, [], teller), "en"
    )

    assert len(found) == MOST + 1
    assert found[-1].text == "7 more differ."
    long = collected(lambda teller: differences.deliveries([said("x" * 5000)], [said("y" * 5000)], teller))
    assert len(long[0].before) == 600


def test_a_time_in_an_address_or_a_message_is_told_as_one() -> None:
    (request,) = told([asked(1, "/a?t=1795391789")], [asked(1, "/a?t=1795391790")])
    one, other = said("09:00:01에 셋"), said("09:00:02에 셋")
    (message,) = collected(lambda teller: differences.deliveries([one], [other], teller))

    assert "but for a time" in request[0]
    assert "시각만" in message.text
