"""Marketing jobs of a board, best paid first."""

import csv
import re
import urllib.request

import agent

agent.step("Reading the board")
page = urllib.request.urlopen("http://sites.test/jobs", timeout=20).read().decode()
jobs = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(\d+)</td></tr>", page)
fitting = sorted((job for job in jobs if "marketer" in job[0]), key=lambda job: -int(job[2]))
with agent.output("jobs.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["role", "city", "salary"], *jobs])
lines = [f"{role}, {city}: {salary}M KRW" for role, city, salary in fitting]
agent.deliver("inbox", f"{len(fitting)} of {len(jobs)} positions fit.\n" + "\n".join(lines))
