"""The newest headlines of a feed, with the dollar's rate beneath."""

import csv
import re
import urllib.request
import xml.etree.ElementTree as ET

import agent

agent.step("소식과 환율")
feed = ET.fromstring(urllib.request.urlopen("http://sites.test/feed.xml", timeout=20).read())  # noqa: S314 - what an agent may write
titles = [item.findtext("title") or "" for item in feed.iter("item")]
page = urllib.request.urlopen("http://sites.test/rates", timeout=20).read().decode()
dollar = re.search(r"<td>USD</td><td>([\d,.]+)</td>", page)
with agent.output("news.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["title"], *[[title] for title in titles]])
rate = dollar[1] if dollar else "없음"
agent.deliver("inbox", "\n".join([*titles, f"1달러 {rate}원"]))
