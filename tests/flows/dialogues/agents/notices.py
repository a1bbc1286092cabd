"""Notices that were not there last time."""

import csv
import html
import re
import urllib.request

import agent

agent.step("공지 읽기")
page = urllib.request.urlopen("http://sites.test/notices", timeout=20).read().decode()
notices = [
    (number, html.unescape(text))
    for number, text in re.findall(r'<span class="no">(.*?)</span> <a>(.*?)</a>', page)
]
seen = agent.state.get("seen", [])
new = [text for number, text in notices if number not in seen]
agent.state["seen"] = [number for number, _text in notices]
with agent.output("notices.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["number", "text"], *notices])
agent.deliver("inbox", "\n".join(["새 공지:", *new]) if new else "새 공지가 없어요.")
