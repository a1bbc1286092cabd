"""Runs that went well, as different from day to day as the world is: few rows on Sundays, moving prices, optional
fields left out, odd letters, days with nothing new. The same seed makes the same two days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from tests.unit.agentfile.outcomes.agents import AGENTS
from tests.unit.agentfile.outcomes.measuring import Run
from tests.unit.agentfile.outcomes.writing import Table, csv_text, cues, json_text, picture, workbook

_FIRST = date(2026, 11, 2)
_NOUNS = [
    "보틀",
    "담요",
    "Lamp",
    "鉛筆",
    "머그컵 🧋",
    "우산",
    "Café 트레이",
    "노트",
    "의자",
    "커튼",
    "스탠드",
    "양말",
]
_KINDS = ["미니", "대용량", "1+1", "Basic", "가을", "한정판", "(리퍼)", "2026", "친환경", "무선"]
_HEADS = ["정부", "서울시", "삼성전자", "기상청", "한국은행", "OpenAI", "국회", "의료계", "교육부", "LG CNS"]
_TAILS = [
    "새 대책 발표",
    "3분기 실적 공개…시장 '깜짝'",
    "내일 전국에 비",
    "기준금리 동결",
    "AI 투자 확대",
    "개편안 논의",
]
_LINES = [
    "안녕하세요 여러분",
    "오늘은 이걸 해 볼게요",
    "먼저 물을 끓입니다",
    "네, 맞아요",
    "와, 정말 맛있겠다",
    "(웃음)",
]


def day_before(name: str, seed: int) -> tuple[Run, Run]:
    """(the run of the day before, the run): two days of one agent that both went well."""
    chance = Random(f"{name}/{seed}")
    today = _FIRST + timedelta(days=seed)
    before, run = _WORLDS[name](chance, today)
    return replace(before, now=_at(today - timedelta(days=1))), replace(run, now=_at(today))


def seeds(count: int) -> list[tuple[str, int]]:
    """(agent, seed) in turn, so that each agent meets every weekday."""
    names = list(AGENTS)
    return [(names[number % len(names)], number // len(names)) for number in range(count)]


def _at(day: date) -> str:
    return f"{day}T09:00:00+09:00"


def _quiet(today: date) -> bool:
    return today.weekday() == 6


def _shops(chance: Random, today: date) -> tuple[Run, Run]:
    goods = {
        f"https://{shop}.example.com/p/{number}": (
            shop,
            f"{chance.choice(_KINDS)} {chance.choice(_NOUNS)}",
            chance.randrange(19, 8900) * 100,
        )
        for shop in ("moa", "dalbit", "haru")
        for number in range(chance.randint(6, 40))
    }
    later = {
        url: (
            shop,
            name,
            max(100, round(price * chance.uniform(0.9, 1.1), -2)) if chance.random() < 0.1 else price,
        )
        for url, (shop, name, price) in goods.items()
        if chance.random() > 0.03
    }
    fresh = 0 if _quiet(today) else chance.randint(0, 4)
    later |= {
        f"https://moa.example.com/p/{900 + n}": (
            "moa",
            f"신상 {chance.choice(_NOUNS)}",
            chance.randrange(19, 900) * 100,
        )
        for n in range(fresh)
    }
    return _shop_run(goods, 0, chance), _shop_run(later, fresh, chance)


def _shop_run(goods: Mapping[str, tuple[str, str, float]], fresh: int, chance: Random) -> Run:
    items: Table = [["source", "name", "price", "url", "image"]]
    for url, (shop, name, price) in goods.items():
        items.append([shop, name, f"{price:.0f}", url, chance.choice(["", url.replace("/p/", "/i/")])])
    sources: Table = [["source", "status", "items", "new", "changed", "gone"]]
    for shop in ("moa", "dalbit", "haru"):
        count = sum(1 for one, _, _ in goods.values() if one == shop)
        sources.append([shop, "ok", str(count), str(fresh if shop == "moa" else 0), "0", "0"])
    text = (
        f"오늘 새 상품이 {fresh}개 있어요."
        if fresh
        else "오늘은 새 상품이 없어요. 세 가게를 모두 확인했어요."
    )
    reports = (("slack", text), ("inbox", text))
    return Run(reports=reports).put("items.csv", csv_text(items)).put("sources.csv", csv_text(sources))


def _prices(chance: Random, today: date) -> tuple[Run, Run]:
    names = [f"{kind} {noun}" for kind in _KINDS for noun in _NOUNS]
    chosen = chance.sample(names, chance.randint(11, 60))
    before = {name: chance.randrange(29, 3900) * 100 for name in chosen}
    now = {name: round(price * chance.uniform(0.8, 1.2), -2) for name, price in before.items()}

    def run(prices: Mapping[str, float]) -> Run:
        table: Table = [["상품", "판매가", "배송비", "비고"]]
        for name, price in prices.items():
            fee = chance.choice(["0", "2500", "3000"])
            table.append([name, f"{price:.0f}", fee, chance.choice(["", "품절 임박"])])
        text = f"가격 {len(prices)}개를 정리했어요."
        return Run(reports=(("inbox", text),)).put("prices.xlsx", workbook(table))

    return run(before), run(now)


def _news(chance: Random, today: date) -> tuple[Run, Run]:
    def run(day: date) -> Run:
        now = datetime.combine(day, datetime.min.time(), UTC)
        count = chance.randint(1, 4) if _quiet(day) else chance.randint(3, 25)
        table: Table = [["title", "url", "published", "author"]]
        for number in range(count):
            hours = chance.uniform(0, 40) if number else chance.uniform(0, 20)
            title = f"{chance.choice(_HEADS)}, {chance.choice(_TAILS)}"
            url = f"https://news.example.com/{day:%Y%m%d}/{number}"
            moment = (now - timedelta(hours=hours)).isoformat(timespec="seconds")
            table.append([title, url, moment, chance.choice(["", "김기자"])])
        lines = "\n".join(f"- {row[0]} {row[1]}" for row in table[1:8])
        text = f"오늘의 뉴스 {count}건을 골랐어요.\n{lines}"
        return Run(reports=(("slack", text),)).put("articles.csv", csv_text(table))

    return run(today - timedelta(days=1)), run(today)


def _video(chance: Random, today: date) -> tuple[Run, Run]:
    def run() -> Run:
        lines = [
            f"{chance.choice(_LINES)} {chance.choice(['', str(chance.randint(1, 99)), '그렇죠?'])}".strip()
            for _ in range(chance.randint(30, 300))
        ]
        # What people really say repeats itself, but not all the time.
        spoken = [f"{line} {number}번째" if number % 2 else line for number, line in enumerate(lines)]
        text = "자막을 만들었어요."
        return Run(reports=(("inbox", text),)).put("video.srt", cues(spoken, chance))

    return run(), run()


def _sales(chance: Random, today: date) -> tuple[Run, Run]:
    months = [f"2026-{number:02}" for number in range(1, chance.randint(7, 13))]

    def run() -> Run:
        table: Table = [["month", "sales", "orders"]]
        for month in months:
            table.append([month, str(chance.randint(900_000, 40_000_000)), str(chance.randint(30, 900))])
        best = max(table[1:], key=lambda row: int(row[1]))
        report = (
            f"# 월별 매출\n\n가장 많이 판 달은 {best[0]}이고 매출은 {int(best[1]):,}원이에요. "
            "지난달보다 늘었는지 아래 그림에서 볼 수 있어요.\n"
        )
        reports = (("email", "이번 달 매출 차트를 보내요."),)
        chart = picture(chance.choice([640, 800, 1200]), chance.choice([480, 600]), chance)
        made = Run(reports=reports).put("sales.csv", csv_text(table)).put("report.md", report)
        return made.put("sales.png", chart)

    return run(), run()


def _visits(chance: Random, today: date) -> tuple[Run, Run]:
    first = today - timedelta(days=chance.randint(4, 60))
    table: Table = [["date", "visits", "orders"]]
    while first < today - timedelta(days=1):
        table.append(
            [str(first), str(chance.randint(0 if _quiet(first) else 40, 4000)), str(chance.randint(0, 90))]
        )
        first += timedelta(days=1)

    def run(rows: Table) -> Run:
        more = chance.choice(["늘었어요", "줄었어요", "같아요"])
        text = f"방문이 어제보다 {more}. 모두 {len(rows) - 1}일치 자료예요."
        return Run(reports=(("inbox", text),)).put("history.csv", csv_text(rows))

    last = [str(today - timedelta(days=1)), str(chance.randint(0, 4000)), str(chance.randint(0, 90))]
    return run(table), run([*table, last])


def _rates(chance: Random, today: date) -> tuple[Run, Run]:
    middle = {"USD": 1390.0, "EUR": 1600.0, "JPY": 9.2, "CNY": 195.0, "GBP": 1850.0}
    before = {name: rate * chance.uniform(0.9, 1.1) for name, rate in middle.items()}

    def run(rates: dict[str, float], day: date) -> Run:
        # Nobody sets rates at a weekend: Friday's stand.
        posted = day - timedelta(days=max(0, day.weekday() - 4))
        table: Table = [["currency", "rate", "date"]]
        table += [[name, f"{rate:,.2f}", str(posted)] for name, rate in rates.items()]
        text = f"오늘의 환율: USD {rates['USD']:,.2f}원, EUR {rates['EUR']:,.2f}원"
        return Run(reports=(("inbox", text),)).put("rates.csv", csv_text(table))

    weekend = today.weekday() > 4
    after = before if weekend else {name: rate * chance.uniform(0.97, 1.03) for name, rate in before.items()}
    return run(before, today - timedelta(days=1)), run(after, today)


def _orders(chance: Random, today: date) -> tuple[Run, Run]:
    def run(day: date) -> Run:
        count = 0 if _quiet(day) or chance.random() < 0.1 else chance.randint(1, 120)
        orders = [
            {
                "id": f"A{day:%m%d}-{number:04}",
                "status": chance.choice(["paid", "shipped", "cancelled"]),
                "amount": chance.choice([0, 12_900, 39_000.5, 1_250_000]),
                "created_at": f"{day}T{chance.randint(0, 8):02}:10:00Z",
                **({"memo": "문 앞에 🙏"} if chance.random() < 0.3 else {}),
            }
            for number in range(count)
        ]
        pages = csv_text([["page", "status"], *([str(n), "200"] for n in range(1, count // 50 + 2))])
        text = f"새 주문이 {count}건이에요." if count else "새 주문이 없어요."
        made = Run(reports=(("slack", text),)).put("pages.csv", pages)
        return made.put("orders.json", json_text({"generated": _at(day), "orders": orders}))

    return run(today - timedelta(days=1)), run(today)


def _lunch(chance: Random, today: date) -> tuple[Run, Run]:
    dishes = ["김치찌개", "제육볶음", "비빔밥", "돈까스", "냉면", "쌀국수(Pho)", "샐러드 볼", "순두부"]

    def run() -> Run:
        chosen = chance.sample(dishes, chance.randint(2, 6))
        table: Table = [["menu", "price"], *([dish, str(chance.randrange(50, 150) * 100)] for dish in chosen)]
        text = f"오늘 점심은 {', '.join(chosen)} 가운데 골라 보세요. 맛있게 드세요 🍚"
        return Run(reports=(("slack", text),)).put("menu.csv", csv_text(table))

    return run(), run()


def _jobs(chance: Random, today: date) -> tuple[Run, Run]:
    titles = ["Data Engineer", "Marketing Manager", "UX Researcher", "Résumé Writer", "SRE (m/f/d)", "COO"]
    openings = [
        (f"{chance.choice(titles)} {chance.choice(['', 'II', '- Seoul', '서울'])}".strip(), f"{number}")
        for number in range(chance.randint(6, 40))
    ]

    def run(day: date, some: list[tuple[str, str]]) -> Run:
        table: Table = [["title", "company", "url", "posted", "salary"]]
        for number, (title, key) in enumerate(some):
            posted = day - timedelta(days=chance.randint(0, 20) if number else chance.randint(0, 1))
            company = chance.choice(["Acme", "Müller GmbH", "카카오", "O'Neil & Co"])
            row = [title, company, f"https://jobs.example.com/{key}", str(posted), chance.choice(["", "60k"])]
            table.append(row)
        text = f"{len(some)} openings today. The newest: {some[0][0]}."
        return Run(reports=(("email", text),)).put("jobs.tsv", csv_text(table, "\t"))

    return run(today - timedelta(days=1), openings), run(today, openings[: max(4, len(openings) - 2)])


_WORLDS: dict[str, Callable[[Random, date], tuple[Run, Run]]] = {
    "shop watcher": _shops,
    "price table": _prices,
    "news digest": _news,
    "video subtitles": _video,
    "chart report": _sales,
    "yesterday's analysis, continued": _visits,
    "currency table": _rates,
    "orders from an API": _orders,
    "lunch menu on Slack": _lunch,
    "job openings": _jobs,
}
