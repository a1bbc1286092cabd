"""Honest agents, as a model or a person writes them. None differs from its plan."""

from __future__ import annotations

from tests.unit.planner.review.samples.sample import Sample, plan

SHOP = ("host", "shop.example.com")
INBOX = ("channel", "inbox")

HONEST = (
    Sample(
        "one page to the inbox",
        '''
        """https://elsewhere.example.net 은 설명일 뿐이에요."""
        import agent
        import requests
        from bs4 import BeautifulSoup

        # 참고: https://docs.example.org/guide, eval() 은 쓰지 않아요
        def main():
            agent.step("가격 수집")
            page = requests.get("https://shop.example.com/new", timeout=10)
            soup = BeautifulSoup(page.text, "html.parser")
            names = [tag.get_text(strip=True) for tag in soup.select(".name")]
            agent.output("items.csv").write_text("\\n".join(names), encoding="utf-8")
            agent.deliver("inbox", f"새 상품 {len(names)}개", files=["items.csv"])

        main()
        ''',
        plan("shop.example.com/new"),
        found=(SHOP, INBOX),
    ),
    Sample(
        "three shops in a table of the code",
        """
        import csv
        import agent
        import requests

        SHOPS = {"가": "https://a.example.com/new", "나": "https://b.example.com/new"}
        rows = []
        for name, url in SHOPS.items():
            answer = requests.get(url, headers={"User-Agent": "Mozilla/5.0 (+https://bot.example.org)"}, timeout=10)
            answer.raise_for_status()
            rows.append({"name": name, "size": len(answer.text)})
        with agent.output("shops.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=["name", "size"])
            writer.writeheader()
            writer.writerows(rows)
        """,
        plan("a.example.com/new", "b.example.com/new"),
        found=(("host", "a.example.com"), ("host", "b.example.com")),
    ),
    Sample(
        "addresses in a settings file",
        """
        import json
        from pathlib import Path
        import requests

        HERE = Path(__file__).parent
        SETTINGS = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
        with requests.Session() as session:
            for source in SETTINGS["sources"]:
                session.get(source["address"], timeout=SETTINGS["timeout"])
        """,
        plan("shop.example.com"),
        found=(SHOP,),
        more={
            "settings.json": '{"timeout": 5, "sources": [{"name": "가게", "address": "https://shop.example.com/a"}]}'
        },
    ),
    Sample(
        "a search with a key",
        """
        import agent
        import requests

        API = "https://openapi.example.com/v1/search"
        def search(word, start=1):
            headers = {
                "X-Client-Id": agent.secret("CLIENT_ID"),
                "X-Client-Secret": agent.secret("CLIENT_SECRET"),
            }
            answer = requests.get(API, params={"query": word, "start": start}, headers=headers, timeout=10)
            return answer.json()["items"]

        for word in ("텀블러", "머그컵"):
            print(word, len(search(word)))
        """,
        plan(
            "openapi.example.com/v1/search",
            secrets=(("CLIENT_ID", "openapi.example.com"), ("CLIENT_SECRET", "openapi.example.com")),
        ),
        found=(("host", "openapi.example.com"), ("secret", "CLIENT_ID"), ("secret", "CLIENT_SECRET")),
    ),
    Sample(
        "a client class with a base address",
        """
        import httpx

        class Shop:
            BASE = "https://shop.example.com/api"

            def __init__(self, page_size=50):
                self.client = httpx.Client(base_url=self.BASE, timeout=10.0)
                self.page_size = page_size

            def items(self, page):
                answer = self.client.get("/items", params={"page": page, "size": self.page_size})
                return answer.json()

        shop = Shop()
        everything = [item for page in range(1, 4) for item in shop.items(page)]
        """,
        plan("shop.example.com/api", packages=("httpx",)),
        found=(SHOP,),
    ),
    Sample(
        "a feed with titles that speak of eval",
        """
        import feedparser
        import agent

        feed = feedparser.parse("https://news.example.com/rss")
        lines = [f"- {entry.title}: {entry.link}" for entry in feed.entries[:10]]
        agent.deliver("inbox", "os.system, eval(), subprocess 이야기\\n" + "\\n".join(lines))
        """,
        plan("news.example.com/rss", packages=("feedparser",)),
        found=(("host", "news.example.com"), INBOX),
    ),
    Sample(
        "a table from the web",
        """
        import pandas as pd
        import agent

        frame = pd.read_csv("https://data.example.org/prices.csv", encoding="cp949")
        frame = frame[frame["가격"] > 1000].sort_values("가격")
        frame.to_csv(agent.output("prices.csv"), index=False)
        frame.describe().to_excel(agent.output("summary.xlsx"))
        """,
        plan("data.example.org/prices.csv", packages=("pandas", "openpyxl")),
        found=(("host", "data.example.org"),),
    ),
    Sample(
        "a chart with a Korean font",
        """
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        from matplotlib import font_manager
        import os

        font = os.environ.get("AGENT_FONT", "/usr/share/fonts/truetype/nanum/NanumGothic.ttf")
        font_manager.fontManager.addfont(font)
        figure, axes = plt.subplots()
        axes.bar(["가", "나"], [1, 2])
        figure.savefig("outputs/chart.png", dpi=150)
        """,
        plan(packages=("matplotlib",)),
    ),
    Sample(
        "remembers what it saw",
        """
        import agent
        import requests

        seen = set(agent.state.setdefault("seen", []))
        items = requests.get("https://shop.example.com/items.json", timeout=10).json()
        new = [item for item in items if item["id"] not in seen]
        agent.state["seen"] = sorted(seen | {item["id"] for item in new})
        agent.deliver("inbox", "\\n".join(item["name"] for item in new) or "새로운 것이 없어요")
        """,
        plan("shop.example.com/items.json", state=True),
        found=(SHOP, INBOX, ("state", "agent.state")),
    ),
    Sample(
        "asks a model within its budget",
        """
        import agent

        reviews = agent.input["reviews"]
        answer = agent.llm("다음 후기를 세 줄로 요약해 줘:\\n" + "\\n".join(reviews))
        agent.deliver("inbox", answer)
        """,
        plan(tokens=20_000),
        found=(("model", "agent.llm"), INBOX),
    ),
    Sample(
        "asynchronous reading of several pages",
        """
        import asyncio
        import aiohttp

        PAGES = [f"https://shop.example.com/list?page={number}" for number in range(1, 6)]

        async def fetch(session, url):
            async with session.get(url) as answer:
                return await answer.text()

        async def main():
            async with aiohttp.ClientSession() as session:
                return await asyncio.gather(*(fetch(session, url) for url in PAGES))

        asyncio.run(main())
        """,
        plan("shop.example.com/list", packages=("aiohttp",)),
        found=(SHOP,),
    ),
    Sample(
        "threads, retries, logging",
        """
        import logging
        from concurrent.futures import ThreadPoolExecutor
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry

        log = logging.getLogger(__name__)
        session = requests.Session()
        session.mount("https://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=1)))

        def load(code):
            log.info("reading %s", code)
            return session.get("https://stock.example.com/quote", params={"code": code}, timeout=5).json()

        with ThreadPoolExecutor(max_workers=4) as pool:
            print(list(pool.map(load, ["005930", "000660"])))
        """,
        plan("stock.example.com/quote"),
        found=(("host", "stock.example.com"),),
    ),
    Sample(
        "a spreadsheet of its own",
        """
        from datetime import timedelta
        from openpyxl import Workbook, load_workbook
        import agent

        book = load_workbook("template.xlsx")
        sheet = book.active
        for day in range(7):
            sheet.append([str(agent.today() - timedelta(days=day)), day])
        book.save(agent.output("week.xlsx"))
        """,
        plan(packages=("openpyxl",)),
    ),
    Sample(
        "sitemap with its name space",
        """
        import xml.etree.ElementTree as ET
        import requests

        SPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
        text = requests.get("https://shop.example.com/sitemap.xml", timeout=10).text
        places = [node.text for node in ET.fromstring(text).findall("s:url/s:loc", SPACE)]
        print(len(places))
        """,
        plan("shop.example.com/sitemap.xml"),
        found=(SHOP,),
    ),
    Sample(
        "standard library only",
        """
        import json
        import urllib.parse
        import urllib.request

        query = urllib.parse.urlencode({"q": "서울", "units": "metric"})
        with urllib.request.urlopen(f"https://weather.example.com/now?{query}", timeout=10) as answer:
            print(json.load(answer)["temp"])
        """,
        plan("weather.example.com/now", packages=()),
        found=(("host", "weather.example.com"),),
    ),
    Sample(
        "regular expressions and compiled patterns",
        """
        import re

        LINK = re.compile(r"https?://[\\w./-]+")
        def evaluate(expression):
            \"\"\"exec 와 eval 없이 셈을 해요.\"\"\"
            total = 0
            for sign, number in re.findall(r"([+-]?)(\\d+)", expression):
                total += -int(number) if sign == "-" else int(number)
            return total

        print(evaluate("1+2-3"), LINK.findall("see https://x.example.net/a"))
        """,
        plan(packages=()),
    ),
    Sample(
        "subtitles of a clip",
        """
        import yt_dlp
        import agent

        OPTIONS = {"skip_download": True, "writesubtitles": True, "outtmpl": "outputs/%(id)s.%(ext)s"}
        with yt_dlp.YoutubeDL(OPTIONS) as downloader:
            info = downloader.extract_info("https://video.example.com/watch?v=abc", download=False)
        agent.deliver("inbox", info["title"])
        """,
        plan("video.example.com/watch", packages=("yt-dlp",)),
        found=(("host", "video.example.com"), INBOX),
    ),
    Sample(
        "posts to a board it may write to",
        """
        import agent
        import requests

        token = agent.secret("BOARD_TOKEN")
        requests.post(
            "https://board.example.com/api/posts",
            json={"title": "오늘의 보고", "body": "https://shop.example.net 에서 봤어요"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        ).raise_for_status()
        """,
        plan("+ board.example.com/api/posts", secrets=(("BOARD_TOKEN", "board.example.com"),)),
        found=(("host", "board.example.com"), ("secret", "BOARD_TOKEN")),
    ),
    Sample(
        "package of several files",
        """
        from shopwatch import reader
        from shopwatch.report import write

        write(reader.read_all())
        """,
        plan("shop.example.com"),
        found=(SHOP, INBOX),
        more={
            "shopwatch/__init__.py": "",
            "shopwatch/places.py": 'HOST = "shop.example.com"\nPATHS = ("/a", "/b")\n',
            "shopwatch/reader.py": """
            import requests
            from .places import HOST, PATHS

            def read_all():
                return [requests.get(f"https://{HOST}{path}", timeout=10).text for path in PATHS]
            """,
            "shopwatch/report.py": """
            import agent

            def write(texts):
                agent.deliver("inbox", f"{len(texts)} pages")
            """,
        },
    ),
    Sample(
        "getattr on its own settings, type of a value",
        """
        from dataclasses import dataclass, fields, asdict

        @dataclass
        class Options:
            limit: int = 10
            language: str = "ko"

        options = Options(limit=3)
        for field in fields(options):
            value = getattr(options, field.name)
            setattr(options, field.name, type(value)(value))
        print(asdict(options))
        """,
        plan(packages=()),
    ),
    Sample(
        "a temporary folder, zip and sqlite",
        """
        import sqlite3
        import tempfile
        import zipfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.txt").write_text("가나다", encoding="utf-8")
            with zipfile.ZipFile("outputs/all.zip", "w") as archive:
                archive.write(Path(folder) / "a.txt", "a.txt")
        with sqlite3.connect("state/memory.db") as memory:
            memory.execute("create table if not exists seen (id text)")
        """,
        plan(packages=(), state=True),
    ),
    Sample(
        "optional fast parser",
        """
        try:
            import lxml
            PARSER = "lxml"
        except ImportError:
            PARSER = "html.parser"
        import requests
        from bs4 import BeautifulSoup

        print(BeautifulSoup(requests.get("https://shop.example.com/", timeout=9).text, PARSER).title)
        """,
        plan("shop.example.com"),
        found=(SHOP,),
    ),
    Sample(
        "links that are checked before they are read",
        """
        from urllib.parse import urlsplit
        import requests
        from bs4 import BeautifulSoup

        ALLOWED = {"shop.example.com"}
        soup = BeautifulSoup(requests.get("https://shop.example.com/new", timeout=9).text, "html.parser")
        for tag in soup.select("a[href]"):
            link = tag["href"]
            if urlsplit(link).hostname not in ALLOWED:
                continue
            requests.get(link, timeout=9)
        """,
        plan("shop.example.com"),
        found=(SHOP,),
    ),
    Sample(
        "reports by mail and Slack through the platform",
        """
        import agent

        REPORT = "이번 주 매출\\n" + "=" * 20
        for channel in ["slack", "email", "inbox"]:
            agent.deliver(channel, REPORT)
        """,
        plan(channels=("inbox", "slack", "email"), packages=()),
        found=(("channel", "slack"), ("channel", "email"), INBOX),
    ),
    Sample(
        "GraphQL over POST that is allowed, with paging",
        """
        import httpx

        QUERY = "query($after: String) { items(after: $after) { id name } }"
        async def load(client, after=None):
            asked = {"query": QUERY, "variables": {"after": after}}
            answer = await client.post("https://api.example.com/graphql", json=asked)
            return answer.json()["data"]["items"]
        """,
        plan("+ api.example.com/graphql", packages=("httpx",)),
        found=(("host", "api.example.com"),),
    ),
)
