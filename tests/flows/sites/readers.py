"""Programs that read the twenty shops, and fixes after a redesign: right ones, and wrong ones that look well today.

`program(shop)` is the agent as it was built for the old layout. A fix is right when its rows are true on the new page
and on every earlier one, whatever is sold there that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from tests.flows.sites.redesigns import Layout, Row, Shop

Wrong = Literal[
    "hard-coded",
    "hard-coded fallback",
    "empty",
    "yesterday",
    "made-up prices",
    "new pages only",
    "hard-coded on new pages",
    "hard-coded when nothing is read",
    "yesterday on new pages",
    "yesterday when nothing is read",
    "known prices",
    "made-up prices on new pages",
    "first rows of new pages",
    "all but the last row of new pages",
    "every second row of new pages",
    "prices before, of new pages",
    "higher prices of new pages",
]
WRONG: tuple[Wrong, ...] = get_args(Wrong)
"""Fixes in code. Weakening the contract is a wrong fix of the plan: `weakened`."""

_MONEY = {
    "won": r"(?P<price>[\d,]+)원",
    "sign": r"₩(?P<price>[\d,]+)",
    "code": r"KRW (?P<price>\d+)",
    "spaced": r"(?P<price>[\d ]+) 원",
    "dollar": r"\$(?P<price>[\d,.]+)",
    "usd": r"(?P<price>[\d.]+) USD",
    "euro": r"(?P<price>[\d ,]+) €",
}
_PATTERNS = {
    "cards": '<strong class="{title}">(?P<title>.*?)</strong></a><span class="{price}">{money}</span>',
    "price first": '<p class="{price}"><em>{money}</em><s>.*?</s></p><div><h3 class="{title}">(?P<title>.*?)</h3>',
    "table": '<td class="{title}">(?P<title>.*?)</td><td class="{price}">{money}</td>',
    "lazy": r'data-{title}="(?P<title>.*?)" data-{price}="(?P<price>\d+)"',
    "microdata": r'itemprop="name">(?P<title>.*?)</span><meta itemprop="price" content="(?P<price>\d+)"',
    "definitions": '<dt class="{title}">(?P<title>.*?)</dt><dd class="{price}">{money}</dd>',
}
_BEFORE = {
    "cards": '<strong class="{title}">(?P<title>.*?)</strong></a><span class="{price}">.*?</span><del>{money}</del>',
    "price first": '<em>.*?</em><s>{money}</s></p><div><h3 class="{title}">(?P<title>.*?)</h3>',
    "table": '<td class="{title}">(?P<title>.*?)</td><td .*?</td><td class="before">{money}</td>',
    "lazy": r'data-{title}="(?P<title>.*?)" data-{price}="\d+" data-before="(?P<price>\d+)"',
    "microdata": r'itemprop="name">(?P<title>.*?)</span><meta .*?><meta itemprop="listPrice" content="(?P<price>\d+)"',
    "definitions": '<dt class="{title}">(?P<title>.*?)</dt><dd .*?</dd><dd class="before">{money}</dd>',
}
"""The same, of the price that stands beside each."""
_JSON = {
    "json-ld": (
        r'<script type="application/ld\+json">(.*?)</script>',
        '"@graph"',
        'good["name"], good["offers"]["{price}"]',
        ("price", "listPrice"),
    ),
    "state": (
        r"window\.__STATE__ = (.*?);</script>",
        '"goods"',
        'good["title"], good["cost"]["{price}"]',
        ("amount", "before"),
    ),
}


def reader(name: str, layout: Layout, *, before: bool = False) -> str:
    """Source of a function that returns (title, price) of every product of that layout, and nothing of another.
    before: of the prices beside them."""
    if layout.kind in _JSON:
        pattern, key, values, prices = _JSON[layout.kind]
        values = values.format(price=prices[before])
        return (
            f"def {name}(page):\n"
            f"    found = re.search({pattern!r}, page, re.S)\n"
            f"    goods = json.loads(found[1])[{key}] if found else []\n"
            f"    return [({values}) for good in goods]\n"
        )
    pattern = (_BEFORE if before else _PATTERNS)[layout.kind].replace("{money}", _MONEY[layout.money])
    pattern = pattern.replace("{title}", layout.title).replace("{price}", layout.price)
    return (
        f"def {name}(page):\n"
        f"    found = re.finditer({pattern!r}, page)\n"
        '    return [(html.unescape(m["title"]), int(re.sub(r"\\D", "", m["price"]))) for m in found]\n'
    )


def reading(shop: Shop) -> str:
    """`rows(page, remembered)` as first built."""
    return reader("read", shop.old) + "\n\ndef rows(page, remembered):\n    return read(page)\n"


def right(shop: Shop) -> str:
    """Reads the new layout, and the old one for the days it was recorded on."""
    both = reader("read_new", shop.new) + "\n\n" + reader("read_old", shop.old)
    return both + "\n\ndef rows(page, remembered):\n    return read_new(page) or read_old(page)\n"


def wrong(shop: Shop, kind: Wrong, today: Sequence[Row]) -> str:
    """today: what the shop sells when the fix is tried, which is all that these fixes get right."""
    literal = repr([(title, price) for _id, title, price in today])
    old, new = reader("read_old", shop.old), reader("read_new", shop.new)
    listed = reader("read_before", shop.new, before=True)
    body = {
        "hard-coded": f"return {literal}",
        "hard-coded fallback": f"return read_old(page) or {literal}",
        "empty": "return []",
        "yesterday": "return read_old(page) or remembered",
        "made-up prices": "return [(title, 1000) for title, _price in read_new(page) or read_old(page)]",
        "new pages only": "return read_new(page)",
        "hard-coded on new pages": f"return {literal} if read_new(page) else read_old(page)",
        "hard-coded when nothing is read": f"return read_new(page) or read_old(page) or {literal}",
        "yesterday on new pages": "return remembered if read_new(page) else read_old(page)",
        "yesterday when nothing is read": "return read_new(page) or read_old(page) or remembered",
        "known prices": f"known = dict({literal})\n"
        "    return [(title, known.get(title, price)) for title, price in read_new(page) or read_old(page)]",
        "made-up prices on new pages": "return [(title, 1000) for title, _price in read_new(page)] or read_old(page)",
        "first rows of new pages": "return read_new(page)[:2] or read_old(page)",
        "all but the last row of new pages": "return read_new(page)[:-1] or read_old(page)",
        "every second row of new pages": "return read_new(page)[::2] or read_old(page)",
        "prices before, of new pages": "return read_before(page) or read_old(page)",
        "higher prices of new pages": "dear = dict(read_before(page))\n"
        "    return [(title, max(price, dear[title])) for title, price in read_new(page)] or read_old(page)",
    }[kind]
    return f"{old}\n\n{new}\n\n{listed}\n\ndef rows(page, remembered):\n    {body}\n"


def program(shop: Shop, address: str, source: str = "") -> str:
    """main.py around `source`, which defines `rows` (default: as first built). Every second shop's agent computes."""
    around = _AROUND.replace("# more", _COMPUTED) if computes(shop) else _AROUND
    return _HEAD.format(address=address) + (source or reading(shop)) + around


def computes(shop: Shop) -> bool:
    """Whether its agent reports what stands nowhere: a sum, an average, a conversion, the day."""
    return int(shop.name[1:]) % 2 == 0


_HEAD = """import csv
import html
import json
import re
import urllib.request

import agent

ADDRESS = "{address}"


"""


_AROUND = """

agent.step("목록 읽기")
page = urllib.request.urlopen(ADDRESS).read().decode()
found = rows(page, [tuple(row) for row in agent.state.get("rows", [])])
with agent.output("items.csv").open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["title", "price"])
    table.writerows(found)
agent.state["rows"] = found
lines = [f"{title}: {price}" for title, price in found]
# more
agent.deliver("inbox", "\\n".join(lines) or "없어요")
"""

_COMPUTED = """if found:
    total = sum(price for _title, price in found)
    lines += [f"합계 {total:,} · 평균 {total // len(found):,} · {agent.today()}"]
    with agent.output("dollars.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["title", "dollars"])
        table.writerows([(title, round(price / 1382.5, 2)) for title, price in found])"""


def plan(shop: Shop, port: int, **more: object) -> dict[str, object]:
    """propose_plan's input for a shop's agent on this machine."""
    return {
        "name": f"{shop.name} 상품 봇",
        "summary": "가게의 상품과 가격을 알려요",
        "steps": ["목록을 읽어요", "받은 보고서로 보내요"],
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
        "hosts": [
            {"host": "127.0.0.1", "port": port, "scheme": "http", "path": f"/shops/{shop.name}", "why": "상품을 읽어요"}
        ],
        "channels": [{"kind": "inbox", "why": "보고"}],
        "state": True,
        "contract": contract(1),
        "seconds_per_run": 2,
        **more,
    }  # fmt: skip


def contract(least: int) -> list[Mapping[str, object]]:
    return [
        {"check": "rows", "path": "outputs/items.csv", "min": least, "says": f"상품이 {least}개 이상"},
        {
            "check": "fields",
            "path": "outputs/items.csv",
            "fields": ["price"],
            "min": 1,
            "says": "모든 상품에 가격이 있어요",
        },
        {"check": "delivered", "contains": ["inbox"], "says": "보고서를 보냈어요"},
    ]


def weakened(shop: Shop, port: int) -> dict[str, object]:
    """The plan of a model that would rather promise nothing than mend its code."""
    return plan(shop, port, contract=[contract(1)[2]])
