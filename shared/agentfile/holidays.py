"""Public holidays by country, as dated tables: data, not a calculation. Only South Korea ("KR") so far.

Beyond a table's last year nothing is a holiday; `known_until` lets a caller say so.
Source of each table: its own comment.
"""

from __future__ import annotations

from datetime import date

# South Korea, 2026-2028, substitute holidays included.
# Source: 공휴일에 관한 법률, 관공서의 공휴일에 관한 규정 (law.go.kr) as of November 2026, Labour Day and
# Constitution Day (public holidays since 2026); lunar dates after 한국천문연구원 월력요항. Election days
# already fixed by law (2026-06-03 local, 2028-04-12 National Assembly) are in; days the government
# may still declare are not. Compared day by day with the PyPI package `holidays` 0.109.
_KR = {
    2026: "01-01 02-16 02-17 02-18 03-01 03-02 05-01 05-05 05-24 05-25 06-03 06-06 07-17 08-15 08-17 "
    "09-24 09-25 09-26 10-03 10-05 10-09 12-25",
    2027: "01-01 02-06 02-07 02-08 02-09 03-01 05-01 05-03 05-05 05-13 06-06 07-17 07-19 08-15 08-16 "
    "09-14 09-15 09-16 10-03 10-04 10-09 10-11 12-25 12-27",
    2028: "01-01 01-26 01-27 01-28 03-01 04-12 05-01 05-02 05-05 06-06 07-17 08-15 10-02 10-03 10-04 "
    "10-05 10-09 12-25",
}

_TABLES: dict[str, frozenset[date]] = {
    "KR": frozenset(date.fromisoformat(f"{year}-{day}") for year, days in _KR.items() for day in days.split())
}


def countries() -> tuple[str, ...]:
    """The calendars there are, by ISO 3166 code."""
    return tuple(sorted(_TABLES))


def is_holiday(country: str, day: date) -> bool:
    """Whether `day` is in the table. Weekends are not holidays here. False for an unknown country."""
    return day in _TABLES.get(country, frozenset())


def known_until(country: str) -> date:
    """The last day the table speaks for; after it every day counts as no holiday."""
    return date(max(day.year for day in _TABLES[country]), 12, 31)
