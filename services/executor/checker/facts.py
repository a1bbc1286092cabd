"""The trusted side of the checker: its answer read as data that may be anything, within sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field, ValidationError

from shared.agentfile.contract_rules import plain_output
from shared.agentfile.facts import (
    MAX_COLUMNS,
    MAX_FILES,
    MAX_TEXT,
    MAX_VALUE_CHARACTERS,
    MAX_VALUES,
    DeliveryFact,
    Facts,
    FileFact,
)
from shared.agentfile.model import Part
from shared.errors import DecodeError

MAX_BYTES = 8 << 20


class _Measured(Part):
    version: int = Field(ge=1, le=1)
    files: dict[str, FileFact] = Field(max_length=MAX_FILES)
    skipped: int = 0


def read_facts(
    data: bytes,
    *,
    now: str,
    deliveries: Iterable[DeliveryFact] = (),
    previous: Mapping[str, FileFact] | None = None,
) -> Facts:
    """The bytes of `facts.json` as Facts; the rest is the platform's own knowledge of the run.

    Raises DecodeError on anything the checker never writes: too large or deep, unknown keys, wrong shapes,
    impossible numbers, names that are no plain outputs. The contract is then not met.
    """
    if len(data) > MAX_BYTES:
        raise DecodeError("The checker's answer is too large.")
    try:
        measured = _Measured.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise DecodeError("The checker's answer has the wrong shape.") from error
    for path, file in measured.files.items():
        if not plain_output(path) or not _plausible(file):
            raise DecodeError(f"The checker's answer is impossible for {ascii(path)[:80]}.")
    return Facts(files=measured.files, deliveries=tuple(deliveries), now=now, previous=previous)


def _plausible(file: FileFact) -> bool:
    """Whether counts are not negative and nothing is larger than the checker's own caps."""
    counts = [file.size, file.rows or 0, file.text_length or 0, file.width or 0, file.height or 0]
    rows = file.rows or 0
    return (
        all(0 <= count < 1 << 53 for count in counts)
        and len(file.text) <= MAX_TEXT
        and len(file.kind) <= 10
        and len(file.sha256) <= 64
        and len(file.unreadable or "") <= 80
        and len(file.columns) <= MAX_COLUMNS
        and all(
            all(
                0 <= count <= rows
                for count in (
                    *(column.empty, column.numbers, column.dates, column.links, column.texts),
                    *(column.distinct or 0, column.repeats or 0),
                )
            )
            and len(column.name) <= MAX_VALUE_CHARACTERS
            and len(column.values) <= MAX_VALUES
            and all(len(value) <= MAX_VALUE_CHARACTERS for value in column.values)
            and len(column.newest or "") <= 40
            for column in file.columns
        )
        and all(
            len(row) <= MAX_COLUMNS and all(len(c) <= MAX_VALUE_CHARACTERS for c in row)
            for row in file.sample
        )
    )
