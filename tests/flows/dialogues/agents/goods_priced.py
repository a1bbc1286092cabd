"""The names and prices of what a shop sells."""

import csv
import re
import urllib.request

import agent

agent.step("상품 읽기")
page = urllib.request.urlopen("http://shops.test/b/new", timeout=20).read().decode()
goods = re.findall(r"<td><a[^>]*>(.*?)</a></td><td>([\d,]+)원</td>", page)
with agent.output("goods.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["name", "price"], *[[n, p.replace(",", "")] for n, p in goods]])
agent.deliver("inbox", "\n".join(f"{name} {price}원" for name, price in goods), files=["goods.csv"])
