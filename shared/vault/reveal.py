"""The one way from a stored secret back to its value: workspace, secret and host must all fit."""

from __future__ import annotations

from shared.errors import NotAllowed, NotFound
from shared.records.gateway import Secret
from shared.store.port import Reader
from shared.vault.envelope import Place, open_sealed
from shared.vault.keyring import Keyring

SECRETS = "secrets"


def reveal(reader: Reader, keyring: Keyring, workspace_id: str, secret_id: str, host: str) -> str:
    """The value, for one request to `host`; the caller writes down that it was used, never the value.

    Raises: NotFound (unknown, deleted, or another workspace's), NotAllowed (bound to another host, or not
    bound yet), DecodeError (the row does not belong here).
    """
    found = reader.get(SECRETS, secret_id)
    secret = Secret.from_doc(found.data) if found else None
    if secret is None or secret.workspace_id != workspace_id or secret.id != secret_id or secret.deleted_at:
        raise NotFound("no such secret", code="no_such_secret")
    if not secret.host or secret.host != host:
        raise NotAllowed(
            "this secret may only be sent to the host it was given for", code="secret_other_host"
        )
    return open_sealed(secret.sealed, Place(secret.workspace_id, secret.id, secret.version), keyring)
