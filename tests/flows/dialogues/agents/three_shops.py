"""What three shops have new since last time, and the words that come up most."""

import collections
import csv
import html
import re
import urllib.request

import agent

ADDRESSES = ["http://shops.test/a/new", "http://shops.test/b/new", "http://shops.test/c/new"]
PATTERNS = [r'"name": "([^"]+)"', r"<td><a[^>]*>(.*?)</a></td>", r'class="name">(.*?)</strong>']

agent.step("가게 세 곳 읽기")
found = []
sources = []
for address in ADDRESSES:
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - addresses of its own
        page = answer.read().decode(answer.headers.get_content_charset() or "utf-8")
    titles = next((hits for pattern in PATTERNS if (hits := re.findall(pattern, page))), [])
    sources.append([address, len(titles)])
    found += [html.unescape(title) for title in titles]

agent.step("새 상품과 키워드")
seen = set(agent.state.get("seen", []))
new = [title for title in found if title not in seen]
agent.state["seen"] = sorted(seen | set(found))
words = collections.Counter(word for title in new for word in title.split() if not word[0].isdigit())

with agent.output("sources.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["address", "found"], *sources])
with agent.output("new.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["title"], *[[title] for title in new]])
lines = [f"새 상품 {len(new)}개", *[f"• {title}" for title in new]]
lines.append("키워드: " + ", ".join(word for word, _count in words.most_common(5)))
agent.deliver("slack", "\n".join(lines) if new else "오늘은 새 상품이 없어요.")
