"""Time zones and holiday rules named in a text."""

from __future__ import annotations

import re
from typing import Literal

from shared.agentfile.phrases.found import Span

_ZONES: tuple[tuple[str, str], ...] = (
    (
        r"(?:한국|서울|우리나라)\s*(?:표준\s*)?시(?:간|각)?(?:으로|로)?(?![가-힣])|\bkst\b|\b(?:seoul|korean?)\s+time\b",
        "Asia/Seoul",
    ),
    (r"(?:일본|도쿄)\s*시간(?:으로|로)?|\bjst\b|\b(?:tokyo|japan)\s+time\b", "Asia/Tokyo"),
    (r"(?:중국|베이징|상하이)\s*시간(?:으로|로)?|\b(?:beijing|shanghai|china)\s+time\b", "Asia/Shanghai"),
    (
        r"(?:뉴욕|미국\s*동부)\s*시간(?:으로|로)?|\b(?:est|edt|new\s+york\s+time|eastern(?:\s+time)?)\b",
        "America/New_York",
    ),
    (
        r"(?:로스앤젤레스|엘에이|미국\s*서부)\s*시간(?:으로|로)?|\b(?:pst|pdt|pacific(?:\s+time)?|la\s+time|los\s+angeles\s+time)\b",
        "America/Los_Angeles",
    ),
    (r"(?:런던|영국)\s*시간(?:으로|로)?|\b(?:london|uk)\s+time\b", "Europe/London"),
    (r"(?:파리|프랑스)\s*시간(?:으로|로)?|\b(?:cet|cest|paris\s+time)\b", "Europe/Paris"),
    (r"\b(?:utc|gmt)\b|협정\s*세계시", "UTC"),
)
# What `describe` puts at the end of its line: "· 서울", "· Seoul".
_CITIES = {"서울": "Asia/Seoul", "도쿄": "Asia/Tokyo", "상하이": "Asia/Shanghai", "뉴욕": "America/New_York"}
_CITIES |= {
    "로스앤젤레스": "America/Los_Angeles",
    "런던": "Europe/London",
    "파리": "Europe/Paris",
    "utc": "UTC",
}
_CITIES |= {
    "seoul": "Asia/Seoul",
    "tokyo": "Asia/Tokyo",
    "shanghai": "Asia/Shanghai",
    "new york": "America/New_York",
}
_CITIES |= {"los angeles": "America/Los_Angeles", "london": "Europe/London", "paris": "Europe/Paris"}
_DOTTED = re.compile(rf"·\s*({'|'.join(_CITIES)})\s*$")

_REST = re.compile(
    r"(?:공휴일|빨간\s?날|휴일)(?:은|에는|엔|에|을|를)?\s*(?:제외(?:하고|한)?|빼고|빼줘|쉬고|쉬어|쉼|말고)"
    r"|(?:except|excluding|but\s+not|not)\s+(?:on\s+)?(?:public\s+|bank\s+)?holidays"
)
_NEXT = re.compile(
    r"(?:공휴일|휴일)이면\s*(?:그\s*)?다음\s*(?:영업일|평일|근무일)(?:에)?|on\s+holidays\s+the\s+next\s+(?:working|business)\s+day"
)


def read_zone(text: str) -> tuple[str, Span] | None:
    """The first zone named in `text` (already lowered) as IANA name."""
    for pattern, zone in _ZONES:
        match = re.search(pattern, text)
        if match:
            return zone, match.span()
    match = _DOTTED.search(text)
    return (_CITIES[match.group(1)], match.span()) if match else None


def read_holiday_rule(text: str) -> tuple[Literal["skip", "next_workday"], Span] | None:
    """ "공휴일 제외" is skip, "공휴일이면 다음 영업일" next_workday."""
    moved = _NEXT.search(text)
    if moved:
        return "next_workday", moved.span()
    rest = _REST.search(text)
    return ("skip", rest.span()) if rest else None
