"""The practice host's pages that are no shops: the entrance, the table, the clip. Pure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from html import escape

_FOOT = (
    "Agent Builder 연습용 가게입니다. 실제 상품이 아니에요. &middot; "
    "A practice site; nothing here is for sale."
)
_STORES = (("성수점", 180, 31000), ("연남점", 140, 27500), ("온라인", 420, 24000))


@dataclass(frozen=True)
class Sale:
    """One store's day. Revenue in won."""

    date: str
    store: str
    visitors: int
    orders: int
    revenue: int


def document(
    title: str, heading: str, line: str, body: str, color: str, head: str = "", charset: str = "utf-8"
) -> str:
    return (
        f'<!doctype html>\n<html lang="ko"><head><meta charset="{charset}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/style.css">{head}</head>\n'
        f'<body style="--shop: {color}"><header class="top"><h1>{escape(heading)}</h1>'
        f"<p>{escape(line)}</p></header>\n<main>{body}</main>\n<footer>{_FOOT}</footer></body></html>\n"
    )


def entrance() -> str:
    places = (
        ("/shop-a/new", "소소리빙 신상품", "JSON-LD가 들어 있는 상품 목록"),
        ("/shop-b/", "온담상점", "RSS와 Atom 피드가 있는 가게"),
        ("/shop-c/", "하루공방", "옛 한글 인코딩(EUC-KR)으로 된 가게"),
        ("/tables/sales", "매장별 매출표", "HTML 표, CSV와 JSON도 있어요"),
        ("/clip/", "짧은 영상", "자막이 달린 8초 영상"),
    )
    cards = "".join(
        f'<li class="card"><div><h2><a href="{path}">{name}</a></h2><p class="soft">{says}</p></div></li>'
        for path, name, says in places
    )
    return document(
        "연습 거리",
        "연습 거리",
        "에이전트를 마음껏 시험해 보는 곳",
        f'<ul class="grid">{cards}</ul>',
        "#5b4b8a",
    )


def sales(day: int, today: date) -> tuple[Sale, ...]:
    """The week before day 1 and every day since, oldest first; earlier rows never change."""
    rows = []
    for index in range(-6, day + 1):
        on = today - timedelta(days=day - index)
        for place, (store, visitors, basket) in enumerate(_STORES):
            came = visitors + (index * 37 + place * 11) % 53
            bought = came * (18 + (index * 5 + place) % 7) // 100
            rows.append(Sale(on.isoformat(), store, came, bought, bought * basket))
    return tuple(rows)


def sales_page(rows: tuple[Sale, ...]) -> str:
    lines = "".join(
        f"<tr><td>{row.date}</td><td>{row.store}</td><td>{row.visitors:,}</td><td>{row.orders:,}</td>"
        f"<td>{row.revenue:,}</td></tr>"
        for row in rows
    )
    head = "<th>날짜</th><th>매장</th><th>방문자</th><th>주문</th><th>매출(원)</th>"
    body = (
        '<p class="soft"><a href="/data/sales.csv">CSV</a> · <a href="/data/sales.json">JSON</a></p>'
        f'<table id="sales"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
    )
    return document("매장별 매출", "매장별 매출", "매일 아침 갱신됩니다", body, "#6b4f7a")


def sales_csv(rows: tuple[Sale, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["날짜", "매장", "방문자", "주문", "매출"])
    writer.writerows([row.date, row.store, row.visitors, row.orders, row.revenue] for row in rows)
    return out.getvalue()


def sales_json(rows: tuple[Sale, ...]) -> str:
    return json.dumps({"currency": "KRW", "rows": [asdict(row) for row in rows]}, ensure_ascii=False)


def clip_page() -> str:
    body = (
        '<video controls width="640" src="/clip/clip.mp4">'
        '<track kind="captions" srclang="ko" label="한국어" src="/clip/captions.ko.vtt" default></video>'
        '<p class="soft">8초 · <a href="/clip/clip.mp4">영상 내려받기</a> · '
        '<a href="/clip/captions.ko.vtt">자막(VTT)</a></p>'
    )
    return document("겨울 머그 영상", "겨울 머그", "8초짜리 소개 영상", body, "#3b5b78")


def private_page() -> str:
    return document(
        "직원 전용", "직원 전용", "robots.txt가 막아 둔 곳", "<p>자동 수집을 원하지 않습니다.</p>", "#555555"
    )


def missing_page() -> str:
    return document(
        "없는 페이지",
        "없는 페이지",
        "주소를 다시 확인해 주세요",
        '<p><a href="/">처음으로</a></p>',
        "#555555",
    )


def trouble_page() -> str:
    return document("잠시 점검 중", "잠시 점검 중", "서버에 문제가 생겼습니다", "<p>오류 500</p>", "#8a3c3c")


def sitemap(origin: str, paths: tuple[str, ...], today: date) -> str:
    urls = "".join(f"<url><loc>{origin}{path}</loc><lastmod>{today}</lastmod></url>" for path in paths)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>\n'
    )
