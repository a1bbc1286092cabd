"""Headlines of a feed that are new since last time, for a team's channel."""

import csv
import urllib.request
import xml.etree.ElementTree as ET

import agent

agent.step("Reading the feed")
feed = ET.fromstring(urllib.request.urlopen("http://sites.test/feed.xml", timeout=20).read())  # noqa: S314 - what an agent may write
items = [(item.findtext("guid") or "", item.findtext("title") or "") for item in feed.iter("item")]
seen = agent.state.get("seen", [])
new = [title for guid, title in items if guid not in seen]
agent.state["seen"] = [guid for guid, _title in items]
with agent.output("feed.csv").open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([["guid", "title"], *items])
agent.deliver("slack", "\n".join([f"{len(new)} new headlines", *new]) if new else "Nothing new today.")
