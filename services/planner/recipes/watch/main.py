"""Watches lists on web pages and reports what is new, changed and gone since last time.

Reads `settings.json`, then each page in turn; a page that fails is named in the report and keeps its memory.
Leaves outputs/items.csv, sources.csv, report.md, report.xlsx and keywords.png.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import agent
from pagewatch.chart import draw_keywords
from pagewatch.compare import compare, is_rebuilt, recall, remember
from pagewatch.extract import extract
from pagewatch.fetch import Problem, Reader, place_of
from pagewatch.keywords import count_keywords
from pagewatch.outcome import Day, Reading, Source
from pagewatch.phrases import Phrases
from pagewatch.report import make_report
from pagewatch.spreadsheets import write_items, write_sources, write_workbook

SETTINGS = json.loads((Path(__file__).parent / "settings.json").read_text(encoding="utf-8"))


def main() -> None:
    say = Phrases(SETTINGS["language"], SETTINGS["noun"])
    sources = [Source(**source) for source in SETTINGS["sources"]]
    reader = Reader({place_of(source.address) for source in sources}, SETTINGS["pace_s"])
    memory = agent.state.setdefault("sources", {})

    readings = []
    for source in sources:
        agent.step(say("step_read", name=source.name))
        reading = read_source(reader, source, memory.get(source.address, {}))
        print(f"{source.name}: {reading.status}, {len(reading.items)}")
        if reading.status == "ok":
            memory[source.address] = {"kind": reading.kind, "items": remember(list(reading.items))}
        readings.append(reading)

    agent.step(say("step_report"))
    day = Day(agent.today().isoformat(), tuple(readings))
    deliver(day, say)


def read_source(reader: Reader, source: Source, remembered: dict[str, object]) -> Reading:
    """`remembered` is what the last good reading left: its kind and items; {} when there was none."""
    try:
        page = reader.read(source.address)
        found = extract(page.text, page.address, lambda feed: read_feed(reader, source, feed))
    except Problem as problem:
        return Reading(source, problem.status, problem.detail)
    if not found.items:
        return Reading(source, found.problem or "no_items")
    before, items = recall(remembered.get("items")), list(found.items)
    if is_rebuilt(before, str(remembered.get("kind", "")), items, found.kind):
        return Reading(source, "changed")
    return Reading(source, "ok", "", found.kind, found.items, compare(before, items))


def read_feed(reader: Reader, source: Source, feed: str) -> str | None:
    """Only the feed that was named when this agent was allowed is read; any other is passed over."""
    if feed != source.feed:
        return None
    return reader.read(feed).text


def deliver(day: Day, say: Phrases) -> None:
    titles = [item.title for reading in day.readings for item in reading.items]
    new_titles = [row.item.title for row in day.rows() if row.change == "new"]
    keywords = count_keywords(titles, new_titles) if SETTINGS["keywords"] else []
    report = make_report(SETTINGS["title"], day, keywords, say)

    write_items(agent.output("items.csv"), day)
    write_sources(agent.output("sources.csv"), day, say)
    write_workbook(agent.output("report.xlsx"), day, keywords, say)
    agent.output("report.md").write_text(report, encoding="utf-8")
    files = ["report.xlsx"]
    if SETTINGS["keywords"]:
        draw_keywords(agent.output("keywords.png"), keywords, say, os.environ.get("AGENT_FONT", ""))
        files.append("keywords.png")
    for channel in SETTINGS["channels"]:
        agent.deliver(channel, report, files=files)


if __name__ == "__main__":
    main()
