"""What Pub/Sub does between a subscription and a service and its emulator leaves out: the push account's token.

Beside that it can do to pushes what Pub/Sub may: deliver each twice, late and in another order.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from google.cloud.pubsub_v1 import SubscriberClient

from shared.bus.oidc import Pusher
from shared.bus.pubsub import provision, topic_path
from shared.events import catalog
from shared.events.routing import subscriptions
from shared.runtime.pushes import HEALTH
from shared.runtime.server import WebServer, listen
from tests.fakes.issuer import FakeIssuer

_THREADS = 64
_TIMEOUT_S = 60.0  # terraform's ack deadline, which is how long a push may take
_STARTS_S = 90.0
# Several times what lies between two facts of one run, so that they come in any order.
_LATEST_S = 0.2
_AGAIN_S = 1.0


def pusher(project: str, service: str, audience: str) -> Pusher:
    """As terraform names the account."""
    return Pusher(f"ab-push-{service}@{project}.iam.gserviceaccount.com", audience)


def subscribe(project: str, endpoint: Callable[[str], str]) -> None:
    """Topics and pushed subscriptions as terraform's module topic makes them, in the emulator's words. endpoint: where
    a service's pushes go. Not idempotent."""
    provision(project, catalog.topics(), {})
    with SubscriberClient() as subscriber:
        for service, topics in subscriptions().items():
            for topic in topics:
                request = {
                    "name": subscriber.subscription_path(project, f"{topic}.{service}"),
                    "topic": topic_path(project, topic),
                    "ack_deadline_seconds": 60,
                    "push_config": {"push_endpoint": endpoint(service)},
                    "retry_policy": {"minimum_backoff": "0.1s", "maximum_backoff": "2s"},
                }
                subscriber.create_subscription(request=request)


class PushFront:
    """`/push/<service>` passes a push on to where that service listens now (`place`), with its own account's token;
    `/certificates` is what the services check it with. A service that does not answer is a 503, which makes it come
    again.

    now: the services' clock. listening: None: a port of its own, for this machine alone. seed: not 0: every push comes
    late and once more, at moments that follow from the seed. cut: the services before which Cloud Run checks tokens and
    cuts their signatures off.
    `answers` counts the services' answers by (service, status); `heard` has what they took, by (service, message's
    id).
    """

    def __init__(
        self,
        pushers: Mapping[str, Pusher],
        now: Callable[[], datetime],
        *,
        seed: int = 0,
        listening: socket.socket | None = None,
        cut: Collection[str] = (),
    ) -> None:
        self._pushers = dict(pushers)
        self._now = now
        self._cut = frozenset(cut)
        self._random = random.Random(seed) if seed else None
        self._places: dict[str, tuple[str, int]] = {}
        self.answers: Counter[tuple[str, int]] = Counter()
        self._heard: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        first = next(iter(self._pushers.values()))
        self._issuer = FakeIssuer(first, now(), "k1")
        self._again = ThreadPoolExecutor(_THREADS, thread_name_prefix="pushed-again")
        listening = listening or listen(0)
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._server = WebServer(self._answer, listening, _THREADS)
        self._server.start()

    @property
    def certificates(self) -> str:
        return f"{self.address}/certificates"

    def endpoint(self, service: str) -> str:
        """Where its subscriptions push to."""
        return f"{self.address}/push/{service}"

    def place(self, service: str, port: int, host: str = "127.0.0.1") -> None:
        with self._lock:
            self._places[service] = (host, port)

    @property
    def heard(self) -> frozenset[tuple[str, str]]:
        with self._lock:
            return frozenset(self._heard)

    def wait_for(self, service: str) -> None:
        """As a container's startup probe: until it answers, for a minute and a half."""
        connection = http.client.HTTPConnection(*self._places[service], timeout=_STARTS_S)
        try:
            connection.request("GET", HEALTH)
            assert connection.getresponse().status == 200, service
        finally:
            connection.close()

    def close(self) -> None:
        self._stopping.set()
        self._server.stop()
        self._again.shutdown(cancel_futures=True)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if path == "/certificates":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self._issuer()).encode()]
        service = path.rpartition("/")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status = self._passed(service, body)
        start_response(f"{status} {http.client.responses[status]}", [("Content-Length", "0")])
        return [b""]

    def _passed(self, service: str, body: bytes) -> int:
        if self._random is None:
            return self._push(service, body)
        with self._lock:
            late, again = self._random.uniform(0, _LATEST_S), self._random.uniform(0, _AGAIN_S)
        self._stopping.wait(late)
        self._again.submit(self._pushed_again, again, service, body)
        return self._push(service, body)

    def _pushed_again(self, after_s: float, service: str, body: bytes) -> None:
        if not self._stopping.wait(after_s):
            self._push(service, body)

    def _push(self, service: str, body: bytes) -> int:
        pusher = self._pushers[service]
        moment = int(self._now().timestamp())
        token = self._issuer.header(
            aud=pusher.audience, email=pusher.account, iat=moment - 10, exp=moment + 3590
        )
        if service in self._cut:
            token = f"{token.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"
        connection = http.client.HTTPConnection(*self._places[service], timeout=_TIMEOUT_S)
        try:
            headers = {"Authorization": token, "Content-Type": "application/json"}
            connection.request("POST", "/events", body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 503
        finally:
            connection.close()
        with self._lock:
            self.answers[service, status] += 1
            if status < http.client.BAD_REQUEST:
                self._heard.add((service, json.loads(body)["message"]["messageId"]))
        return status
