"""The names of what a shop sells."""

import csv
import re
import urllib.request

import agent

agent.step("상품 읽기")
page = urllib.request.urlopen("http://shops.test/b/new", timeout=20).read().decode()
names = re.findall(r"<td><a[^>]*>(.*?)</a></td>", page)
with agent.output("goods.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["name"], *[[name] for name in names]])
agent.deliver("inbox", "\n".join(names), files=["goods.csv"])
