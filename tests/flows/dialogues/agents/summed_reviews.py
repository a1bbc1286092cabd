"""Has a model say in one line what today's reviews complain about."""

import csv
import html
import re
import urllib.request

import agent

agent.step("후기 읽기")
page = urllib.request.urlopen("http://sites.test/reviews", timeout=20).read().decode()
reviews = [
    (int(stars), html.unescape(text))
    for stars, text in re.findall(r'<li class="review" data-stars="(\d)">(.*?)</li>', page)
]
with agent.output("reviews.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["stars", "text"], *reviews])

agent.step("요약")
bad = "\n".join(text for stars, text in reviews if stars <= 2)
said = agent.llm("다음 후기의 불만을 한 문장으로 요약해 줘.\n" + bad, max_tokens=200)
agent.deliver("inbox", f"후기 {len(reviews)}개. 불만 요약: {said}")
