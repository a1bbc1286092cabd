"""Reads all pages of a shop's interface and lists what is about to run out."""

import csv
import json
import urllib.request

import agent

agent.step("재고 읽기")
products = []
page = 1
while page:
    text = urllib.request.urlopen(f"http://sites.test/api/products?page={page}", timeout=20).read()
    answer = json.loads(text)
    products += answer["items"]
    page = answer["next"]

low = sorted((p for p in products if p["stock"] <= 3), key=lambda p: (p["stock"], p["name"]))
with agent.output("stock.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["name", "stock"], *[[p["name"], p["stock"]] for p in products]])
lines = [f"{p['name']}: {p['stock']}개" for p in low]
agent.deliver("inbox", f"상품 {len(products)}개 중 {len(low)}개가 부족해요.\n" + "\n".join(lines))
