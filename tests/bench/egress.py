"""One request through the egress gateway, beside the same request made directly."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing

from services.executor.egress.authority import RunAuthority
from services.executor.egress.decoys import fresh_decoys
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun, Pace, SecretBinding
from shared.agentfile.model import HostRule
from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.net.allowance import Allowance
from tests.bench.figures import Limit, Row, Samples
from tests.fakes.upstream import Upstream

_HOST = "api.shop.test"
_MARK = "ab-placeholder-4f1c9e77b2d84d55a0c6"
_WARM_UP = 5
_TARGET_MS = 10


def measure(count: int) -> list[Row]:
    """HTTPS, inspected, a secret in its header exchanged, its answer masked, decoys looked for."""
    roots = RunAuthority(SystemClock().now())
    trust = ssl.create_default_context(cadata=roots.ca_pem)
    with Upstream(roots.context(_HOST)) as upstream, closing(_listener()) as listener:
        place = (_HOST, upstream.port)
        gateway = EgressGateway(Allowance(frozenset({place})), resolver=lambda *_: ("127.0.0.1",), tls=trust)
        proxy = listener.getsockname()
        run = EgressRun(
            "bench",
            (HostRule(host=_HOST, port=upstream.port, effect="write"),),
            lambda _: None,
            secrets=(SecretBinding("KEY", _HOST, _MARK),),
            reveal=lambda _: "s3cr3t/value+for=the-shop",
            decoys=fresh_decoys(RandomIds()),
            pace=Pace(requests_per_s=0),
        )
        inside = ssl.create_default_context(cadata=gateway.open(run, listener.dup()))

        def through() -> http.client.HTTPSConnection:
            connection = http.client.HTTPSConnection(*proxy, context=inside)
            connection.set_tunnel(*place)
            return connection

        def direct() -> http.client.HTTPSConnection:
            return _Direct(*place, context=trust)

        try:
            return [
                _row("egress: a read on a kept connection", _kept, "GET", through, direct, count),
                _row("egress: a read with a new connection each", _new, "GET", through, direct, count),
                # A write never goes out on a kept connection: it might be lost on one that is being closed.
                _row("egress: a write with a new connection each", _new, "POST", through, direct, count),
            ]
        finally:
            gateway.stop()


class _Direct(http.client.HTTPSConnection):
    """To this machine under the server's name."""

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)  # type: ignore[attr-defined]


Opener = Callable[[], http.client.HTTPSConnection]


def _row(
    what: str,
    work: Callable[[Opener, str, int], Samples],
    method: str,
    through: Opener,
    direct: Opener,
    count: int,
) -> Row:
    limit = Limit("the same request made directly", work(direct, method, count))
    return Row(what, work(through, method, count), limit, target=_TARGET_MS)


def _kept(opened: Opener, method: str, count: int) -> Samples:
    with closing(opened()) as connection:
        for _ in range(_WARM_UP):
            _ask(connection, method)
        return Samples.of([_ask(connection, method) for _ in range(count)])


def _new(opened: Opener, method: str, count: int) -> Samples:
    took = []
    for _ in range(count + _WARM_UP):
        began = time.perf_counter()
        with closing(opened()) as connection:
            _ask(connection, method)
        took.append((time.perf_counter() - began) * 1000)
    return Samples.of(took[_WARM_UP:])


def _ask(connection: http.client.HTTPSConnection, method: str) -> float:
    """Milliseconds until the answer was read."""
    began = time.perf_counter()
    body = b'{"item": "mug"}' if method == "POST" else None
    connection.request(method, "/echo", body, {"Authorization": f"Bearer {_MARK}"})
    connection.getresponse().read()
    return (time.perf_counter() - began) * 1000


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))
