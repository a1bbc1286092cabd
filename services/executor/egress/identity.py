"""Who this process is to Google's front end, which stands before every service on Cloud Run that is not everybody's."""

from __future__ import annotations

import threading
from collections.abc import Callable

import requests

from shared.clock import Clock
from shared.errors import Unavailable

# Source: cloud.google.com/run/docs/authenticating/service-to-service#acquire-token
_METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity"
# Beside what says which attempt asks, in a header of its own. Source: the same page, "custom audiences".
_HEADER = "X-Serverless-Authorization"
_FRESH_S = 1800.0  # a token lasts an hour
_TIMEOUT_S = 10.0


def identity(audience: str, clock: Clock) -> Callable[[], dict[str, str]]:
    """None without TLS: nobody asks for it there. Raises (when asked for headers): Unavailable."""
    return GoogleIdentity(audience, clock).headers if audience.startswith("https://") else dict


class GoogleIdentity:
    """Only this process can ask the metadata server: the sandbox has no network but its door."""

    def __init__(self, audience: str, clock: Clock, metadata: str = _METADATA) -> None:
        self._audience = audience
        self._clock = clock
        self._metadata = metadata
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def headers(self) -> dict[str, str]:
        with self._lock:
            if self._clock.monotonic() >= self._until:
                self._token = self._fetch()
                self._until = self._clock.monotonic() + _FRESH_S
            return {_HEADER: f"Bearer {self._token}"}

    def _fetch(self) -> str:
        try:
            answer = requests.get(
                self._metadata,
                params={"audience": self._audience},
                headers={"Metadata-Flavor": "Google"},
                timeout=_TIMEOUT_S,
            )
            answer.raise_for_status()
        except requests.RequestException as error:
            raise Unavailable(f"The metadata server gave no identity: {error}") from error
        return answer.text
