"""Golden files: what every event and every record looks like outside this process, frozen as JSON.

`python -m tests.golden` writes the missing ones and never touches one that is there: a change of the wire is
made by hand, in the file, where a reviewer sees it. Rules: docs/decisions/0003-records-and-agent-file.md.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

import shared.records
from shared.clock import FakeClock
from shared.events.catalog import TYPES
from shared.events.envelope import Envelope, Event
from shared.ids import SeededIds
from shared.records import Record
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases

EVENTS = Path(__file__).parent / "events" / "golden"
RECORDS = Path(__file__).parent / "records" / "golden"
WORKSPACE = "wsp_" + "a" * 24
CAUSE = Cause(WORKSPACE, f"user:usr_{'a' * 24}", f"00-{'4bf92f35' * 4}-{'00f067aa' * 2}-01")
STAMP = "2026-01-05T00:00:00.000000Z"

# Texts that only one field may hold, or that read better than the field's own name.
TEXTS: Mapping[str, str] = {
    "workspace_id": WORKSPACE,
    "revision": STAMP,
    "text": "새 상품 3개를 찾았어요.",
    "cron": "0 9 * * 1-5",
    "timezone": "Asia/Seoul",
    "secret": "SLACK_WEBHOOK_URL",
    "to": "me@example.com",
    "host": "shop.example.com",
    "path": "/new",
    "until": "2026-12-31",
    "pause_until": "2026-02-01",
    "holidays": "KR",
}
SECRET_NAME = "NAVER_CLIENT_ID"


def record_types() -> dict[str, type[Record]]:
    """All records by class name."""
    for module in pkgutil.iter_modules(shared.records.__path__):
        importlib.import_module(f"shared.records.{module.name}")
    # A service's own documents also derive from Record; only what others may read is frozen.
    ours = f"{shared.records.__name__}."
    return {kind.__name__: kind for kind in Record.__subclasses__() if kind.__module__.startswith(ours)}


def example(kind: type[BaseModel]) -> Any:
    """One with every field filled in and no default left, the same for the same class."""
    return kind.model_validate(filled(kind))


def filled(kind: type[BaseModel], *, required_only: bool = False) -> dict[str, Any]:
    return {
        name: _value(name, field.annotation, kind)
        for name, field in kind.model_fields.items()
        if field.is_required() or not required_only
    }


def _value(name: str, wanted: Any, owner: type[BaseModel]) -> Any:
    origin, inside = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return _value(name, next(one for one in inside if one is not type(None)), owner)
    if origin is Literal:
        return next(value for value in inside if value != owner.model_fields[name].default)
    if origin is tuple:
        return [_value(name, inside[0], owner)]
    if origin is dict:
        return {"key": _value(name, inside[1], owner)}
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return filled(wanted)
    if wanted in (Any, object):
        return {"any": ["JSON", 1, None]}
    return _plain(name, wanted, owner)


def _plain(name: str, wanted: Any, owner: type[BaseModel]) -> object:
    if wanted is bool:
        return not owner.model_fields[name].default
    if wanted is int:
        return 100
    if wanted is float:
        return 2.5
    if wanted is not str:
        raise TypeError(f"{owner.__name__}.{name}: how does a {wanted} look? Say so in tests/golden.py.")
    if name == "name" and owner.__name__ == "SecretUse":
        return SECRET_NAME
    if name == "at" or name.endswith("_at"):
        return STAMP
    id = name.removesuffix("_id") + "_" + "a" * 24
    return TEXTS.get(name, id if name == "id" or name.endswith("_id") else f"{name} 값")


def choices(kind: type[BaseModel]) -> dict[str, list[Any]]:
    """What each field that takes one of some values must take for ever: `deliveries.status` -> the values."""
    found: dict[str, list[Any]] = {}
    for name, field in kind.model_fields.items():
        for part in _parts(field.annotation):
            if get_origin(part) is Literal:
                found[name] = list(get_args(part))
            elif isinstance(part, type) and issubclass(part, BaseModel):
                found |= {f"{name}.{below}": values for below, values in choices(part).items()}
    return found


def _parts(wanted: Any) -> list[Any]:
    """The annotation and what is inside of it, but not a Literal's values."""
    inside = [] if get_origin(wanted) is Literal else get_args(wanted)
    return [wanted, *(part for one in inside for part in _parts(one))]


def on_the_wire(event: Event, folder: Path) -> Envelope:
    """As the store's outbox holds it for the bus."""
    folder.mkdir(exist_ok=True)
    databases = SqliteDatabases(folder, FakeClock(), SeededIds())
    store = databases.own(min(event.producers))
    store.transact(lambda tx: tx.emit(event), cause=CAUSE)
    (envelope,) = store.outbox(10)
    databases.close()
    return envelope


def event_golden(kind: type[Event], folder: Path) -> dict[str, Any]:
    """attributes and data of a full example, as on the wire."""
    envelope = on_the_wire(example(kind), folder)
    return {"attributes": envelope.attributes(), "data": envelope.data, **_bounds(kind)}


def record_golden(kind: type[Record]) -> dict[str, Any]:
    """A full example, as in the store."""
    return {"data": example(kind).to_doc(), **_bounds(kind)}


def _bounds(kind: type[BaseModel]) -> dict[str, Any]:
    """least: the smallest data that must stay readable. choices: see there."""
    return {"least": filled(kind, required_only=True), "choices": choices(kind)}


def as_text(golden: Mapping[str, Any]) -> str:
    return json.dumps(golden, ensure_ascii=False, indent=2) + "\n"


def event_path(kind: type[Event], folder: Path = EVENTS) -> Path:
    return folder / f"{kind.type()}.json"


def record_path(kind: type[Record], folder: Path = RECORDS) -> Path:
    return folder / f"{kind.__name__}.json"


def unmatched(events: Path = EVENTS, records: Path = RECORDS) -> set[str]:
    """Names of types without a golden file and of golden files without a type."""
    wanted = {event_path(kind).name for kind in TYPES.values()} | {f"{name}.json" for name in record_types()}
    return wanted ^ {path.name for folder in (events, records) for path in folder.iterdir()}


def write_missing(work: Path, events: Path = EVENTS, records: Path = RECORDS) -> list[Path]:
    """Returns what was written. `work`: an empty folder for the store that events go through."""
    written = []
    for number, kind in enumerate(TYPES.values()):
        path = event_path(kind, events)
        if not path.exists():
            written.append(_write(path, event_golden(kind, work / str(number))))
    for record in record_types().values():
        path = record_path(record, records)
        if not path.exists():
            written.append(_write(path, record_golden(record)))
    return written


def _write(path: Path, golden: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(as_text(golden))
    return path


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        for path in write_missing(Path(place)):
            print(path)
    sys.exit(0)
