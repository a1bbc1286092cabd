"""What was measured about one finished run: capped values, never content to be trusted or interpreted.

Written by the checker sandbox, checked by `services/executor/checker/facts.py`, read by `contract.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from shared.agentfile.model import Part

MAX_FILES = 200
MAX_COLUMNS = 64
MAX_VALUES = 50
MAX_VALUE_CHARACTERS = 120
MAX_TEXT = 64 * 1024
MAX_SAMPLE_ROWS = 5


class ColumnFact(Part):
    """One column over all rows read.

    empty     rows in which it is absent or blank
    numbers   rows in which it is a number; `low` and `high` are the least and greatest, None without any
    values    the first distinct values as text, at most MAX_VALUES; `more_values` when there were others
    newest    the latest ISO date or time in it, as written; None without any
    median    the middle of its numbers; of many, of some thousand evenly spaced ones
    dates, links, texts   rows in which it is an ISO date, a web address, or anything else with a letter in it
    distinct  how many different values; `repeats` rows whose value had been there before. None: too many to tell
    """

    name: str
    empty: int = 0
    numbers: int = 0
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    values: tuple[str, ...] = ()
    more_values: bool = False
    newest: str | None = None
    median: float | None = Field(default=None, allow_inf_nan=False)
    dates: int = 0
    links: int = 0
    texts: int = 0
    distinct: int | None = None
    repeats: int | None = None


class FileFact(Part):
    """One file. `unreadable` says why its inside is unknown; size, kind and digest stand all the same.

    kind        by its bytes, not by its name: an error page saved as items.csv is html
    rows        records without the header; None when the file is no table. Of subtitles: cues
    more_rows   the file has more rows than were read, so `rows` and the columns are a lower bound
    text        the first MAX_TEXT characters when it is text, with `text_length` the length of all of it
    width       pixels, with height; None when it is no picture
    """

    size: int
    kind: str = "binary"
    sha256: str = ""
    rows: int | None = None
    more_rows: bool = False
    columns: tuple[ColumnFact, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    text_length: int | None = None
    width: int | None = None
    height: int | None = None
    unreadable: str | None = None

    def column(self, name: str) -> ColumnFact | None:
        return next((column for column in self.columns if column.name == name.strip()), None)


class DeliveryFact(Part):
    """One queued delivery: the kind of its channel and what it says (capped at MAX_TEXT)."""

    channel: str
    text: str = ""
    files: int = 0


class Facts(Part):
    """One run. `files` is keyed by "outputs/<name>"; `now` is the run's moment in ISO 8601 with offset;
    `previous` the files of the last run that was delivered, None when there is none."""

    files: Mapping[str, FileFact] = Field(default_factory=dict)
    deliveries: tuple[DeliveryFact, ...] = ()
    now: str = "1970-01-01T00:00:00+00:00"
    previous: Mapping[str, FileFact] | None = None
