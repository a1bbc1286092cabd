"""Idempotency-Key: the same key and body gets the same answer, and the thing is done once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from flask import Response, g, request

from services.gateway.deps import Deps
from services.gateway.model.access import Person
from services.gateway.model.documents import Remembered
from services.gateway.repository.shapes import REMEMBERED
from shared.clock import moment, stamp
from shared.errors import BadRequest, Conflict
from shared.ids import derived
from shared.store.port import Cause, Tx

# A claim this old belongs to a process that died over it; what it made has the same id when made again.
_STALE = timedelta(seconds=60)


def once(deps: Deps, person: Person, work: Callable[[], Response]) -> Response:
    """Runs `work`, or gives back what it answered. Raises: Conflict `key_reused`, `key_busy`."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        return work()
    if len(key) > 200:
        raise BadRequest("bad key", code="bad_key")
    mark = derived("idem", person.workspace_id, person.user_id, request.method, request.path, key)
    cause = Cause(person.workspace_id, person.actor)
    remembered = _claim(deps, person, mark, cause)
    if remembered is not None:
        return Response(json.dumps(remembered.body), remembered.status, content_type="application/json")
    g.idempotency = mark
    try:
        response = work()
    except Exception:
        deps.store.transact(lambda tx: tx.delete(REMEMBERED, mark), cause=cause)
        raise
    _remember(deps, mark, response, cause)
    return response


def made_id(deps: Deps, kind: str) -> str:
    """A new id; under an Idempotency-Key the same one when the request is made again after a crash."""
    mark = getattr(g, "idempotency", None)
    return derived(kind, mark) if mark else deps.ids.new(kind)


def _claim(deps: Deps, person: Person, mark: str, cause: Cause) -> Remembered | None:
    body = request.get_data(cache=True)
    # Under the vault's key: a body may hold a short secret, and a plain hash of it could be guessed.
    request_hash = deps.vault.fingerprint(person.workspace_id, body.decode("utf-8", "replace"))

    def claim(tx: Tx) -> Remembered | None:
        found = tx.get(REMEMBERED, mark)
        before = Remembered.from_doc(found.data) if found else None
        if before is not None and before.request_hash != request_hash:
            raise Conflict("key reused", code="key_reused")
        if before is not None and before.status:
            return before
        if before is not None and moment(before.at) > deps.clock.now() - _STALE:
            raise Conflict("key busy", code="key_busy")
        fresh = Remembered(
            id=mark, workspace_id=person.workspace_id, request_hash=request_hash, at=stamp(deps.clock.now())
        )
        tx.put(REMEMBERED, mark, fresh.to_doc())
        return None

    return deps.store.transact(claim, cause=cause)


def _remember(deps: Deps, mark: str, response: Response, cause: Cause) -> None:
    body = response.get_json(silent=True)

    def remember(tx: Tx) -> None:
        found = tx.get(REMEMBERED, mark)
        if found is not None:
            tx.put(REMEMBERED, mark, {**found.data, "status": response.status_code, "body": body})

    deps.store.transact(remember, cause=cause)
