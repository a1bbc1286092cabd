"""Fairs and markets that are still to come."""

import csv
import re
import urllib.request

import agent

agent.step("달력 읽기")
text = urllib.request.urlopen("http://sites.test/events.ics", timeout=20).read().decode()
events = re.findall(r"DTSTART;VALUE=DATE:(\d{8})\r\nSUMMARY:(.*?)\r\n", text)
with agent.output("events.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["day", "title"], *events])
lines = [f"{day[:4]}-{day[4:6]}-{day[6:]} {title}" for day, title in sorted(events)]
agent.deliver("inbox", f"다가오는 행사 {len(events)}개\n" + "\n".join(lines))
