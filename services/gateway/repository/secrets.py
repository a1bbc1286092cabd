"""Vault entries: sealed before they are written, bound to one host, every use written down."""

from __future__ import annotations

from collections.abc import Iterable

from services.gateway.model.documents import SecretUse
from services.gateway.model.redaction import Found, find_secrets, replaced
from services.gateway.ports import Vault
from services.gateway.repository.scope import Readable, Scope
from services.gateway.repository.shapes import SECRET_USES, SECRETS
from shared.ids import Ids, derived
from shared.records.gateway import Secret
from shared.store.port import Tx, Where
from shared.vault.envelope import Place


class SecretRepository:
    """One workspace's entries. Values come in and are sealed; they go out only through `Vault.reveal`."""

    def __init__(self, scope: Scope, vault: Vault, ids: Ids, now: str) -> None:
        self._scope = scope
        self._vault = vault
        self._ids = ids
        self._now = now

    def all(self, reader: Readable) -> list[Secret]:
        """Newest first, without the deleted."""
        found = self._scope.all(reader, SECRETS, Secret, order_by="created_at", limit=1000)
        return [secret for secret in found if secret.deleted_at is None]

    def newest(self, reader: Readable, name: str, host: str | None) -> Secret | None:
        """The newest entry of that name; with a host, only one bound to it."""
        return next((s for s in self.all(reader) if s.name == name and host in (None, s.host)), None)

    def add(
        self, tx: Tx, name: str, value: str, host: str, *, channel: bool, conversation_id: str | None = None
    ) -> Secret:
        """A new entry; the same value under the same name and host again is the entry that exists."""
        mark = self._mark(name, host, value)
        same = [s for s in self._with_mark(tx, mark) if s.name == name and s.host == host]
        if same:
            return same[0]
        id = self._ids.new("sec")
        secret = Secret(
            id=id,
            workspace_id=self._scope.workspace_id,
            name=name,
            host=host,
            channel=channel,
            sealed=self._vault.seal(value, Place(self._scope.workspace_id, id, 1)),
            fingerprint=mark,
            conversation_id=conversation_id,
            created_at=self._now,
        )
        tx.create(SECRETS, id, secret.to_doc())
        return secret

    def replace(self, tx: Tx, secret: Secret, value: str) -> None:
        """A new value under the same entry: what was granted keeps working."""
        place = Place(secret.workspace_id, secret.id, secret.version + 1)
        changed = secret.but(
            version=place.version,
            sealed=self._vault.seal(value, place),
            fingerprint=self._mark(secret.name, secret.host, value),
        )
        tx.put(SECRETS, secret.id, changed.to_doc())

    def bind(self, tx: Tx, secret: Secret, host: str) -> Secret:
        """Gives an entry without a host its one host, on a person's approval."""
        value = self._vault.open(secret.sealed, Place(secret.workspace_id, secret.id, secret.version))
        bound = secret.but(host=host, fingerprint=self._mark(secret.name, host, value))
        tx.put(SECRETS, secret.id, bound.to_doc())
        return bound

    def delete(self, tx: Tx, name: str) -> int:
        """Takes the values away for good; the entries stay as a record that they were. How many."""
        gone = [s for s in self.all(tx) if s.name == name]
        for secret in gone:
            tx.put(SECRETS, secret.id, secret.but(sealed="", deleted_at=self._now).to_doc())
        return len(gone)

    def used(self, tx: Tx, secret_id: str, host: str, used_for: str) -> None:
        use = SecretUse(
            id=derived("use", secret_id, used_for),
            workspace_id=self._scope.workspace_id,
            secret_id=secret_id,
            host=host,
            used_for=used_for,
            at=self._now,
        )
        tx.put(SECRET_USES, use.id, use.to_doc())
        secret = self._scope.find(tx, SECRETS, secret_id, Secret)
        if secret is not None:
            tx.put(SECRETS, secret_id, secret.but(last_used_at=self._now).to_doc())

    def keep_found(
        self, tx: Tx, text: str, language: str, conversation_id: str, asked: str = ""
    ) -> tuple[str, tuple[str, ...]]:
        """The text with every secret in it moved to the vault, and the names they are kept under."""
        found = find_secrets(text, asked)
        taken = {secret.name for secret in self.all(tx)}
        names: list[str] = []
        kept: dict[str, str] = {}
        for item in found:
            name = kept.get(item.value) or self._name(tx, item, taken)
            if item.value not in kept:
                self.add(
                    tx, name, item.value, item.host, channel=item.channel, conversation_id=conversation_id
                )
            kept[item.value] = name
            taken.add(name)
            names.append(name)
        return replaced(text, found, names, language), tuple(dict.fromkeys(names))

    def _name(self, tx: Tx, item: Found, taken: Iterable[str]) -> str:
        """The entry that already holds this value, else a name nobody has."""
        in_use = set(taken)
        numbered = [item.name, *(f"{item.name}_{n}" for n in range(2, 1000))]
        for name in numbered:
            if name not in in_use:
                return name
            if any(s.name == name for s in self._with_mark(tx, self._mark(name, item.host, item.value))):
                return name
        return f"{item.name}_{self._ids.token(40).upper().replace('-', '_')}"

    def _with_mark(self, reader: Readable, mark: str) -> list[Secret]:
        found = self._scope.all(
            reader, SECRETS, Secret, Where("fingerprint", "==", mark), order_by="created_at"
        )
        return [secret for secret in found if secret.deleted_at is None]

    def _mark(self, name: str, host: str, value: str) -> str:
        return self._vault.fingerprint(self._scope.workspace_id, f"{name}\x00{host}\x00{value}")
