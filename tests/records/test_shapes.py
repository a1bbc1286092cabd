"""The shape of every record is frozen in `golden/`: services of another age read and write the same database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from shared.records import Record
from shared.store.port import body_text
from tests.golden import example, record_golden, record_path, record_types
from tests.shapes import as_bytes, breaks, retyped, with_unknown, without

TYPES = record_types()
every_record = pytest.mark.parametrize("kind", TYPES.values(), ids=list(TYPES))
FIELDS = [(kind, name) for kind in TYPES.values() for name in kind.model_fields]
every_field = pytest.mark.parametrize(
    ("kind", "name"), FIELDS, ids=[f"{kind.__name__}-{name}" for kind, name in FIELDS]
)


def golden_of(kind: type[Record]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record_path(kind).read_text(encoding="utf-8"))
    return found


def dumped(record: BaseModel) -> dict[str, Any]:
    return record.model_dump(mode="json")


@every_record
def test_an_example_is_the_same_bytes_in_the_store_as_ever(kind: type[Record]) -> None:
    assert body_text(example(kind).to_doc()).encode() == as_bytes(golden_of(kind)["data"])


@every_record
def test_what_was_stored_long_ago_is_read_and_stored_as_then(kind: type[Record]) -> None:
    golden = golden_of(kind)
    assert breaks(kind, golden, dumped) == []
    assert kind.from_doc(golden["data"]) == example(kind)


@every_record
def test_fields_of_a_newer_writer_are_ignored(kind: type[Record]) -> None:
    changed = list(with_unknown(golden_of(kind)["data"], kind))
    assert changed
    for data in changed:
        assert kind.from_doc(data) == example(kind)


@every_field
def test_a_removed_or_retyped_field_is_noticed(kind: type[Record], name: str) -> None:
    golden = golden_of(kind)
    assert breaks(without(kind, name), golden, dumped)
    assert breaks(retyped(kind, name), golden, dumped)


@every_record
def test_the_golden_file_is_what_the_writer_would_write_today(kind: type[Record]) -> None:
    assert golden_of(kind) == record_golden(kind)
