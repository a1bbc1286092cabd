"""The port to the installation's keys: what wraps the key of each sealed text, and what other keys follow from.

Adapters: `keyfile.py` (one machine), `kms.py` (Google Cloud). Why: docs/decisions/0042.
"""

from __future__ import annotations

from typing import Literal, Protocol

Ring = Literal["secrets", "connections", "tapes", "doors"]
"""What is sealed with it: people's secrets · keys of connected models · workspaces' tape keys · ways out of runs whose
way out is another process. What was sealed with one does not open with another."""


class Keyring(Protocol):
    """Keys of one purpose. Thread-safe. May ask another machine: not for loops."""

    def wrap(self, data_key: bytes, place: bytes) -> tuple[str, bytes]:
        """The id of the wrapping key, without dots, and the wrapped key, different every time. place: authenticated
        with it. Raises: Unavailable, Misconfigured when this service may not."""

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        """Raises: DecodeError for an unknown key, another place, or anything changed; and as `wrap`."""


class Keys(Protocol):
    def ring(self, ring: Ring) -> Keyring: ...

    def derive(self, purpose: str) -> bytes:
        """32 bytes for another use (signed links, tokens, fingerprints): the same for everybody who may ask for that
        purpose, at every start. Nothing leads from one to another. Raises as `Keyring.wrap`."""
