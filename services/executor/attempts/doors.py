"""What two processes of the executor know of one attempt's way out: the one that runs it, and the one that is the way.

A door is the document they share, a note is what was seen at it. Why: docs/decisions/0041.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.executor.egress.decoys import Decoy
from services.executor.egress.model import Caps, Exchange, Pace, PracticeSetting, SecretBinding
from services.executor.repository import DOORS, NOTES
from shared.agentfile.model import HostRule
from shared.ids import derived
from shared.records import Record, Shape
from shared.records.executor import Variation
from shared.records.tapes import TapeSetting
from shared.store.port import Query, Reader, Tx, Where

# Of one note as JSON: with its names well below what a document may be.
NOTE_BYTES = 500_000


class Holder(Shape):
    """One process that served the attempt. over: it has handed in all it saw; tape: the blob of its part of the tape,
    None when there is none. requests, moved_bytes: what it counted towards the caps."""

    over: bool = False
    tape: str | None = None
    requests: int = 0
    moved_bytes: int = 0


class DoorRecord(Record):
    """id = attempt id, or a builder's: then there is no run. sealed: an `Opening`. closed_at: from then on nobody comes
    in. holders: by process."""

    run_id: str
    agent_id: str
    sealed: str
    at: str
    expires_at: str
    closed_at: str | None = None
    holders: dict[str, Holder] = {}


class Opening(BaseModel):
    """An `EgressRun` without what only a process can hold. authority: of the certificates, PEM with its key.

    tape_prefix: where its bodies lie. replayed: answers come from the tape of the run that is played again, and
    variation, phrases and numbers say what is given instead of it (tapes/variation.py). index: no run's; it leads to
    the package index alone, whatever else stands here.
    """

    model_config = ConfigDict(frozen=True)

    hosts: tuple[HostRule, ...]
    mode: Literal["live", "rehearsal"]
    secrets: tuple[SecretBinding, ...]
    decoys: tuple[Decoy, ...]
    allowed_writes: tuple[str, ...]
    practice: PracticeSetting
    pace: Pace
    caps: Caps
    asks_model: bool
    authority: str
    tape: TapeSetting
    tape_prefix: str = ""
    replayed: bool = False
    variation: Variation = ""
    phrases: dict[str, str] = {}
    numbers: dict[str, str] = {}
    index: bool = False


def door_of(reader: Reader | Tx, attempt_id: str) -> DoorRecord | None:
    found = reader.get(DOORS, attempt_id)
    return DoorRecord.from_doc(found.data) if found else None


def save_door(tx: Tx, door: DoorRecord) -> None:
    tx.put(DOORS, door.id, door.to_doc())


def part_key(door: DoorRecord, holder: str) -> str:
    return f"executor/tapes/parts/{door.workspace_id}/{door.id}/{holder}"


def write_note(tx: Tx, door: DoorRecord, holder: str, number: int, exchanges: Sequence[Exchange]) -> None:
    """number: counts a holder's notes."""
    data = {"attempt_id": door.id, "workspace_id": door.workspace_id, "seq": f"{number:08d} {holder}"}
    seen = [_as_json(exchange) for exchange in exchanges]
    tx.put(NOTES, derived("note", door.id, holder, str(number)), {**data, "exchanges": seen})


def notes_of(reader: Reader, attempt_id: str, limit: int = 20) -> list[tuple[str, list[Exchange]]]:
    """Ids and contents; of one holder in the order in which it wrote them."""
    query = Query(NOTES, (Where("attempt_id", "==", attempt_id),), order_by="seq", limit=limit)
    return [
        (found.id, [_as_exchange(seen) for seen in found.data["exchanges"]]) for found in reader.query(query)
    ]


def expired_doors(reader: Reader, now: str, limit: int = 50) -> list[DoorRecord]:
    query = Query(DOORS, (Where("expires_at", "<", now),), order_by="expires_at", limit=limit)
    return [DoorRecord.from_doc(found.data) for found in reader.query(query)]


def _as_json(exchange: Exchange) -> dict[str, Any]:
    preview = base64.b64encode(exchange.body_preview).decode("ascii")
    return {**asdict(exchange), "body_preview": preview}


def _as_exchange(seen: dict[str, Any]) -> Exchange:
    known = {name.name for name in fields(Exchange)}
    preview = base64.b64decode(seen["body_preview"])
    return Exchange(
        **{**{name: value for name, value in seen.items() if name in known}, "body_preview": preview}
    )
