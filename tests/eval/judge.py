"""Whether a delivered report is what was asked for, without a model: words, numbers, files, rows, hours. Pure."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.eval.requests import Judged

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NEAR = 5e-5  # a mean that was rounded to whole won is the same mean
_DAYS = {name: at for at, name in enumerate("sun mon tue wed thu fri sat".split())}


@dataclass(frozen=True)
class Payload:
    """What arrived: the report's text, and the files of its run by name."""

    report: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def misses(judged: Judged, payload: Payload) -> list[str]:
    """What is wrong with it, one sentence each; empty when it is right."""
    text = plain("\n".join([payload.report, *(text_of(n, d) for n, d in payload.files.items())]))
    wrong = [f"does not say {wanted!r}" for wanted in judged.says if not says(wanted, text)]
    wrong += [f"says {unwanted!r}" for unwanted in judged.lacks if says(unwanted, plain(payload.report))]
    for endings in judged.files:
        if not any(
            name.lower().endswith(f".{ending}") for name in payload.files for ending in endings.split("|")
        ):
            wrong.append(f"has no file of kind {endings}")
    most = max((rows_of(name, data) for name, data in payload.files.items()), default=0)
    if most < judged.rows:
        wrong.append(f"has {most} rows, not {judged.rows}")
    return wrong


def says(wanted: str, text: str) -> bool:
    """Any of the words between bars; a number is there when one of that size is, however it is written."""
    for one in wanted.split("|"):
        if _NUMBER.fullmatch(one):
            if any(math.isclose(float(found), float(one), rel_tol=_NEAR) for found in _NUMBER.findall(text)):
                return True
        elif plain(one) in text:
            return True
    return False


def plain(text: str) -> str:
    """Without what is a matter of taste: width of letters, capitals, spaces, commas in numbers."""
    flat = unicodedata.normalize("NFKC", text).casefold().replace("\N{MINUS SIGN}", "-")
    return " ".join(re.sub(r"(?<=\d),(?=\d{3})", "", flat).split())


def text_of(name: str, data: bytes) -> str:
    """A file's words; "" for pictures and whatever else holds none."""
    if name.lower().endswith(".xlsx"):
        return "\n".join(re.sub(r"<[^>]+>", " ", part) for part in _parts(data))
    if name.lower().rsplit(".", 1)[-1] not in ("csv", "tsv", "txt", "md", "json", "html", "srt"):
        return ""
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def rows_of(name: str, data: bytes) -> int:
    """Rows of a table below its head; 0 for what is no table."""
    if name.lower().endswith(".csv"):
        return max(0, sum(1 for row in csv.reader(io.StringIO(text_of(name, data))) if any(row)) - 1)
    if name.lower().endswith(".xlsx"):
        return max((len(re.findall(r"<row[ >]", part)) - 1 for part in _parts(data)), default=0)
    return 0


def _parts(data: bytes) -> list[str]:
    """The XML of sheets and words; none when the file is broken."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            names = [n for n in file.namelist() if "/worksheets/" in n or n.endswith("sharedStrings.xml")]
            return [file.read(name).decode("utf-8", "replace") for name in names]
    except (zipfile.BadZipFile, KeyError):
        return []


def same_hours(cron: str | None, wanted: Sequence[str]) -> bool:
    """Whether a cron line fires when one of the wanted does, however its days are written; nothing wanted: any."""
    return not wanted or (cron is not None and _fires(cron) in {_fires(one) for one in wanted})


def _fires(cron: str) -> tuple[str, ...]:
    fields = cron.lower().split()
    return (*fields[:4], _days(fields[4])) if len(fields) == 5 else (cron,)


def _days(days: str) -> str:
    for name, at in _DAYS.items():
        days = days.replace(name, str(at))
    if not re.fullmatch(r"[0-7](-[0-7])?(,[0-7](-[0-7])?)*", days):
        return days
    chosen: set[int] = set()
    for part in days.split(","):
        first, _, last = part.partition("-")
        chosen |= {day % 7 for day in range(int(first), int(last or first) + 1)}
    return "*" if len(chosen) == 7 else ",".join(map(str, sorted(chosen)))
