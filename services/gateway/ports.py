"""What the door needs from outside: a place for secrets' keys, a way to call a webhook, a brake."""

from __future__ import annotations

from typing import Literal, Protocol

from shared.records.gateway import Connection
from shared.records.tapes import TapeKeyRecord
from shared.store.port import Reader
from shared.vault.envelope import Place
from shared.vault.tapes import TapeKey


class Vault(Protocol):
    """Thread-safe; holds the installation's keys, never a secret."""

    def seal(self, value: str, place: Place) -> str: ...

    def reveal(self, reader: Reader, workspace_id: str, secret_id: str, host: str) -> str:
        """See shared.vault.reveal. Raises NotFound, NotAllowed, DecodeError."""

    def open(self, sealed: str, place: Place) -> str:
        """Without a host: only for comparing and binding inside this service. Raises DecodeError."""

    def fingerprint(self, workspace_id: str, text: str) -> str:
        """Equal for equal texts of one workspace; without the keys it tells nothing about the text."""

    def tape_key(self, record: TapeKeyRecord) -> TapeKey:
        """Opens what the executor wrapped. Raises DecodeError."""

    def seal_connection(self, value: str, place: Place) -> str:
        """Under keys that open connections and nothing else."""

    def open_connection(self, connection: Connection) -> str:
        """Only to seal it again. Raises NotFound, DecodeError."""

    def key(self, purpose: str) -> bytes:
        """32 bytes for signing, stable for this installation."""


class Webhook(Protocol):
    def send(self, url: str, text: str, language: str) -> tuple[Literal["sent", "failed", "unknown"], str]:
        """One message; blocks at most some seconds. Returns (status, detail for a person, without the url):
        unknown when the connection broke after the message left. Raises Unavailable when nothing was
        accepted and asking again later may help."""


class Brake(Protocol):
    def allow(self, who: str) -> bool:
        """Counts one attempt of `who`; False when there were too many lately."""


class Slots(Protocol):
    """Places for live views, and the word that the server is stopping."""

    def take(self) -> bool:
        """False when all are taken."""

    def give_back(self) -> None: ...

    @property
    def taken(self) -> int:
        """How many are in use."""

    @property
    def closing(self) -> bool:
        """True once the server stops: views end themselves within a second."""
