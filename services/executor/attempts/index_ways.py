"""A builder's way out: to the package index and nowhere else, for reading. Through this process, or through
`executor-egress`, which finds a door for it as it finds an attempt's.
"""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Protocol

from services.executor.attempts.doors import DoorRecord, Opening, save_door
from services.executor.attempts.ways import Doors
from services.executor.egress.authority import RunAuthority
from services.executor.egress.model import Caps, EgressRun, Pace, PracticeSetting
from services.executor.ports import LocalSite
from services.executor.repository import DOORS
from shared.agentfile.model import HostRule
from shared.clock import Clock, stamp
from shared.store.port import Cause, Store
from shared.vault.envelope import Place, seal
from shared.vault.keyring import Keyring

_PACE = Pace(requests_per_s=0, connections=0)


class IndexWays(Protocol):
    def open(self, id: str, workspace_id: str, lasts_s: float, listener: socket.socket) -> str:
        """As Ways.open."""

    def close(self, id: str) -> None:
        """Ends it. May be called twice."""


def to_index(id: str, site: LocalSite, caps: Caps, authority: RunAuthority | None = None) -> EgressRun:
    """A way to that site alone."""
    rule = {"host": site.host, "scheme": "http", "port": 80, "methods": ("GET", "HEAD")}
    return EgressRun(
        id=id,
        hosts=(HostRule.model_validate(rule),),
        record=lambda exchange: None,
        pace=_PACE,
        caps=caps,
        site=site,
        authority=authority,
    )


JOB_CAPS = Caps(answer_bytes=2 << 30, run_bytes=8 << 30)


class LocalIndexWays:
    def __init__(self, gateway: Doors, site: LocalSite) -> None:
        self._gateway = gateway
        self._site = site

    def open(self, id: str, workspace_id: str, lasts_s: float, listener: socket.socket) -> str:
        return self._gateway.open(to_index(id, self._site, JOB_CAPS), listener)

    def close(self, id: str) -> None:
        self._gateway.close(id)


class RemoteIndexWays:
    """ring: what openings are sealed with. A door left behind goes with RemoteWays' sweep."""

    def __init__(self, store: Store, clock: Clock, ring: Keyring) -> None:
        self._store = store
        self._clock = clock
        self._ring = ring

    def open(self, id: str, workspace_id: str, lasts_s: float, listener: socket.socket) -> str:
        listener.close()
        now = self._clock.now()
        authority = RunAuthority(now)
        opening = Opening(
            hosts=(),
            mode="live",
            secrets=(),
            decoys=(),
            allowed_writes=(),
            practice=PracticeSetting(),
            pace=_PACE,
            caps=JOB_CAPS,
            asks_model=False,
            authority=authority.keep().decode("ascii"),
            tape="off",
            index=True,
        )
        door = DoorRecord(
            id=id,
            workspace_id=workspace_id,
            run_id="",
            agent_id="",
            sealed=seal(opening.model_dump_json(), Place(workspace_id, id, 1), self._ring),
            at=stamp(now),
            expires_at=stamp(now + timedelta(seconds=lasts_s)),
        )
        self._store.transact(lambda tx: save_door(tx, door), cause=_cause(workspace_id))
        return authority.ca_pem

    def close(self, id: str) -> None:
        self._store.transact(lambda tx: tx.delete(DOORS, id), cause=_cause(""))


def _cause(workspace_id: str) -> Cause:
    return Cause(workspace_id, "service:executor")
