"""Proof of which attempt of which run is asking: made by the executor, never seen by code in a sandbox.

`RunTokens`: the egress gateway puts one on each request to the model endpoint, and the planner reads it (0031).
`AttemptTokens`: held by the trusted process around the sandbox of an attempt that runs elsewhere (0037).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import Clock
from shared.vault.keyring import Keys
from shared.vault.proofs import Proofs, refused

# Decision: from the gateway to the planner is one hop; a minute bears two clocks that differ.
_LASTS = timedelta(minutes=1)


class Asking(BaseModel):
    """Who asks, and which lease pays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    workspace_id: str
    run_id: str
    attempt_id: str
    lease_id: str


class RunTokens:
    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._proofs = Proofs(keys, "run tokens", clock)
        self._clock = clock

    def mint(self, asking: Asking) -> str:
        """Good for a minute."""
        return self._proofs.mint(asking.model_dump(), self._clock.now() + _LASTS)

    def read(self, token: str) -> Asking:
        """Raises: NotAuthenticated for anything that was not made here, or not just now."""
        try:
            return Asking.model_validate(self._proofs.read(token))
        except ValidationError as error:
            raise refused() from error


class AttemptTokens:
    """An attempt belongs to one run: who is bound to the one is bound to the other. That the attempt is over is not
    in the token; whoever reads it asks the executor's records as well."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._proofs = Proofs(keys, "attempt tokens", clock)

    def mint(self, attempt_id: str, until: datetime) -> str:
        return self._proofs.mint({"attempt_id": attempt_id}, until)

    def read(self, token: str) -> str:
        """The attempt's id. Raises: NotAuthenticated for anything that was not made here, or is over."""
        try:
            return self._proofs.read(token)["attempt_id"]
        except KeyError as error:
            raise refused() from error
