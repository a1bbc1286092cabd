"""Adds up the newest day's sales and compares them with the day before, which it remembers."""

import csv
import io
import urllib.request

import agent

agent.step("매출 읽기")
text = urllib.request.urlopen("http://sites.test/sales/latest.csv", timeout=20).read().decode()
sold = list(csv.DictReader(io.StringIO(text)))
day = sold[0]["date"]
total = sum(int(row["amount"]) for row in sold)

agent.step("어제와 비교")
history = [entry for entry in agent.state.get("history", []) if entry["day"] != day]
change = total - history[-1]["total"] if history else 0
agent.state["history"] = [*history, {"day": day, "total": total}]
with agent.output("sales.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["day", "total"], *[[e["day"], e["total"]] for e in agent.state["history"]]])
compared = f", 지난번보다 {change:+,}원" if history else ", 비교할 지난 기록은 아직 없어요"
agent.deliver("inbox", f"{day} 매출 {total:,}원{compared}", files=["sales.csv"])
