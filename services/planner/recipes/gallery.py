"""Six example requests for the empty start page. The first two lead to a plan without a question or with one;
each question has an answer that is one tap away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Example:
    """`asks`: ids of the questions that follow; empty means straight to a plan."""

    id: str
    title_ko: str
    title_en: str
    text_ko: str
    text_en: str
    asks: tuple[str, ...] = ()

    def text(self, language: Literal["ko", "en"]) -> str:
        return self.text_ko if language == "ko" else self.text_en


EXAMPLES: tuple[Example, ...] = (
    Example(
        "practice-new",
        "연습용 가게로 해 보기",
        "Try the practice shops",
        "매일 아침 9시에 연습용 가게 3곳의 신제품을 확인하고 주요 키워드를 분석해서 받은함으로 알려 줘",
        (
            "Every day at 9 am check the practice shops for new products, count the keywords and "
            "report to my inbox"
        ),
    ),
    Example(
        "competitors-slack",
        "경쟁사 신제품을 슬랙으로",
        "Competitors' new products to Slack",
        (
            "매일 아침 9시에 경쟁사 웹사이트 3곳의 신제품 정보를 긁어와서, 주요 키워드를 분석하고, "
            "그 결과를 슬랙으로 보고해 줘"
        ),
        (
            "Every morning at 9 scrape new products from 3 competitor websites, analyse the keywords "
            "and report to Slack"
        ),
        ("addresses",),
    ),
    Example(
        "price-change",
        "가격이 바뀌면 알려 주기",
        "Tell me when prices change",
        "평일 오후 6시 반에 쇼핑몰의 가격이 바뀌었는지 확인해서 받은함으로 알려 줘",
        "Every weekday at 18:30 check whether prices in the shop changed and tell me in the inbox",
        ("addresses",),
    ),
    Example(
        "sold-out",
        "품절과 재입고 지켜보기",
        "Watch for sold out and restocked",
        "매일 오전 10시에 연습용 가게에서 품절되거나 다시 들어온 상품을 받은함으로 알려 줘",
        (
            "Every day at 10:00 check the practice shops for products that are gone or back and "
            "report to my inbox"
        ),
    ),
    Example(
        "notices",
        "새 공지와 글 모아 보기",
        "New notices and posts",
        "매주 월요일 아침 8시에 새 공지와 글을 모아서 받은함으로 보내 줘",
        "Every Monday at 08:00 collect new notices and posts and send them to my inbox",
        ("addresses",),
    ),
    Example(
        "monthly-trend",
        "한 달에 한 번 키워드 정리",
        "Keywords once a month",
        "매달 1일 오전 9시에 연습용 가게 상품의 키워드를 정리해서 엑셀과 함께 받은함에 넣어 줘",
        "On the 1st of every month at 9 am count the keywords of the practice shops and put them in my inbox",
    ),
)


def nearest(text: str, language: Literal["ko", "en"], count: int = 2) -> tuple[str, ...]:
    """The examples that share most pairs of letters with `text`; of equals the earlier."""
    wanted = _pairs(text)
    ranked = sorted(
        enumerate(example.text(language) for example in EXAMPLES),
        key=lambda entry: (-len(wanted & _pairs(entry[1])), entry[0]),
    )
    return tuple(example for _, example in ranked[:count])


def _pairs(text: str) -> set[str]:
    letters = "".join(text.lower().split())
    return {letters[at : at + 2] for at in range(len(letters) - 1)}
