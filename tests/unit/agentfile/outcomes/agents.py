"""Ten agents' contracts as a planner writes them after a talk, before anything is known of how they will break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.agentfile.model import Check, Language


@dataclass(frozen=True)
class Agent:
    """news: every run must bring something that the last one did not."""

    contract: tuple[Check, ...]
    language: Language = "ko"
    news: bool = False


def _c(kind: str, path: str | None, says: str, **fields: Any) -> Check:
    place = {} if path is None else {"path": f"outputs/{path}"}
    return Check.model_validate({"check": kind, "says": says, **place, **fields})


_SHOP = (
    _c("rows", "sources.csv", "세 가게를 모두 봤어요", min=3, max=3),
    _c("fields", "sources.csv", "가게마다 읽기에 성공했어요", fields=["status"], contains=["ok"]),
    _c("fields", "sources.csv", "가게마다 상품이 하나 이상 있어요", fields=["items"], min=1),
    _c("rows", "items.csv", "상품이 다섯 개 이상이에요", min=5),
    _c("fields", "items.csv", "모든 상품에 이름이 있어요", fields=["source", "name"], format="text"),
    _c("fields", "items.csv", "가격은 원 단위 숫자예요", fields=["price"], min=100, max=10_000_000),
    _c("fields", "items.csv", "상품마다 주소가 하나씩이에요", fields=["url"], format="url", unique=True),
    _c("change", "items.csv", "상품 수가 갑자기 변하지 않아요", min=0.6, max=2.5),
    _c("change", "items.csv", "가격대가 갑자기 변하지 않아요", fields=["price"], min=0.3, max=3),
    _c("text", None, "보고에 새 상품 이야기가 있어요", contains=["새 상품"], max=3000, language="ko"),
    _c("delivered", None, "슬랙으로 보내요", contains=["slack"]),
)
_PRICES = (
    _c("file", "prices.xlsx", "엑셀 파일이 있어요", contains=["xlsx"]),
    _c("rows", "prices.xlsx", "상품이 열 개 이상이에요", min=10),
    _c("fields", "prices.xlsx", "상품 이름이 겹치지 않아요", fields=["상품"], format="text", unique=True),
    _c("fields", "prices.xlsx", "판매가는 0보다 커요", fields=["판매가"], min=1),
    _c("fields", "prices.xlsx", "배송비가 있어요", fields=["배송비"], min=0),
    _c("change", "prices.xlsx", "가격대가 비슷해요", fields=["판매가"], min=0.3, max=3),
    _c("expr", None, "가격이 다 같지는 않아요", expr='distinct("outputs/prices.xlsx", "판매가") >= 3'),
    _c("delivered", None, "받은 보고서로 보내요", contains=["inbox"]),
)
_NEWS = (
    _c("rows", "articles.csv", "기사가 하나 이상 있어요", min=1),
    _c("fields", "articles.csv", "제목이 한국어예요", fields=["title"], format="text", language="ko"),
    _c("fields", "articles.csv", "기사마다 주소가 하나씩이에요", fields=["url"], format="url", unique=True),
    _c("fresh", "articles.csv", "하루 안의 기사가 있어요", fields=["published"], max_age_s=86_400),
    _c("change", "articles.csv", "어제와 다른 기사예요"),
    _c("text", None, "한국어 요약이 있어요", contains=["오늘의 뉴스"], min=40, max=4000, language="ko"),
    _c("delivered", None, "슬랙으로 보내요", contains=["slack"]),
)
_SUBTITLES = (
    _c("rows", "video.srt", "자막이 열 줄 이상이에요", min=10),
    _c("fields", "video.srt", "자막이 한국어예요", fields=["text"], format="text", language="ko"),
    _c("expr", None, "1분 넘게 이어져요", expr='highest("outputs/video.srt", "end") >= 60'),
    _c(
        "expr",
        None,
        "같은 말만 되풀이하지 않아요",
        expr='distinct("outputs/video.srt", "text") >= rows("outputs/video.srt") * 0.4',
    ),
    _c("delivered", None, "받은 보고서로 보내요"),
)
_CHART = (
    _c("file", "sales.png", "차트 그림이 있어요", contains=["png"], min_width=400, min_height=300),
    _c("rows", "sales.csv", "여섯 달 이상의 자료예요", min=6, max=24),
    _c("fields", "sales.csv", "달이 겹치지 않아요", fields=["month"], unique=True),
    _c("fields", "sales.csv", "매출은 숫자예요", fields=["sales"], min=1),
    _c("expr", None, "매출이 다 같지는 않아요", expr='distinct("outputs/sales.csv", "sales") >= 2'),
    _c("text", "report.md", "매출을 설명해요", contains=["매출"], min=60, language="ko"),
    _c("delivered", None, "메일로 보내요", contains=["email"]),
)
_VISITS = (
    _c("fields", "history.csv", "날마다 한 줄이에요", fields=["date"], format="date", unique=True),
    _c("fields", "history.csv", "방문 수가 있어요", fields=["visits", "orders"], min=0),
    _c("rows", "history.csv", "이틀 이상의 자료예요", min=2),
    _c("change", "history.csv", "어제까지의 자료에 이어져요", min=1, max=1.5),
    _c("change", "history.csv", "새 날이 더해졌어요"),
    _c("fresh", "history.csv", "어제의 자료까지 있어요", fields=["date"], max_age_s=172_800),
    _c("text", None, "어제와 견줘요", contains=["어제보다"], language="ko"),
    _c("delivered", None, "받은 보고서로 보내요"),
)
_CURRENCIES = ["USD", "EUR", "JPY", "CNY", "GBP"]
_RATES = (
    _c("rows", "rates.csv", "다섯 나라 돈이에요", min=5, max=5),
    _c(
        "fields",
        "rates.csv",
        "나라마다 하나씩이에요",
        fields=["currency"],
        contains=_CURRENCIES,
        unique=True,
    ),
    _c("fields", "rates.csv", "환율은 원으로 적어요", fields=["rate"], min=1, max=5000),
    _c("change", "rates.csv", "하루에 크게 변하지 않아요", fields=["rate"], min=0.8, max=1.25),
    _c("fresh", "rates.csv", "나흘 안의 고시예요", fields=["date"], max_age_s=4 * 86_400),
    _c("text", None, "환율을 알려요", contains=["USD"], min=20, max=1000),
    _c("delivered", None, "받은 보고서로 보내요", contains=["inbox"]),
)
_ORDERS = (
    _c("rows", "orders.json", "주문 목록이에요", min=0),
    _c("fields", "orders.json", "주문 번호가 겹치지 않아요", fields=["id"], format="text", unique=True),
    _c(
        "fields",
        "orders.json",
        "아는 상태만 있어요",
        fields=["status"],
        contains=["paid", "shipped", "cancelled"],
    ),
    _c("fields", "orders.json", "금액은 숫자예요", fields=["amount"], min=0, max=100_000_000),
    _c("fields", "orders.json", "주문한 때가 있어요", fields=["created_at"], format="date"),
    _c("rows", "pages.csv", "한 쪽 이상 받았어요", min=1),
    _c("fields", "pages.csv", "쪽마다 받는 데 성공했어요", fields=["status"], min=200, max=200),
    _c("text", None, "주문을 알려요", contains=["주문"], language="ko"),
    _c("delivered", None, "슬랙으로 보내요", contains=["slack"]),
)
_LUNCH = (
    _c("rows", "menu.csv", "메뉴가 두 가지 이상이에요", min=2),
    _c("fields", "menu.csv", "메뉴 이름이 한국어예요", fields=["menu"], format="text", language="ko"),
    _c("fields", "menu.csv", "값은 원 단위예요", fields=["price"], min=1000, max=100_000),
    _c("text", None, "짧은 알림 하나예요", contains=["점심"], min=20, max=1000, language="ko"),
    _c("delivered", None, "슬랙으로 한 번 보내요", contains=["slack"], min=1, max=1),
)
_JOBS = (
    _c("rows", "jobs.tsv", "At least three openings", min=3),
    _c("fields", "jobs.tsv", "Titles are in English", fields=["title"], format="text", language="en"),
    _c("fields", "jobs.tsv", "Every opening names a company", fields=["company"]),
    _c("fields", "jobs.tsv", "One address each", fields=["url"], format="url", unique=True),
    _c("fresh", "jobs.tsv", "Something of the last three days", fields=["posted"], max_age_s=3 * 86_400),
    _c("change", "jobs.tsv", "About as many as yesterday", min=0.5, max=3),
    _c("text", None, "The report is in English", contains=["openings"], language="en"),
    _c("delivered", None, "Sent by e-mail", contains=["email"]),
)

AGENTS = {
    "shop watcher": Agent(_SHOP),
    "price table": Agent(_PRICES),
    "news digest": Agent(_NEWS, news=True),
    "video subtitles": Agent(_SUBTITLES),
    "chart report": Agent(_CHART),
    "yesterday's analysis, continued": Agent(_VISITS, news=True),
    "currency table": Agent(_RATES),
    "orders from an API": Agent(_ORDERS),
    "lunch menu on Slack": Agent(_LUNCH),
    "job openings": Agent(_JOBS, language="en"),
}
