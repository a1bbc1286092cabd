"""The bus on Google Pub/Sub: topic `agentbuilder-<topic>`, subscription `<topic>.<service>`.

Cloud Run services receive pushes (`take`); a process that no push can reach pulls (`start`). The emulator is
found through PUBSUB_EMULATOR_HOST by Google's client itself.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from google.api_core import exceptions
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.publisher.exceptions import PublishToPausedOrderingKeyException
from google.cloud.pubsub_v1.types import BatchSettings, PublisherOptions
from google.protobuf import duration_pb2
from google.pubsub_v1.types import PullResponse, ReceivedMessage

from shared.bus.letters import StoredLetters
from shared.bus.port import Awaits, DeadLetter, Received, Receiver
from shared.bus.push import LETTER, ONLY, Handed, handed
from shared.clock import Clock
from shared.errors import DecodeError, ProjectError, Unavailable
from shared.events.envelope import Envelope

_PUBLISH_S = 30.0
_ACK_S = 10  # for pulled messages, the shortest there is: what a dying process held comes again after it
_PULL = 8
_BACKOFF_S = 1.0
_GIVE_UP_S = 600  # design, section 4
_REMEMBERED = 10_000
_REFUSALS = (
    exceptions.GoogleAPICallError,
    exceptions.RetryError,
    FutureTimeoutError,
    PublishToPausedOrderingKeyException,
    CancelledError,
    RuntimeError,
)

log = logging.getLogger(__name__)


class PubSubBus:
    """`pull`: fetch messages from `start` on; without it they arrive through `take`.

    Subscriptions are unordered on purpose: with ordering, an early fact that waits for the next message of
    its own key would block it. The ordering key still travels, for whoever archives the topics.
    """

    local = False

    def __init__(self, project: str, clock: Clock, letters: StoredLetters, *, pull: bool = True) -> None:
        self._project = project
        self._clock = clock
        self._letters = letters
        self._pull = pull
        options = PublisherOptions(enable_message_ordering=True)
        self._publisher = PublisherClient(BatchSettings(max_latency=0.002), options)
        self._subscriber = SubscriberClient()
        self._receivers: dict[str, tuple[tuple[str, ...], Receiver]] = {}
        self._first_seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        self._publish([(e, {}) for e in envelopes])

    def _publish(self, messages: Sequence[tuple[Envelope, dict[str, str]]]) -> None:
        waiting: list[tuple[str, str, Any]] = []
        failure: Exception | None = None
        for envelope, more in messages:
            topic, key = topic_path(self._project, envelope.topic), envelope.subject
            attributes = envelope.attributes() | more
            try:
                future = self._publisher.publish(topic, envelope.body(), ordering_key=key, **attributes)
                waiting.append((topic, key, future))
            except (RuntimeError, ValueError) as error:  # stopped; larger than Pub/Sub takes
                failure = error
        for topic, key, future in waiting:
            try:
                future.result(timeout=_PUBLISH_S)
            except _REFUSALS as error:
                failure = error
                with contextlib.suppress(RuntimeError):
                    # The client refuses a key after a failure until told that the caller sends again.
                    self._publisher.resume_publish(topic, key)
        if failure is not None:
            raise Unavailable(f"Pub/Sub did not take the events: {failure}") from failure

    def subscribe(
        self, service: str, topics: Sequence[str], receive: Receiver, *, awaits: Awaits | None = None
    ) -> None:
        self._receivers[service] = (tuple(topics), receive)

    def start(self) -> None:
        if not self._pull:
            return
        for service, (topics, _) in self._receivers.items():
            for topic in topics:
                name = f"{topic}.{service}"
                self._threads.append(
                    threading.Thread(target=self._run, args=(name,), name=f"bus-{name}", daemon=True)
                )
        for thread in self._threads:
            thread.start()

    def take(self, delivered: Handed) -> bool:
        """One delivery to its service. True: acknowledge it (204); False: it must come again (503).

        Raises KeyError when that service did not subscribe here.
        """
        service, envelope = delivered.service, delivered.envelope
        receive = self._receivers[service][1]
        if delivered.only not in ("", service):
            return True
        seen = self._first(service, delivered.message_id)
        received = self._receive(service, receive, envelope)
        overdue = self._clock.monotonic() - seen > _GIVE_UP_S
        if received.verdict == "retry" and not overdue:
            log.info("%s will get %s again: %s", service, envelope.type, received.reason)
            return False
        try:
            if received.verdict != "ack":
                log.warning("dead letter for %s: %s (%s)", service, envelope.type, received.reason)
                self._letters.bury(service, envelope, received.reason)
            elif delivered.letter:
                self._letters.remove(service, delivered.letter)
        except ProjectError as error:
            log.warning("the dead letter of %s could not be kept: %s", service, error.detail)
            return False
        with self._lock:
            self._first_seen.pop((service, delivered.message_id), None)
        return True

    def _receive(self, service: str, receive: Receiver, envelope: Envelope) -> Received:
        try:
            return receive(envelope)
        except Exception as error:
            # The receiver already turns everything it knows into a verdict; what still arrives is a defect.
            log.exception("receiver of %s failed on %s", service, envelope.type)
            return Received("retry", f"{type(error).__name__}: {error}")

    def _first(self, service: str, message_id: str) -> float:
        """When this process first saw it: age alone would condemn what waited for a service that was down. On a clock
        that stands still while the machine sleeps."""
        now = self._clock.monotonic()
        with self._lock:
            seen = self._first_seen.setdefault((service, message_id), now)
            while len(self._first_seen) > _REMEMBERED:
                self._first_seen.popitem(last=False)
        return seen

    def _run(self, name: str) -> None:
        path = self._subscriber.subscription_path(self._project, name)
        while not self._stopping.is_set():
            try:
                self._handle(path, self._subscriber.pull(subscription=path, max_messages=_PULL, retry=None))
            except exceptions.DeadlineExceeded:
                continue
            except (exceptions.GoogleAPICallError, exceptions.RetryError, ValueError) as error:
                # ValueError: `stop` closed the channel under a waiting pull.
                if not self._stopping.is_set():
                    log.warning("pulling %s failed: %s", name, error)
                    self._clock.wait(self._stopping, _BACKOFF_S)

    def _handle(self, path: str, response: PullResponse) -> None:
        for message in response.received_messages:
            done = not self._stopping.is_set() and self._accept(path, message)
            if done:
                self._subscriber.acknowledge(subscription=path, ack_ids=[message.ack_id])
            else:
                self._subscriber.modify_ack_deadline(
                    subscription=path, ack_ids=[message.ack_id], ack_deadline_seconds=0
                )

    def _accept(self, path: str, received: ReceivedMessage) -> bool:
        message = received.message
        attempt = received.delivery_attempt or None
        try:
            published = message.publish_time.isoformat()
            id = message.message_id
            return self.take(handed(message.attributes, message.data, id, attempt, path, published))
        except DecodeError as error:
            # No envelope, so no letter: nothing of ours sends this, and the topic takes only our senders.
            log.warning("dropped a message of %s that is no event: %s", path, error.detail)
            return True

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        return self._letters.newest(limit)

    def replay(self, dead_letter_id: str) -> None:
        """Published to the topic, marked for the one service, whose letter goes when it has been handled."""
        letter = self._letters.one(dead_letter_id)
        self._publish([(letter.envelope, {ONLY: letter.service, LETTER: letter.id})])

    def trim(self) -> None:
        """Nothing to do: Pub/Sub forgets what is acknowledged."""

    def stop(self) -> None:
        self._stopping.set()
        self._subscriber.close()
        for thread in self._threads:
            thread.join(timeout=10)
        self._threads.clear()
        with contextlib.suppress(RuntimeError):  # stopped before
            self._publisher.stop()


def topic_path(project: str, topic: str) -> str:
    return f"projects/{project}/topics/agentbuilder-{topic}"


def provision(
    project: str, topics: Sequence[str], subscribers: Mapping[str, Sequence[str]], *, retry_s: float = 1.0
) -> None:
    """Makes topics and pulled subscriptions, for emulators; in the cloud terraform makes them. Idempotent.

    subscribers: topics by service. retry_s: shortest pause before a redelivery.
    """
    with SubscriberClient() as subscriber:
        publisher: Any = PublisherClient()
        for topic in topics:
            _once(publisher.create_topic, name=topic_path(project, topic))
        pauses = {"minimum_backoff": _duration(retry_s), "maximum_backoff": _duration(max(retry_s, 30.0))}
        for service, wanted in subscribers.items():
            for topic in wanted:
                request = {
                    "name": subscriber.subscription_path(project, f"{topic}.{service}"),
                    "topic": topic_path(project, topic),
                    "ack_deadline_seconds": _ACK_S,
                    "retry_policy": pauses,
                }
                _once(subscriber.create_subscription, request=request)
        publisher.stop()


def _once(create: Any, **arguments: Any) -> None:
    try:
        create(**arguments)
    except exceptions.AlreadyExists:
        return


def _duration(seconds: float) -> duration_pb2.Duration:
    return duration_pb2.Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
