"""A gateway, the servers behind it and a name service that remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from services.executor.egress.authority import RunAuthority
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressReport, EgressRun, Exchange, Pace
from shared.agentfile.model import HostRule
from shared.clock import SystemClock
from shared.errors import BadRequest
from shared.net.allowance import Allowance
from tests.fakes.upstream import CannedServer, Upstream

API, OTHER, PLAIN = "api.shop.test", "other.shop.test", "plain.shop.test"
# Its certificate comes from roots nobody trusts.
FORGED = "forged.shop.test"
# Answers by plain http with whatever bytes the test sets.
CANNED = "canned.shop.test"
UNHURRIED = Pace(requests_per_s=0)


@dataclass
class OpenRun:
    """One run with its listening socket, seen from the code's side."""

    gateway: EgressGateway
    id: str
    port: int
    ca: str
    ca_path: str
    records: list[Exchange]

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def session(self) -> Iterator[requests.Session]:
        with requests.Session() as session:
            session.trust_env = False
            session.proxies = {"http": self.proxy, "https": self.proxy}
            session.verify = self.ca_path
            yield session

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.ca)

    def close(self) -> EgressReport:
        """After it `records` are complete."""
        return self.gateway.close(self.id)


@dataclass
class World:
    gateway: EgressGateway
    api: Upstream
    other: Upstream
    plain: Upstream
    forged: Upstream
    canned: CannedServer
    lookups: list[str]
    folder: Path
    opened: list[OpenRun] = field(default_factory=list)

    def url(self, path: str = "/", host: str = API) -> str:
        return {
            API: f"https://{API}:{self.api.port}",
            OTHER: f"https://{OTHER}:{self.other.port}",
            PLAIN: f"http://{PLAIN}:{self.plain.port}",
            FORGED: f"https://{FORGED}:{self.forged.port}",
            CANNED: f"http://{CANNED}:{self.canned.port}",
        }[host] + path

    def rule(self, host: str = API, **more: Any) -> HostRule:
        servers: dict[str, Upstream | CannedServer] = {
            API: self.api,
            OTHER: self.other,
            PLAIN: self.plain,
            FORGED: self.forged,
            CANNED: self.canned,
        }
        port = servers[host].port
        return HostRule(host=host, port=port, scheme="http" if host in (PLAIN, CANNED) else "https", **more)

    def open(self, *hosts: HostRule, **more: Any) -> OpenRun:
        """A run with those rules; none given: the API host may be read."""
        run_id = f"run_{len(self.opened)}"
        records: list[Exchange] = []
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        settings = {"pace": UNHURRIED, **more}
        run = EgressRun(run_id, hosts or (self.rule(),), records.append, **settings)
        ca = self.gateway.open(run, listener)
        path = self.folder / f"{run_id}.pem"
        path.write_text(ca)
        opened = OpenRun(self.gateway, run_id, port, ca, str(path), records)
        self.opened.append(opened)
        return opened


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shared by all tests of a worker; each opens its own run."""
    roots = RunAuthority(SystemClock().now())
    trust = ssl.create_default_context(cadata=roots.ca_pem)
    lookups: list[str] = []
    addresses = dict.fromkeys((API, OTHER, PLAIN, FORGED, CANNED), "127.0.0.1") | {
        "meta.shop.test": "169.254.169.254"
    }

    def resolver(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        if host not in addresses:
            raise BadRequest(f"there is no host {host}", code="no_such_host")
        return (addresses[host],)

    with (
        Upstream(roots.context(API)) as api,
        Upstream(roots.context(OTHER)) as other,
        Upstream() as plain,
        Upstream(RunAuthority(SystemClock().now()).context(FORGED)) as forged,
        CannedServer() as canned,
    ):
        pairs = {(API, api.port), (OTHER, other.port), (PLAIN, plain.port), (FORGED, forged.port)}
        pairs |= {("meta.shop.test", 443), (CANNED, canned.port)}
        gateway = EgressGateway(Allowance(frozenset(pairs)), resolver=resolver, tls=trust)
        yield World(gateway, api, other, plain, forged, canned, lookups, tmp_path_factory.mktemp("egress"))
        gateway.stop()
