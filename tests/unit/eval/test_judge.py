"""The judge of the eval: right reports pass however they are written, wrong ones do not."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.eval.judge import Payload, misses, rows_of, same_hours, says, text_of
from tests.eval.requests import HAPPENINGS, Judged, requests

TABLE = '이름,가격\n머그컵,"12,000"\n접시,8000\n'.encode("cp949")


@pytest.mark.parametrize(
    ("wanted", "report"),
    [
        ("39000", "울 머플러 39,000원"),
        ("1382.5", "1달러 = 1,382.50원"),
        ("15333", "평균 15,333.33원"),
        ("-3", "최저 −3도"),
        ("-3|영하 3", "최저 영하 3도"),
        ("nothing new", "Nothing  NEW today"),
        ("배송", "새벽 배송"),
    ],
)
def test_what_is_there_is_found_however_it_is_written(wanted: str, report: str) -> None:
    assert misses(Judged(says=(wanted,)), Payload(report)) == []


@pytest.mark.parametrize(
    ("wanted", "report"),
    [
        ("39000", "139,000원"),
        ("39000", "39,100원"),
        ("5", "15개 중 3.5점"),
        ("9.21", "1382.5"),
        ("nothing new|no new", "Three new things"),
    ],
)
def test_what_is_not_there_is_missed(wanted: str, report: str) -> None:
    assert misses(Judged(says=(wanted,)), Payload(report)) == [f"does not say {wanted!r}"]


def test_what_must_not_be_said_counts_in_the_report_alone() -> None:
    judged = Judged(says=("접시",), lacks=("머그컵",))
    assert misses(judged, Payload("접시 하나", {"all.csv": TABLE})) == []
    assert misses(judged, Payload("접시, 머그컵")) == ["says '머그컵'"]


def test_files_and_rows_are_counted() -> None:
    judged = Judged(files=("csv|xlsx",), rows=2, says=("12000",))
    assert misses(judged, Payload("표예요", {"goods.csv": TABLE})) == []
    assert misses(judged, Payload("12,000원")) == ["has no file of kind csv|xlsx", "has 0 rows, not 2"]


def test_a_workbook_is_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("xl/sharedStrings.xml", "<sst><si><t>USD</t></si></sst>")
        file.writestr(
            "xl/worksheets/sheet1.xml", '<row r="1"><c/></row><row r="2"><c><v>1382.5</v></c></row>'
        )
    assert rows_of("rates.xlsx", made.getvalue()) == 1
    assert says("1382.5", text_of("rates.xlsx", made.getvalue()))
    assert rows_of("rates.xlsx", b"broken") == 0


@given(st.integers(min_value=0, max_value=10**9))
def test_a_number_is_itself_with_and_without_commas(number: int) -> None:
    assert misses(Judged(says=(str(number),)), Payload(f"{number:,}원")) == []
    assert misses(Judged(says=(str(number),)), Payload(f"{number * 2 + 1:,}원")) != []


@pytest.mark.parametrize(
    ("cron", "wanted", "same"),
    [
        ("0 9 * * mon-fri", ("0 9 * * 1-5",), True),
        ("0 9 * * 1,2,3,4,5", ("0 9 * * 1-5",), True),
        ("0 17 * * 7", ("0 17 * * 0",), True),
        ("0 9 * * 0-6", ("0 9 * * *",), True),
        ("0 9 * * 1-6", ("0 9 * * 1-5",), False),
        ("30 9 * * *", ("0 9 * * *",), False),
        (None, ("0 9 * * *",), False),
        (None, (), True),
    ],
)
def test_hours_are_the_same_however_their_days_are_written(
    cron: str | None, wanted: tuple[str, ...], same: bool
) -> None:
    assert same_hours(cron, wanted) is same


def test_there_are_fifty_requests_half_in_each_language_and_each_judges_something() -> None:
    found = requests()
    assert len({request.id for request in found}) == len({request.text for request in found}) == 50
    assert [request.language for request in found].count("ko") == 25
    assert all(request.id.startswith(request.language) for request in found)
    judging = [(r, r.then) for r in found]
    assert all(r.says or r.files or (then is not None and then.says) for r, then in judging)
    assert {then.happens for _, then in judging if then is not None} == set(HAPPENINGS)
