"""The six examples on an empty start; all run without an account, key or address."""

from __future__ import annotations

from shared.records import Shape


class Said(Shape):
    ko: str
    en: str


class Template(Shape):
    """`icon` is a name in the page's icon set."""

    id: str
    title: Said
    text: Said
    icon: str


TEMPLATES: tuple[Template, ...] = (
    Template(
        id="practice-new-products",
        icon="sparkles",
        title=Said(ko="경쟁사 신제품 알림", en="Competitors' new products"),
        text=Said(
            ko="매일 아침 9시에 연습 가게 3곳의 신제품 정보를 모아서, 주요 키워드를 분석하고, "
            "받은 보고서로 보내 줘",
            en="Every morning at 9 collect new products from the three practice shops, "
            "analyse the main keywords and report to my inbox",
        ),
    ),
    Template(
        id="practice-weekday-evening",
        icon="moon",
        title=Said(ko="퇴근 전 가격 확인", en="Prices before closing"),
        text=Said(
            ko="평일 오후 6시 반에 연습 가게 상품 가격이 바뀌었는지 보고 받은 보고서로 알려 줘",
            en="On weekdays at 18:30 tell me in my inbox whether prices in the practice shops changed",
        ),
    ),
    Template(
        id="practice-monday",
        icon="calendar",
        title=Said(ko="월요일 한 주 정리", en="Monday round-up"),
        text=Said(
            ko="매주 월요일 아침 8시에 연습 가게의 새 상품과 사라진 상품을 정리해서 받은 보고서로 보내 줘",
            en="Every Monday 08:00 sum up new and gone products of the practice shops "
            "and send it to my inbox",
        ),
    ),
    Template(
        id="practice-monthly",
        icon="chart",
        title=Said(ko="월간 키워드", en="Keywords of the month"),
        text=Said(
            ko="매달 1일 오전 10시에 연습 가게 상품 이름의 키워드를 세어 엑셀과 그래프로 "
            "받은 보고서에 넣어 줘",
            en="On the 1st of every month at 10:00 count keywords in the practice shops' product names "
            "and put a spreadsheet and a chart in my inbox",
        ),
    ),
    Template(
        id="watch-my-page",
        icon="eye",
        title=Said(ko="내가 정한 페이지 지켜보기", en="Watch a page of mine"),
        text=Said(
            ko="매일 아침 9시에 내가 알려주는 페이지에 새로 올라온 것을 모아서 받은 보고서로 보내 줘",
            en="Every morning at 9 collect what is new on a page I will name and send it to my inbox",
        ),
    ),
    Template(
        id="watch-to-slack",
        icon="send",
        title=Said(ko="신제품을 슬랙으로", en="New products to Slack"),
        text=Said(
            ko="매일 아침 9시에 연습 가게 3곳의 신제품 정보를 모아서, 주요 키워드를 분석하고, "
            "그 결과를 슬랙으로 보고해 줘",
            en="Every morning at 9 collect new products from the three practice shops, "
            "analyse the main keywords and report the result to Slack",
        ),
    ),
)
