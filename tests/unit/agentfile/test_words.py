"""Schedules read from what people write, phrase by phrase."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agentfile.describe import describe
from shared.agentfile.model import Schedule
from shared.agentfile.words import read_schedule

READ = [
    ("매일 아침 9시에 경쟁사 웹사이트 3곳의 신제품 정보를 긁어와서 슬랙으로 보고해 줘", "0 9 * * *"),
    ("매일 아침 9시", "0 9 * * *"),
    ("매일 9시", "0 9 * * *"),
    ("날마다 오전 7시 30분에 알려줘", "30 7 * * *"),
    ("매일 저녁 7시", "0 19 * * *"),
    ("매일 밤 11시 반에 정리해줘", "30 23 * * *"),
    ("매일 밤 12시", "0 0 * * *"),
    ("매일 새벽 2시에 백업", "0 2 * * *"),
    ("매일 낮 12시", "0 12 * * *"),
    ("매일 점심 1시", "0 13 * * *"),
    ("매일 정오에", "0 12 * * *"),
    ("매일 자정에 마감", "0 0 * * *"),
    ("매일 오후 12시", "0 12 * * *"),
    ("매일 오전 12시", "0 0 * * *"),
    ("매일 21:00", "0 21 * * *"),
    ("매일 18:30에 보내줘", "30 18 * * *"),
    ("매일 오후 3:05", "5 15 * * *"),
    ("매일 아침 아홉 시", "0 9 * * *"),
    ("매일 오후 여섯시 반", "30 18 * * *"),
    ("아침마다 8시에 날씨를 알려줘", "0 8 * * *"),
    ("매일 퇴근 전 6시에 정리", "0 18 * * *"),
    ("매일 24시", "0 0 * * *"),
    ("평일 오후 6시 반", "30 18 * * 1-5"),
    ("평일 아침 8시에 뉴스를 모아줘", "0 8 * * 1-5"),
    ("월요일부터 금요일까지 오전 10시", "0 10 * * 1-5"),
    ("월~금 18시", "0 18 * * 1-5"),
    ("주말 아침 10시", "0 10 * * 0,6"),
    ("매주 월요일 오전 8시", "0 8 * * 1"),
    ("월요일마다 오후 2시", "0 14 * * 1"),
    ("월요일 오전 9시에 보내줘", "0 9 * * 1"),
    ("매주 화요일과 목요일 오후 5시", "0 17 * * 2,4"),
    ("월수금 7시 30분", "30 7 * * 1,3,5"),
    ("매주 월·수·금 7시 30분", "30 7 * * 1,3,5"),
    ("화, 목 오전 11시", "0 11 * * 2,4"),
    ("매주 일요일 저녁 8시", "0 20 * * 0"),
    ("매달 1일 오전 8시", "0 8 1 * *"),
    ("매월 15일 13시", "0 13 15 * *"),
    ("매달 1일과 15일 오전 9시", "0 9 1,15 * *"),
    ("매달 말일 오후 6시", "0 18 L * *"),
    ("매달 첫째 월요일 오전 9시", "0 9 * * 1#1"),
    ("매월 마지막 금요일 오후 4시", "0 16 * * 5L"),
    ("매년 3월 2일 오전 9시", "0 9 2 3 *"),
    ("매시간 확인해줘", "0 * * * *"),
    ("매시 30분에 확인", "30 * * * *"),
    ("30분마다 가격 확인", "*/30 * * * *"),
    ("15분 간격으로", "*/15 * * * *"),
    ("두 시간마다 확인", "0 */2 * * *"),
    ("하루 두 번 9시와 18시", "0 9,18 * * *"),
    ("하루에 세 번 9시, 13시, 18시에 알려줘", "0 9,13,18 * * *"),
    ("매일 오후 1시와 5시", "0 13,17 * * *"),
    ("평일 9시부터 18시까지 매시간", "0 9-18 * * 1-5"),
    ("평일 9시부터 18시까지 30분마다", "*/30 9-17 * * 1-5"),
    ("매일 9시에 주말 날씨를 알려줘", "0 9 * * *"),
    ("every Monday 08:00", "0 8 * * 1"),
    ("weekdays at 6:30 pm", "30 18 * * 1-5"),
    ("every day at 9am", "0 9 * * *"),
    ("Every morning at 8 send me the news", "0 8 * * *"),
    ("every evening at 7", "0 19 * * *"),
    ("daily at noon", "0 12 * * *"),
    ("every night at midnight", "0 0 * * *"),
    ("on the 1st of each month at 10 am", "0 10 1 * *"),
    ("every month on the 15th at 9:00 am", "0 9 15 * *"),
    ("the first Monday of every month at 9am", "0 9 * * 1#1"),
    ("the last day of each month at 18:00", "0 18 L * *"),
    ("every Mon, Wed and Fri at 7:30am", "30 7 * * 1,3,5"),
    ("on Tuesdays and Thursdays at 5 p.m.", "0 17 * * 2,4"),
    ("weekends at 10 in the morning", "0 10 * * 0,6"),
    ("Monday to Friday at 17:00", "0 17 * * 1-5"),
    ("hourly", "0 * * * *"),
    ("check prices every 15 minutes", "*/15 * * * *"),
    ("every 2 hours", "0 */2 * * *"),
    ("twice a day at 9am and 6pm", "0 9,18 * * *"),
]

ASKED = [
    ("매일 아침 뉴스를 보내줘", "time"),
    ("매달 1일", "time"),
    ("매일 6시에 보내줘", "time"),
    ("매주 9시에 보내줘", "days"),
    ("매달 오전 9시", "days"),
    ("9시에 보내줘", "days"),
    ("하루 두 번 확인해줘", "time"),
    ("하루 두 번 9시", "time"),
    ("매일 9시부터 18시까지", "interval"),
    ("매일 새벽 9시", "time"),
    ("every Monday", "time"),
    ("weekly at 9am", "days"),
    ("every day at 5", "time"),
    ("on the 1st of each month", "time"),
]

REFUSED = [
    "격주 월요일 9시",
    "2주마다 월요일 오전 9시",
    "이틀마다 9시",
    "3일마다 9시",
    "7분마다 확인",
    "5시간마다",
    "10초마다 확인",
    "매일 25시",
    "매일 9시 75분",
    "매달 32일 9시",
    "매일 9시와 18시 30분",
    "평일 오전 9시와 주말 오전 10시",
    "내일 오전 9시에 보내줘",
    "every other week on Monday at 9am",
    "every 3 days at 9am",
    "every 10 seconds",
    "every 7 minutes",
    "tomorrow at 9am",
]

SILENT = [
    "",
    "경쟁사 신제품을 찾아줘",
    "매일경제 기사를 모아줘",
    "9시 뉴스를 요약해줘",
    "24시간 안에 올라온 글",
    "금일 매출을 보여줘",
    "주말에 갈 만한 곳을 찾아줘",
    "수목 드라마 시청률을 정리해줘",
    "1시간짜리 영상을 잘라줘",
    "https://example.com/daily/09:00/every-day 를 읽어줘",
    "Summarise this page",
    "the price of 9 items",
    "a 24/7 shop with 12:34567",
    "시장 조사 보고서를 만들어줘",
]


@pytest.mark.parametrize(("text", "cron"), READ, ids=[text for text, _ in READ])
def test_a_schedule_is_read_when_the_words_say_days_and_time(text: str, cron: str) -> None:
    reading = read_schedule(text, "Asia/Seoul")
    assert reading is not None
    assert reading.schedule is not None, (reading.question, reading.refused)
    assert reading.schedule.cron == cron
    assert reading.schedule.timezone == "Asia/Seoul"


@pytest.mark.parametrize(("text", "missing"), ASKED, ids=[text for text, _ in ASKED])
def test_a_question_is_asked_when_the_words_leave_something_open(text: str, missing: str) -> None:
    reading = read_schedule(text, "Asia/Seoul")
    assert reading is not None
    assert (reading.schedule, reading.missing) == (None, missing)
    assert reading.question is not None
    assert reading.question.endswith("?") or reading.missing == "time" or reading.missing == "interval"


@pytest.mark.parametrize("text", REFUSED)
def test_a_sentence_refuses_when_there_is_no_such_schedule(text: str) -> None:
    reading = read_schedule(text, "Asia/Seoul")
    assert reading is not None
    assert reading.schedule is None
    assert reading.refused is not None


@pytest.mark.parametrize("text", SILENT)
def test_nothing_is_read_when_the_text_says_nothing_about_when(text: str) -> None:
    assert read_schedule(text, "Asia/Seoul") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("매일 9시", "'9시'를 09:00으로 봤어요."),
        ("every day at 9", "Read '9' as 09:00."),
        ("월요일 오전 9시에 보내줘", "'월요일'을 매주로 봤어요."),
        ("매달 31일 오전 9시", "31일이 없는 달은 건너뛰어요."),
        ("평일 9시부터 18시까지 30분마다", "마지막은 17:30이에요."),
    ],
)
def test_it_is_said_aloud_when_something_was_assumed(text: str, sentence: str) -> None:
    reading = read_schedule(text, "Asia/Seoul")
    assert reading is not None
    assert sentence in reading.assumed


def test_nothing_is_assumed_when_the_words_are_plain() -> None:
    for text in ("매일 아침 9시", "every Monday 08:00", "평일 18:30"):
        reading = read_schedule(text, "Asia/Seoul")
        assert reading is not None
        assert reading.assumed == ()


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("매일 뉴욕 시간 오전 9시", "America/New_York"),
        ("every day at 9am UTC", "UTC"),
        ("한국 시간으로 매일 오전 9시", "Asia/Seoul"),
        ("every Monday at 9am Tokyo time", "Asia/Tokyo"),
    ],
)
def test_the_named_zone_counts_when_the_text_names_one(text: str, zone: str) -> None:
    reading = read_schedule(text, "Europe/Berlin")
    assert reading is not None
    assert reading.schedule is not None
    assert reading.schedule.timezone == zone


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("평일 오전 9시, 공휴일 제외", "skip"),
        ("영업일마다 오전 9시", "skip"),
        ("매달 1일 오전 9시, 공휴일이면 다음 영업일에", "next_workday"),
        ("weekdays at 9am except holidays", "skip"),
    ],
)
def test_holidays_are_ruled_when_the_text_speaks_of_them(text: str, rule: str) -> None:
    reading = read_schedule(text, "Asia/Seoul")
    assert reading is not None
    assert reading.schedule is not None
    assert (reading.schedule.holidays, reading.schedule.on_holiday) == ("KR", rule)


def test_the_words_about_when_can_be_cut_when_the_rest_is_wanted() -> None:
    reading = read_schedule("매일 아침 9시에 경쟁사 신제품을 슬랙으로", "Asia/Seoul")
    assert reading is not None
    assert [reading.text[a:b] for a, b in reading.spans] == ["매일", "아침 9시"]
    assert "경쟁사 신제품을 슬랙으로" in reading.rest


def test_a_decomposed_text_reads_the_same_when_it_came_from_a_mac() -> None:
    import unicodedata

    text = "매일 아침 9시"
    assert read_schedule(unicodedata.normalize("NFD", text), "Asia/Seoul") == read_schedule(
        text, "Asia/Seoul"
    )


CRONS = st.builds(
    lambda minute, hour, days: f"{minute} {hour} {days}",
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(
        [
            "* * *",
            "* * 1-5",
            "* * 0,6",
            "* * 3",
            "* * 1,3,5",
            "1 * *",
            "1,15 * *",
            "L * *",
            "* * 1#2",
            "* * 5L",
        ]
    ),
)
INTERVALS = st.sampled_from(
    [
        "*/15 * * * *",
        "* * * * *",
        "0 * * * *",
        "20 * * * *",
        "0 */3 * * *",
        "0 9-18 * * 1-5",
        "*/30 9-17 * * *",
    ]
)


@given(
    CRONS | INTERVALS,
    st.sampled_from(["Asia/Seoul", "UTC", "America/New_York"]),
    st.sampled_from(["ko", "en"]),
)
def test_a_schedule_comes_back_when_its_description_is_read(cron: str, zone: str, language: str) -> None:
    schedule = Schedule(cron=cron, timezone=zone)
    said = describe(schedule, "ko" if language == "ko" else "en")
    reading = read_schedule(said, "Asia/Tokyo")
    assert reading is not None, said
    assert reading.schedule == schedule, said


@given(
    st.text(
        alphabet="매일주달월화수목금토요평시분반오전후저녁 0123456789:~,에마다every daymonthat-", max_size=60
    )
)
def test_no_text_breaks_the_reader_when_it_is_nonsense(text: str) -> None:
    reading = read_schedule(text, "Asia/Seoul")
    if reading is not None:
        assert sum(x is not None for x in (reading.schedule, reading.question, reading.refused)) == 1
        if reading.schedule is not None:
            Schedule.model_validate(reading.schedule.model_dump())
