"""Pages of made-up shops in five markups, and a local server that answers with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Goods = list[tuple[str, int]]  # title, price in won

KNITS: Goods = [
    ("울 니트 가디건", 39000),
    ("린넨 셔츠", 29000),
    ("코듀로이 바지", 45000),
    ("캐시미어 머플러", 52000),
]
CUPS: Goods = [("머그컵 세트", 18000), ("유리 찻잔", 12000), ("도자기 접시", 15500), ("나무 쟁반", 23000)]
LAMPS: Goods = [("침실 무드등", 34000), ("책상 스탠드", 41000), ("캠핑 랜턴", 27000), ("벽걸이 조명", 63000)]

FRAME = """<!doctype html><html><head><meta charset="utf-8"><title>가게</title>{head}</head><body>
<header><div class="gnb"><ul><li><a href="/about">회사 소개 안내 페이지</a></li>
<li><a href="/help">고객 센터 안내 페이지</a></li>
<li><a href="/terms">이용 약관 안내 페이지</a></li></ul></div></header>{body}
<footer><ul><li><a href="/a">개인정보 처리 방침</a></li>
<li><a href="/b">사업자 정보 확인하기</a></li>
<li><a href="/c">제휴 문의하기 안내</a></li></ul></footer>
</body></html>"""


def json_ld_page(goods: Goods) -> str:
    entries = [
        {
            "@type": "ListItem",
            "position": number,
            "item": {
                "@type": "Product",
                "name": title,
                "sku": f"K-{title}",
                "url": f"/p/{number}",
                "offers": {"@type": "Offer", "price": str(price), "priceCurrency": "KRW"},
            },
        }
        for number, (title, price) in enumerate(goods, start=1)
    ]
    data = json.dumps({"@context": "https://schema.org", "@type": "ItemList", "itemListElement": entries})
    return FRAME.format(
        head=f'<script type="application/ld+json">{data}</script>', body="<main>새 상품</main>"
    )


def feed(goods: Goods) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>http://shop.example/cup/{title}</link><guid>{title}</guid>"
        f"<description>&lt;b&gt;{price:,}원&lt;/b&gt;</description></item>"
        for title, price in goods
    )
    channel = f"<channel><title>컵</title>{items}</channel>"
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0">{channel}</rss>'


def page_with_feed(goods: Goods, feed_path: str = "/cups/rss.xml") -> str:
    head = f'<link rel="alternate" type="application/rss+xml" href="{feed_path}">'
    return FRAME.format(head=head, body="<p>" + " / ".join(title for title, _ in goods) + "</p>")


def blocks_page(goods: Goods) -> str:
    cards = "".join(
        f'<li class="xans-record- item{number}"><a href="/goods?no={title}&utm_source=x"><img src="/i"></a>'
        f'<p class="name"><a href="/goods?no={title}">{title}</a></p>'
        f"<p><del>{price + 9000:,}원</del> <b>{price:,}원</b></p></li>"
        for number, (title, price) in enumerate(goods)
    )
    return FRAME.format(head="", body=f'<div id="content"><ul class="prdList">{cards}</ul></div>')


def table_page(goods: Goods) -> str:
    rows = "".join(
        f"<tr><td>{number}</td><td><a href='/t/{number}'>{title}</a></td><td>{price:,}</td>"
        f"<td>{number * 37}</td></tr>"
        for number, (title, price) in enumerate(goods, start=1)
    )
    heads = "<tr><th>번호</th><th>상품명</th><th>판매가</th><th>조회</th></tr>"
    return FRAME.format(head="", body=f"<table>{heads}{rows}</table>")


def layout_table_page(goods: Goods) -> str:
    """As shops were built twenty years ago: a table for layout, one product per cell."""
    cells = [
        f'<td align=center><a href="view.php?id={title}"><img src=a.gif border=0></a><br>'
        f'<a href="view.php?id={title}">{title}</a><br><font color=red><b>{price:,}원</b></font></td>'
        for title, price in goods
    ]
    rows = "".join(f"<tr>{''.join(cells[at : at + 2])}</tr>" for at in range(0, len(cells), 2))
    return FRAME.format(head="", body=f"<table width=100%>{rows}</table>")


def rebuilt_page() -> str:
    """What is left of a list when a shop moves to a page that only a browser fills."""
    return '<html><body><div id="root"></div><script src="/app.js"></script></body></html>'


class Site:
    """A local host: path -> (status, content type, body), changed by tests between runs. Else 404."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[str] = []

    def put(
        self, path: str, text: str, *, status: int = 200, charset: str = "utf-8", kind: str = "text/html"
    ) -> None:
        self.pages[path] = (status, f"{kind}; charset={charset}", text.encode(charset))

    def fail(self, path: str, status: int) -> None:
        self.pages[path] = (status, "text/plain", b"broken")

    def refuse(self, path: str, code: str) -> None:
        """As the platform's way out answers in place of the host."""
        self.pages[path] = (403, f"application/problem+json; code={code}", b"{}")

    def redirect(self, path: str, target: str) -> None:
        self.pages[path] = (302, target, b"")


@contextmanager
def site() -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    made = Site(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(made)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(made: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            status, kind, body = made.pages.get(self.path, (404, "text/plain", b"nothing here"))
            code = kind.partition("code=")[2]
            self.send_response(status, f"{code}: not let through" if code else None)
            if code:
                self.send_header("X-Egress-Gateway", "answered here")
            self.send_header("Location" if status == 302 else "Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


Read = Callable[[str], str | None]


def no_feed(address: str) -> str | None:
    raise AssertionError(f"nothing should read {address}")
