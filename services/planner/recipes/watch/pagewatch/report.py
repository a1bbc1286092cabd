"""The report as Markdown: the answer in the first line, then each source, then the words."""

from __future__ import annotations

import re

from .item import Item
from .keywords import Keyword
from .outcome import Day, Reading, Row, rows_of
from .phrases import Phrases

ITEMS_SHOWN = 15  # of one kind of change in one source; all of them are in report.xlsx
KEYWORDS_SHOWN = 10
REPORT_CHARS = 8_000  # a message of 60 kB at most, written in ASCII, must hold it

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def make_report(title: str, day: Day, keywords: list[Keyword], say: Phrases) -> str:
    """At most `REPORT_CHARS`, cut at a line's end."""
    year, month, date = (int(part) for part in day.date.split("-"))
    lines = [f"# {escape(title)} — {say('date', year, month, date)}", "", summary(day, say), ""]
    for reading in day.readings:
        lines += [f"## {_linked(reading.source.name, reading.source.address)}", *_section(reading, say), ""]
    if keywords:
        lines += [
            f"## {say('keywords')}",
            " · ".join(_counted(word, say) for word in keywords[:KEYWORDS_SHOWN]),
            "",
        ]
    return _cut(lines)


def summary(day: Day, say: Phrases) -> str:
    """One or two sentences. A day on which a source failed says so first: "nothing new" is not yet known."""
    if len(day.failed) == len(day.readings):
        return say("unread")
    counts = {change: day.count(change) for change in ("first", "new", "changed", "gone", "same")}
    checked = sum(len(reading.items) for reading in day.readings)
    if day.is_first:
        text = say("first", count=checked)
    elif counts["new"]:
        text = say("news", **counts)
    elif counts["changed"] or counts["gone"]:
        text = say("no_new", **counts)
    else:
        text = say("nothing", count=checked)
    if not day.failed:
        return text
    return say("some_failed", failed=len(day.failed), total=len(day.readings)) + " " + text


def _section(reading: Reading, say: Phrases) -> list[str]:
    if reading.comparison is None:
        return [f"{escape(say.problem(reading.status, reading.detail))} {say('kept')}"]
    rows = list(rows_of(reading))
    lines: list[str] = []
    for change, phrase in (("first", "baseline"), ("new", "new"), ("changed", "changed"), ("gone", "gone")):
        told = [row for row in rows if row.change == change]
        if told:
            lines += [
                f"**{say(phrase, count=len(told))}**",
                *(f"- {_line(row)}" for row in told[:ITEMS_SHOWN]),
            ]
        if len(told) > ITEMS_SHOWN:
            lines.append(f"- {say('more', count=len(told) - ITEMS_SHOWN)}")
    return lines or [say("same", count=len(reading.items))]


def _line(row: Row) -> str:
    if row.before is None:
        return " — ".join(filter(None, [_linked(row.item.title, row.item.link), _facts(row.item)]))
    parts = [
        f"{escape(old) or '–'} → {escape(new) or '–'}"
        for old, new in (
            (row.before.title, row.item.title),
            (row.before.price, row.item.price),
            (row.before.detail, row.item.detail),
        )
        if old != new
    ]
    return f"{_linked(row.item.title, row.item.link)}: {', '.join(parts)}"


def _facts(item: Item) -> str:
    return escape(" · ".join(part for part in (item.price, item.detail) if part))


def _counted(keyword: Keyword, say: Phrases) -> str:
    new = f" ({say('keywords_new', count=keyword.new)})" if keyword.new else ""
    return f"{escape(keyword.word)} {keyword.titles}{new}"


def escape(text: str) -> str:
    """Page text cannot become formatting, a mention or a link of its own."""
    return _SPECIAL.sub(r"\\\1", text)


def _linked(text: str, link: str) -> str:
    safe = (
        link.replace("(", "%28")
        .replace(")", "%29")
        .replace("<", "%3C")
        .replace(">", "%3E")
        .replace(" ", "%20")
    )
    return f"[{escape(text)}]({safe})" if link else escape(text)


def _cut(lines: list[str]) -> str:
    kept, size = [], 0
    for line in lines:
        size += len(line) + 1
        if size > REPORT_CHARS:
            kept.append("…")
            break
        kept.append(line)
    return "\n".join(kept).rstrip() + "\n"
