"""What people want watched: an interface with pages, a feed, rates, films, sales, reviews, notices, twenty shops.

All true values stand here, so that a test can say what an agent should have found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

from tests.flows.sites.redesigns import SHOPS, page_of
from tests.flows.sites.serving import NOT_HERE, Page, WebServer

CLIP = Path(__file__).parents[3] / "services" / "executor" / "egress" / "practice" / "files" / "clip.mp4"
PER_PAGE = 10
PRODUCTS = [
    {"id": f"p{n:02}", "name": name, "price": price, "stock": stock}
    for n, (name, price, stock) in enumerate(
        [
            *[
                (f"머그컵 {color}", 12000 + 500 * at, 3 * at)
                for at, color in enumerate("흰색 검정 회색 남색".split())
            ],
            *[(f"접시 {size}호", 8000 + 1000 * at, 40 - at) for at, size in enumerate(range(1, 9))],
            *[
                (f"앞치마 {kind}", 23000 + 900 * at, at % 4)
                for at, kind in enumerate("린넨 데님 캔버스".split())
            ],
            *[(f"Tea towel {n}", 9000 + 100 * n, 2 + n) for n in range(1, 9)],
        ],
        1,
    )
]
NEWS = [
    ("n1", "로컬 브랜드, 겨울 협업 상품 공개", "Mon, 23 Nov 2026 09:00:00 +0900"),
    ("n2", "온라인 쇼핑 거래액 사상 최대", "Tue, 24 Nov 2026 09:00:00 +0900"),
    ("n3", "친환경 포장재 가격 인상", "Tue, 24 Nov 2026 15:00:00 +0900"),
    ("n4", "새벽 배송 지역 확대", "Wed, 25 Nov 2026 08:00:00 +0900"),
]
RATES = {"USD": 1382.5, "JPY": 9.21, "EUR": 1498.0, "CNY": 190.4}
CAPTIONS = {
    "ko": [
        ("00:00:00.000", "00:00:02.500", "아침 일곱 시, 작업실 불을 켭니다."),
        ("00:00:02.500", "00:00:05.000", "새 머그에 첫 커피를 내려요."),
        ("00:00:05.000", "00:00:08.000", "겨울 신상품, 오늘부터 만나요."),
    ],
    "en": [
        ("00:00:00.000", "00:00:02.500", "At seven we light the workshop."),
        ("00:00:02.500", "00:00:05.000", "First coffee in a new mug."),
        ("00:00:05.000", "00:00:08.000", "Our winter goods, from today."),
    ],
}
SALES = {
    "2026-11-24": [("서울", "머그컵", 12, 144000), ("부산", "접시", 5, 40000), ("대구", "앞치마", 2, 46000)],
    "2026-11-25": [("서울", "머그컵", 9, 108000), ("부산", "접시", 11, 88000), ("대구", "앞치마", 4, 92000)],
}
REVIEWS = [
    (5, "배송이 빨라요. 포장도 꼼꼼해요."),
    (1, "컵이 깨져서 왔어요. 환불해 주세요."),
    (4, "색이 예뻐요. 배송도 빨라요."),
    (2, "손잡이가 불편해요."),
    (5, "선물용으로 좋아요. 포장이 예뻐요."),
]
NOTICES = [("공지 12", "11월 25일 점검 안내"), ("공지 11", "겨울 배송 일정"), ("공지 10", "적립금 제도 변경")]
JOBS = [
    ("Content marketer", "Seoul", 42), ("Data analyst", "Busan", 51),
    ("Growth marketer", "Remote", 48), ("Store manager", "Seoul", 39),
]  # fmt: skip
EVENTS = [
    ("20261201", "서울 리빙 페어"),
    ("20261209", "부산 핸드메이드 마켓"),
    ("20270115", "Winter gift show"),
]
WEATHER = {"city": "Seoul", "tomorrow": {"low": -3, "high": 5, "rain_percent": 70}}


class Sites:
    """One server with all of it. Values may be changed between runs; `redesigned` names the shops (see
    redesigns.py) that show their new layout; `day` is the newest day of sales.

    /api/products?page= · /feed.xml · /rates · /watch/clip · /media/… · /sales/<day>.csv · /sales/latest.csv ·
    /reviews · /notices · /jobs · /events.ics · /weather.json · /shops/<name>
    """

    def __init__(self) -> None:
        self.products = [dict(product) for product in PRODUCTS]
        self.news, self.rates = list(NEWS), dict(RATES)
        self.reviews, self.notices = list(REVIEWS), list(NOTICES)
        self.rows = {shop.name: list(shop.rows) for shop in SHOPS}
        self.redesigned: set[str] = set()
        self.day = "2026-11-25"
        self._web = WebServer(self._page)
        self.port, self.address, self.requests = self._web.port, self._web.address, self._web.requests

    def close(self) -> None:
        self._web.close()

    def _page(self, path: str, query: Mapping[str, str]) -> Page:
        first, _, rest = path.strip("/").partition("/")
        match first, rest:
            case "shops", name if name in self.rows:
                shop = next(shop for shop in SHOPS if shop.name == name)
                return Page(page_of(shop, self.rows[name], new=name in self.redesigned))
            case "sales", name:
                day = self.day if name == "latest.csv" else name.removesuffix(".csv")
                return Page(sales_csv(day), "text/csv") if day in SALES else NOT_HERE
            case "media", "clip.mp4":
                return Page(kind="video/mp4", data=CLIP.read_bytes())
            case "media", name if name[5:7] in CAPTIONS:
                return Page(captions_vtt(name[5:7]), "text/vtt")
            case "api", "products":
                return self._products(int(query.get("page", "1")))
        made = _PAGES.get(path.strip("/"))
        return made(self) if made is not None else NOT_HERE

    def _products(self, page: int) -> Page:
        shown = self.products[(page - 1) * PER_PAGE : page * PER_PAGE]
        following = page + 1 if page * PER_PAGE < len(self.products) else None
        return Page(json.dumps({"items": shown, "next": following}, ensure_ascii=False), "application/json")


def _document(title: str, body: str) -> Page:
    return Page(
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    def cells(tag: str, values: tuple[object, ...]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(value))}</{tag}>" for value in values) + "</tr>"

    return f"<table>{cells('th', head)}{''.join(cells('td', row) for row in rows)}</table>"


def sales_csv(day: str) -> str:
    lines = ["date,region,product,count,amount"]
    lines += [f"{day},{region},{product},{count},{amount}" for region, product, count, amount in SALES[day]]
    return "\n".join(lines) + "\n"


def captions_vtt(language: str) -> str:
    cues = [f"{start} --> {end}\n{text}" for start, end, text in CAPTIONS[language]]
    return "WEBVTT\n\n" + "\n\n".join(cues) + "\n"


def _feed(sites: Sites) -> Page:
    items = "".join(
        f"<item><title>{escape(title)}</title><link>{sites.address}/news/{id}</link><guid>{id}</guid>"
        f"<pubDate>{at}</pubDate></item>"
        for id, title, at in sites.news
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>유통 소식</title>'
    return Page(f"{head}<link>{sites.address}</link>{items}</channel></rss>", "application/rss+xml")


def _rates(sites: Sites) -> Page:
    rows: list[tuple[object, ...]] = [(code, f"{rate:,.2f}") for code, rate in sites.rates.items()]
    return _document("오늘의 환율", _table(("통화", "매매기준율(원)"), rows))


def _watch(sites: Sites) -> Page:
    tracks = "".join(
        f'<track kind="subtitles" srclang="{code}" label="{code}" src="/media/clip.{code}.vtt">'
        for code in CAPTIONS
    )
    film = f'<video controls><source src="/media/clip.mp4" type="video/mp4">{tracks}</video>'
    return _document("작업실의 아침", film)


def _reviews(sites: Sites) -> Page:
    shown = "".join(
        f'<li class="review" data-stars="{stars}">{escape(text)}</li>' for stars, text in sites.reviews
    )
    return _document("상품 후기", f"<ul>{shown}</ul>")


def _notices(sites: Sites) -> Page:
    shown = "".join(
        f'<li><span class="no">{no}</span> <a>{escape(text)}</a></li>' for no, text in sites.notices
    )
    return _document("공지사항", f"<ul>{shown}</ul>")


def _jobs(sites: Sites) -> Page:
    return _document("Open positions", _table(("Role", "City", "Salary (M KRW)"), list(JOBS)))


def _events(sites: Sites) -> Page:
    shown = "".join(
        f"BEGIN:VEVENT\r\nUID:{day}\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        for day, title in EVENTS
    )
    return Page(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{shown}END:VCALENDAR\r\n", "text/calendar")


def _weather(sites: Sites) -> Page:
    return Page(json.dumps(WEATHER), "application/json")


_PAGES = {
    "feed.xml": _feed,
    "rates": _rates,
    "watch/clip": _watch,
    "reviews": _reviews,
    "notices": _notices,
    "jobs": _jobs,
    "events.ics": _events,
    "weather.json": _weather,
}
