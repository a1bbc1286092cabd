"""All that a house on Google's engines keeps, and whether it is at rest: somebody hears every fact that is sent, and so
knows which ones others have not heard yet."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from google.cloud.pubsub_v1 import SubscriberClient

from shared.blobs.port import Blobs
from shared.bus.dispatch import CLAIMS
from shared.bus.pubsub import topic_path
from shared.events import catalog
from shared.events.routing import subscriptions
from tests.flows.holdings import OUTBOX, files_in

_TICKS = "clock"
"""Never at rest."""
_AT_ONCE = 500


class Witness:
    """For Pub/Sub's emulator, whose subscriptions have a fact as soon as it has been sent. heard: what services have
    taken, by (service, message's id). `sent`: how many facts, ticks aside."""

    def __init__(self, project: str, heard: Callable[[], Collection[tuple[str, str]]]) -> None:
        self._heard = heard
        self._awaited: set[tuple[str, str]] = set()
        self.sent = 0
        self._subscriber: Any = SubscriberClient()
        self._services = {
            topic: [service for service, topics in subscriptions().items() if topic in topics]
            for topic in catalog.topics()
            if topic != _TICKS
        }
        self._places = {
            topic: self._subscriber.subscription_path(project, f"{topic}.witness") for topic in self._services
        }
        for topic, place in self._places.items():
            self._subscriber.create_subscription(request={"name": place, "topic": topic_path(project, topic)})

    def unheard(self) -> bool:
        for topic, place in self._places.items():
            while found := self._pulled(place):
                self.sent += len(found)
                self._awaited |= {(service, id) for service in self._services[topic] for id in found}
        self._awaited -= set(self._heard())
        return bool(self._awaited)

    def close(self) -> None:
        self._subscriber.close()

    def _pulled(self, place: str) -> list[str]:
        """Without waiting for more, which Google advises against where many are pulled."""
        request = {"subscription": place, "max_messages": _AT_ONCE, "return_immediately": True}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            got = self._subscriber.pull(request=request).received_messages
        if got:
            handles = [one.ack_id for one in got]
            self._subscriber.acknowledge(request={"subscription": place, "ack_ids": handles})
        return [one.message.message_id for one in got]


class GoogleHoldings:
    """clients: Firestore's, by service. folder: of the services' own disks."""

    def __init__(self, clients: Mapping[str, Any], blobs: Blobs, folder: Path, witness: Witness) -> None:
        self._clients = clients
        self._blobs = blobs
        self._folder = folder
        self._witness = witness

    def documents(self) -> dict[str, str]:
        return {place: text for place, text in self._all().items() if place.split("/")[1][0] != "_"}

    def busy(self) -> bool:
        """What moves while this looks is seen at the end: nothing goes on without a fact that is sent."""
        if self._witness.unheard():
            return True
        sent = self._witness.sent
        here = any(
            list(client.collection(name).limit(1).stream())
            for name in (CLAIMS, OUTBOX)
            for client in self._clients.values()
        )
        return here or self._witness.unheard() or self._witness.sent != sent

    def blobs(self) -> set[str]:
        return {found.key for found in self._blobs.list("")}

    def everything(self) -> bytes:
        kept = b"".join(self._blobs.get(key) for key in sorted(self.blobs()))
        return kept + files_in(self._folder) + "\n".join(self._all().values()).encode()

    def _all(self) -> dict[str, str]:
        return {
            f"{service}/{collection.id}/{found.id}": str(sorted((found.to_dict() or {}).items()))
            for service, client in self._clients.items()
            for collection in client.collections()
            for found in collection.stream()
        }
