"""Exchange rates as a workbook and a picture."""

import re
import urllib.request

import agent
import matplotlib.pyplot as plt
import openpyxl

agent.step("환율 읽기")
page = urllib.request.urlopen("http://sites.test/rates", timeout=20).read().decode()
rates = [
    (code, float(rate.replace(",", "")))
    for code, rate in re.findall(r"<td>([A-Z]{3})</td><td>([\d,.]+)</td>", page)
]

agent.step("표와 그림")
book = openpyxl.Workbook()
sheet = book.create_sheet("환율", 0)
sheet.append(["통화", "원"])
for row in rates:
    sheet.append(list(row))
book.save(agent.output("rates.xlsx"))
figure, axes = plt.subplots(figsize=(6, 4))
axes.bar([code for code, _rate in rates], [rate for _code, rate in rates])
axes.set_title("오늘의 환율")
figure.savefig(agent.output("rates.png"), dpi=100)
lines = [f"{code} {rate:,.2f}원" for code, rate in rates]
agent.deliver("inbox", "\n".join(lines), files=["rates.xlsx", "rates.png"])
