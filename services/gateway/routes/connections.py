"""A model of the workspace's own, as people see it: its last four characters and what a test call said."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from services.gateway.model.words import Language
from services.gateway.repository.changes import note_changes
from services.gateway.repository.connections import ConnectionRepository
from services.gateway.repository.scope import Scope
from services.gateway.routes.answers import (
    Answer,
    Api,
    Body,
    Id,
    SlowDown,
    cause,
    deps,
    language,
    refusal,
    scope,
)
from shared.errors import BadRequest, NotFound
from shared.events.connection import ConnectionTyped
from shared.records.gateway import Connection
from shared.store.port import Tx

api = Api("connections")

# Decision: what a header can carry, and no more than keys have ever been long.
_KEY = re.compile(r"[!-~]{8,400}")


class ConnectionLine(Answer):
    """hint: the key's last four characters. problem: what the last test met, in the request's language, "" when
    nothing. tokens and cost_usd_micros: of that test; null: the model's price is not known."""

    kind: Literal["claude"]
    state: Literal["testing", "working", "failed"]
    hint: str
    model: str
    code: str
    problem: str
    tokens: int
    cost_usd_micros: int | None
    typed_at: str
    tested_at: str | None


class ConnectionList(Answer):
    """operator: builds may use a key of this machine's where there is no connection. wanted: a connection would
    be used; false when this installation works without a model. model: what is asked for unless another is named."""

    items: tuple[ConnectionLine, ...]
    operator: bool
    wanted: bool
    model: str


class ClaudeKey(Body):
    """key null: the key stays, and another model is tested with it. model null: the installation's own choice."""

    key: str | None = Field(None, max_length=1000)
    model: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$")


@api.get("/connections", ConnectionList)
def list_connections() -> ConnectionList:
    found = repository().find(deps().store)
    door = deps().door
    return ConnectionList(
        items=(line(found, language()),) if found else (),
        operator=door.engine == "claude",
        wanted=door.connectable,
        model=door.model,
    )


@api.put("/connections/claude", Id, 202)
def put_claude(body: ClaudeKey) -> Id:
    key = body.key.strip() if body.key is not None else None
    if key is not None and not _KEY.fullmatch(key):
        raise refusal(BadRequest, "bad_model_key", {"key": "not a key"})
    # Each one costs a call: a page that repeats itself must not spend a person's money.
    if not deps().brake.allow(f"connection:{scope().workspace_id}"):
        raise SlowDown("slow down")

    def put(tx: Tx) -> Connection:
        known = key
        if known is None:
            found = repository().find(tx)
            if found is None:
                raise refusal(BadRequest, "bad_model_key", {"key": "required"})
            known = deps().vault.open_connection(found)
        typed = repository().save(tx, known, body.model or deps().door.model, deps().vault)
        tx.emit(ConnectionTyped(connection_id=typed.id, version=typed.version))
        note_changes(tx, deps().now(), ("connection", typed.id))
        return typed

    return Id(id=deps().store.transact(put, cause=cause()).id)


@api.delete("/connections/claude")
def delete_claude() -> None:
    def delete(tx: Tx) -> None:
        if not repository().delete(tx):
            raise refusal(NotFound, "not_found")
        note_changes(tx, deps().now(), ("connection", repository().id))

    deps().store.transact(delete, cause=cause())
    deps().store.scrub()


def repository() -> ConnectionRepository:
    return ConnectionRepository(scope(), deps().now())


def engine(own: Scope) -> Literal["recipes", "claude"]:
    """Which one a conversation that begins now is built with."""
    door, found = deps().door, ConnectionRepository(own, deps().now()).find(deps().store)
    return "claude" if door.connectable and found is not None and found.usable else door.engine


def line(connection: Connection, spoken: Language) -> ConnectionLine:
    shown = connection.model_dump(include=set(ConnectionLine.model_fields) - {"problem"})
    return ConnectionLine(**shown, problem=connection.problem.get(spoken, ""))
