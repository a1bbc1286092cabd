"""The wire of every event type is frozen in `golden/`; what may change is what an older reader survives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from shared.events.catalog import TYPES
from shared.events.envelope import MAX_DATA_BYTES, Event, from_wire, payload
from tests.golden import (
    EVENTS,
    RECORDS,
    event_golden,
    event_path,
    example,
    on_the_wire,
    unmatched,
    write_missing,
)
from tests.shapes import as_bytes, breaks, retyped, with_unknown, without

every_type = pytest.mark.parametrize("kind", TYPES.values(), ids=[kind.fact for kind in TYPES.values()])
FIELDS = [(kind, name) for kind in TYPES.values() for name in kind.model_fields]
every_field = pytest.mark.parametrize(
    ("kind", "name"), FIELDS, ids=[f"{kind.fact}-{name}" for kind, name in FIELDS]
)


def golden_of(kind: type[Event]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event_path(kind).read_text(encoding="utf-8"))
    return found


def dumped(event: BaseModel) -> dict[str, Any]:
    return event.model_dump(mode="json")


def test_every_type_has_a_golden_file_and_every_file_a_type() -> None:
    assert unmatched() == set(), (
        "a new type: python -m tests.golden; one that is gone: it may still be in somebody's outbox or database"
    )


@every_type
def test_an_example_is_the_same_bytes_on_the_wire_as_ever(kind: type[Event], tmp_path: Path) -> None:
    golden = golden_of(kind)
    envelope = on_the_wire(example(kind), tmp_path)
    assert envelope.attributes() == golden["attributes"]
    assert envelope.body() == as_bytes(golden["data"])
    assert len(envelope.body()) < MAX_DATA_BYTES


@every_type
def test_what_was_written_long_ago_is_read_and_written_as_then(kind: type[Event]) -> None:
    golden = golden_of(kind)
    assert breaks(kind, golden, dumped) == []
    envelope = from_wire(golden["attributes"], as_bytes(golden["data"]))
    assert payload(envelope, kind) == example(kind)
    assert envelope.attributes() == golden["attributes"]
    assert payload(envelope, kind).subject() == envelope.subject
    assert envelope.service in kind.producers


@every_type
def test_fields_of_a_newer_writer_are_ignored(kind: type[Event]) -> None:
    golden = golden_of(kind)
    attributes = {**golden["attributes"], "ce-fromanewerwriter": "x"}
    changed = list(with_unknown(golden["data"], kind))
    assert changed
    for data in changed:
        assert payload(from_wire(attributes, as_bytes(data)), kind) == example(kind)


@every_field
def test_a_removed_or_retyped_field_is_noticed(kind: type[Event], name: str) -> None:
    golden = golden_of(kind)
    assert breaks(without(kind, name), golden, dumped)
    assert breaks(retyped(kind, name), golden, dumped)


def test_a_type_without_a_golden_file_is_noticed_and_only_that_one_is_written(tmp_path: Path) -> None:
    events, records = tmp_path / "events", tmp_path / "records"
    shutil.copytree(EVENTS, events)
    shutil.copytree(RECORDS, records)
    missing = event_path(TYPES["agentbuilder.run.started.v1"], events)
    other = event_path(TYPES["agentbuilder.run.parked.v1"], events)
    missing.unlink()
    other.write_text("{}")
    assert unmatched(events, records) == {missing.name}
    assert write_missing(tmp_path, events, records) == [missing]
    assert missing.read_bytes() == (EVENTS / missing.name).read_bytes()
    assert other.read_text() == "{}"


def test_a_value_nobody_takes_any_more_is_noticed() -> None:
    kind = TYPES["agentbuilder.run.started.v1"]
    golden = golden_of(kind)
    golden["choices"]["kind"].append("a kind that was taken once")
    assert breaks(kind, golden, dumped) == ["kind no longer takes ['a kind that was taken once']"]


def test_a_field_that_becomes_required_is_noticed() -> None:
    kind = TYPES["agentbuilder.run.requested.v1"]
    golden = golden_of(kind)
    del golden["least"]["deadline_at"]
    (found,) = breaks(kind, golden, dumped)
    assert "deadline_at" in found


@every_type
def test_the_golden_file_is_what_the_writer_would_write_today(kind: type[Event], tmp_path: Path) -> None:
    assert golden_of(kind) == event_golden(kind, tmp_path)
