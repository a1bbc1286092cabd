"""A small web to record, and programs that use it in different ways, each told by a seed what to do."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WORDS = ("리넨 셔츠", "데님 팬츠", "울 머플러", "캠핑 의자", "원두 200g", "드립백", "노트북 파우치", "무드등")


class Web:
    """What it says changes with every request: whoever is answered twice the same was answered from a tape."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                web.requests.append(f"{self.command} {self.path}")
                status, headers, data = _answer(self.path, body, self.headers.get("cookie", ""), web)
                self.send_response(status)
                chunked = headers.pop("transfer-encoding", "")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header(
                    *(("transfer-encoding", "chunked") if chunked else ("content-length", str(len(data))))
                )
                self.end_headers()
                for start in range(0, len(data), 1000) if chunked else ():
                    piece = data[start : start + 1000]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n" if chunked else data)

            do_GET = do_POST = _do

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _goods(seed: int, count: int = 6) -> list[dict[str, object]]:
    chance = random.Random(seed)
    return [
        {"id": f"g{seed}-{n}", "name": chance.choice(WORDS), "price": chance.randrange(10, 99) * 500}
        for n in range(count)
    ]


def picture(seed: int) -> bytes:
    """A PNG of 16 by 16 random points."""
    chance = random.Random(seed)
    raw = b"".join(b"\0" + chance.randbytes(48) for _ in range(16))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _answer(path: str, body: bytes, cookie: str, web: Web) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(path)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    never_again = len(web.requests) * 7919 + time.time_ns()
    goods = _goods(never_again)
    json_type = {"content-type": "application/json; charset=utf-8"}
    match parts.path:
        case "/api":
            page = int(asked.get("page", "1"))
            following = page + 1 if page < 3 else None
            return (
                200,
                json_type,
                json.dumps({"items": goods, "next": following}, ensure_ascii=False).encode(),
            )
        case "/search":
            told = json.loads(body or b"{}")
            return 200, json_type, json.dumps({"asked": told, "items": goods}, ensure_ascii=False).encode()
        case "/page":
            rows = "".join(f'<li class="item"><b>{g["name"]}</b> <i>{g["price"]}원</i></li>' for g in goods)
            return 200, {"content-type": "text/html; charset=euc-kr"}, f"<ul>{rows}</ul>".encode("euc-kr")
        case "/feed":
            rows = "".join(f"<item><title>{g['name']}</title><guid>{g['id']}</guid></item>" for g in goods)
            feed = f"<?xml version='1.0'?><rss><channel>{rows}</channel></rss>"
            return 200, {"content-type": "application/rss+xml; charset=utf-8"}, feed.encode()
        case "/table":
            out = io.StringIO()
            writer = csv.DictWriter(out, ["id", "name", "price"])
            writer.writeheader()
            writer.writerows(_goods(never_again, 400))
            return (
                200,
                {"content-type": "text/csv", "content-encoding": "gzip"},
                gzip.compress(out.getvalue().encode()),
            )
        case "/long":
            text = "\n".join(f"{g['id']} {g['name']} {g['price']}" for g in _goods(never_again, 3000))
            return (
                200,
                {"content-type": "text/plain; charset=utf-8", "transfer-encoding": "chunked"},
                text.encode(),
            )
        case "/picture":
            return 200, {"content-type": "image/png"}, picture(never_again)
        case "/login":
            return 302, {"location": "/mine", "set-cookie": f"session=s{never_again}; Path=/"}, b""
        case "/mine":
            return 200, {"content-type": "text/plain; charset=utf-8"}, f"나: {cookie} {never_again}".encode()
        case "/slow":
            time.sleep(random.Random(never_again).random() / 10)
            return 200, json_type, json.dumps({"n": asked.get("n"), "said": never_again}).encode()
    return 404, {"content-type": "text/plain"}, f"nothing here {never_again}".encode()


START = """
import agent, csv, io, json, os, random, sys, urllib.error, urllib.request
HERE = "http://127.0.0.1:@PORT@"
SEED = agent.input or 0
chance = random.Random(SEED)

def get(path, **headers):
    with urllib.request.urlopen(urllib.request.Request(HERE + path, headers=headers)) as answer:
        return answer.read()
"""

PROGRAMS: dict[str, str] = {
    "pages of an API": """
page, found = 1, []
while page and len(found) < 6 * (1 + SEED % 3):
    answer = json.loads(get(f"/api?page={page}&seed={SEED}"))
    found += answer["items"]
    page = answer["next"]
agent.output("items.json").write_text(json.dumps(found, ensure_ascii=False, indent=1))
agent.deliver("inbox", f"{len(found)}개: " + ", ".join(one["name"] for one in found))
""",
    "a page and a feed": """
import re, xml.etree.ElementTree as tree
page = get("/page").decode("euc-kr")
feed = tree.fromstring(get(f"/feed?{SEED}"))
rows = re.findall("<b>(.*?)</b> <i>(.*?)원</i>", page)
with agent.output("새 상품.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([("이름", "가격"), *rows, *[(item.findtext("title"), "") for item in feed.iter("item")]])
agent.deliver("inbox", "오늘 본 것: " + " / ".join(name for name, _ in rows), files=["새 상품.csv"])
""",
    "a packed table and a long text": """
import gzip
rows = list(csv.DictReader(io.StringIO(gzip.decompress(get("/table")).decode())))
rows.sort(key=lambda row: (int(row["price"]), row["id"]))
long = get("/long").decode().splitlines()
agent.output("cheap.json").write_text(json.dumps(rows[: 5 + SEED % 5], ensure_ascii=False))
agent.output("sub/words.txt").write_text("\\n".join(sorted({line.split(" ", 1)[1] for line in long})[:50]))
agent.deliver("inbox", f"가장 싼 것: {rows[0]['name']} {rows[0]['price']}원, {len(long)}줄")
""",
    "pictures and a zip": """
import struct, zipfile, zlib
agent.output("got.png").write_bytes(get("/picture"))
raw = b"".join(b"\\0" + random.randbytes(3 * 20) for _ in range(20))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
made = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 2, 0, 0, 0))
agent.output("made.png").write_bytes(made + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
with zipfile.ZipFile(agent.output("both.zip"), "w", zipfile.ZIP_DEFLATED) as both:
    both.write("outputs/got.png", "got.png")
    both.writestr("memo.txt", "그림 두 장")
agent.deliver("inbox", "그림", files=["got.png", "both.zip"])
""",
    "redirects and cookies": """
import http.cookiejar
jar = http.cookiejar.CookieJar()
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
first = opener.open(HERE + "/login").read().decode()
second = opener.open(HERE + "/mine").read().decode()
agent.output("mine.txt").write_text(first + "\\n" + second)
try:
    get(f"/nowhere/{SEED}")
except urllib.error.HTTPError as error:
    agent.deliver("inbox", f"{error.code} {error.read().decode()} {len(jar)}")
""",
    "a search that posts": """
import uuid
found = []
for n in range(2 + SEED % 3):
    asked = json.dumps({"id": str(uuid.uuid4()), "n": n, "words": sorted({"가", "나", "다"})}).encode()
    request = urllib.request.Request(HERE + "/search", asked, {"content-type": "application/json"})
    found.append(json.loads(urllib.request.urlopen(request).read()))
agent.output("found.json").write_text(json.dumps(found, ensure_ascii=False))
agent.deliver("inbox", f"{len(found)}번 찾았어요: {found[0]['asked']['id']}")
""",
    "four at once": """
from concurrent.futures import ThreadPoolExecutor, as_completed
import uuid
def one(n):
    return json.loads(get(f"/slow?n={n}"))["said"], str(uuid.uuid4())
with ThreadPoolExecutor(4) as pool:
    asked = {pool.submit(one, n): n for n in range(4)}
    said = {asked[done]: done.result() for done in as_completed(asked)}
agent.output("said.json").write_text(json.dumps({n: said[n] for n in sorted(said)}))
agent.deliver("inbox", f"합계 {sum(number for number, _ in said.values())}")
""",
    "chance and time": """
import datetime, secrets, tempfile, time, uuid
lines = [str(random.random()), str(uuid.uuid4()), secrets.token_hex(8), os.urandom(6).hex()]
lines.append(str(random.Random().random()))
lines += [str(list({"봄", "여름", "가을", "겨울"})), str(random.sample(range(1000), 5)), tempfile.mktemp(dir="/box")]
lines += [datetime.datetime.now().strftime("%Y-%m-%d %H시"), time.strftime("%d/%m/%Y")]
lines += [str(agent.today()), str(agent.now())]
lines += [str(abs(time.time() - agent.now().timestamp()) < 60), str(datetime.date.today()), time.tzname[0]]
agent.output("all.txt").write_text("\\n".join(lines))
agent.deliver("inbox", "\\n".join(lines))
""",
    "the practice shops": """
found = []
for path in ("/shop-a/new", "/shop-b/feed.xml", "/shop-c/", "/data/sales.json")[: 2 + SEED % 3]:
    with urllib.request.urlopen("https://practice.agentbuilder.test" + path) as answer:
        page = answer.read().decode("cp949" if "shop-c" in path else "utf-8")
        found.append((path, answer.headers["content-type"], page))
agent.output("shops.json").write_text(json.dumps(found, ensure_ascii=False))
agent.deliver("inbox", f"연습 가게 {len(found)}곳")
""",
    "state from run to run": """
seen = agent.state.setdefault("seen", [])
new = [one["id"] for one in json.loads(get("/api"))["items"] if one["id"] not in seen]
seen += new
agent.state["runs"] = agent.state.get("runs", 0) + 1
(agent.state_dir / "last.txt").parent.mkdir(exist_ok=True)
(agent.state_dir / "last.txt").write_text("마지막: " + new[-1])
agent.output("new.json").write_text(json.dumps([new, len(seen), agent.state["runs"]]))
agent.deliver("inbox", f"{agent.state['runs']}번째, 모두 {len(seen)}개")
""",
    "an error of its own": """
print("받은 것:", len(get("/api")))
agent.output("before.txt").write_text(str(random.random()))
raise SystemExit(3 + SEED % 2) if SEED % 2 else ValueError("값이 이상해요")
""",
    "requests": """
import requests, uuid
session = requests.Session()
mine = session.get(HERE + "/login").text
table = session.get(HERE + "/table")
posted = session.post(HERE + "/search", json={"q": str(uuid.uuid4())}).json()
agent.output("mine.txt").write_text(mine + "\\n" + table.text[:2000])
agent.deliver("inbox", f"{table.headers['content-encoding']} {posted['asked']['q']} {len(session.cookies)}")
""",
    "httpx": """
import httpx
with httpx.Client(follow_redirects=True) as client:
    mine = client.get(HERE + "/login").text
    pages = [client.get(HERE + "/api", params={"page": n}).json()["items"][0]["name"] for n in (1, 2)]
    posted = client.post(HERE + "/search", files=None, json={"n": random.randrange(10**6)}).json()["asked"]
agent.output("mine.txt").write_text(mine)
agent.deliver("inbox", ", ".join(pages) + str(posted))
""",
}
PACKAGES = {"requests": ("requests",), "httpx": ("httpx",)}


def program(name: str, port: int) -> str:
    return (START + PROGRAMS[name]).replace("@PORT@", str(port))
