"""The vault as people see it: names and hosts, never a value."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.gateway.model.redaction import own_host
from services.gateway.routes.answers import Answer, Api, Body, cause, deps, refusal
from services.gateway.routes.conversations import vault_of
from shared.errors import BadRequest, NotFound
from shared.store.port import Tx

api = Api("secrets")

_NAME = r"^[A-Z][A-Z0-9_]{1,63}$"


class SecretLine(Answer):
    """host "": found in a message and not bound to any host yet."""

    name: str
    host: str
    created_at: str
    last_used_at: str | None


class SecretList(Answer):
    items: tuple[SecretLine, ...]


class SecretPath(BaseModel):
    name: str = Field(pattern=_NAME)


class SecretValue(Body):
    """host: the one place the value may go; for a webhook's address it is the address's own."""

    value: str = Field(min_length=1, max_length=8000)
    host: str = Field("", max_length=260)


@api.get("/secrets", SecretList)
def list_secrets() -> SecretList:
    lines = (
        SecretLine.model_validate(s.model_dump(include=set(SecretLine.model_fields)))
        for s in vault_of().all(deps().store)
    )
    return SecretList(items=tuple(lines))


@api.put("/secrets/<string:name>")
def put_secret(path: SecretPath, body: SecretValue) -> None:
    value = body.value.strip()
    if not value:
        raise refusal(BadRequest, "bad_secret", {"value": "empty"})
    channel = path.name.endswith("WEBHOOK_URL") and value.lower().startswith(("https://", "http://"))
    host = own_host(value) if channel else body.host.strip().lower()
    if not host:
        raise refusal(BadRequest, "secret_unbound", {"host": "required"})

    def put(tx: Tx) -> None:
        before = vault_of().newest(tx, path.name, host)
        if before is None:
            vault_of().add(tx, path.name, value, host, channel=channel)
        else:
            vault_of().replace(tx, before, value)

    deps().store.transact(put, cause=cause())


@api.delete("/secrets/<string:name>")
def delete_secret(path: SecretPath) -> None:
    def delete(tx: Tx) -> None:
        if not vault_of().delete(tx, path.name):
            raise refusal(NotFound, "not_found")

    deps().store.transact(delete, cause=cause())
