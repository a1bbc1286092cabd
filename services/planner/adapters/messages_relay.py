"""The Messages API over HTTP, passed on as it comes: for agents, which speak it themselves."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import httpx2

from services.planner.adapters import anthropic_errors
from services.planner.adapters.anthropic import CONNECT_S, PROVIDER, SILENCE_S
from services.planner.ports import Json, ModelKey, Relayed
from shared.clock import Clock
from shared.errors import ProjectError

# Source: the API's versioning page; the only one there is since 2023.
_VERSION = "2023-06-01"
_SAID_BYTES = 64 << 10


class MessagesRelay:
    """One pool of connections for all keys: a key is a header of each request. `close` ends them."""

    def __init__(self, clock: Clock, *, silence_s: float = SILENCE_S) -> None:
        self._clock = clock
        self._silence_s = silence_s
        # A redirect would carry a person's words to a server nobody chose.
        self._http = httpx2.Client(follow_redirects=False)

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def ask(self, key: ModelKey, body: Json, limit_s: float) -> Generator[Relayed, None, None]:
        # Whoever asked for an answer in one piece hears nothing until it is whole; then there is one wait only.
        streamed = bool(body.get("stream"))
        silence_s = min(self._silence_s, limit_s / 2) if streamed else limit_s
        last_wait = self._clock.monotonic() + limit_s - (silence_s if streamed else 0)
        with self._called("/v1/messages", key, body, silence_s) as response:
            yield Relayed(
                content_type=response.headers.get("content-type", ""),
                request_id=response.headers.get("request-id", ""),
                chunks=self._chunks(response, silence_s, last_wait, limit_s),
            )

    def count(self, key: ModelKey, body: Json, limit_s: float) -> int:
        silence_s = min(self._silence_s, limit_s)
        with self._called("/v1/messages/count_tokens", key, body, silence_s) as response:
            try:
                counted = json.loads(_read(response, silence_s))["input_tokens"]
            except (ValueError, KeyError, TypeError) as error:
                raise anthropic_errors.garbled() from error
        if not isinstance(counted, int) or isinstance(counted, bool):
            raise anthropic_errors.garbled()
        return counted

    @contextmanager
    def _called(
        self, path: str, key: ModelKey, body: Json, silence_s: float
    ) -> Generator[httpx2.Response, None, None]:
        """The response once it has begun with status 200."""
        address = f"{(key.base_url or PROVIDER).rstrip('/')}{path}"
        sent = key.key.strip()
        if not sent or not sent.isascii() or not sent.isprintable():
            raise anthropic_errors.no_key()
        try:
            request = self._http.build_request(
                "POST",
                address,
                content=json.dumps(body).encode(),
                headers={
                    "content-type": "application/json",
                    "anthropic-version": _VERSION,
                    "x-api-key": sent,
                    "accept-encoding": "identity",
                },
                timeout=httpx2.Timeout(silence_s, connect=min(CONNECT_S, silence_s)),
            )
        except httpx2.InvalidURL as error:
            raise anthropic_errors.unreachable(address) from error
        try:
            response = self._http.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise _broken(error, request.url.host, silence_s) from error
        try:
            if response.status_code != 200:
                raise self._refused(response, str(body.get("model", "")), sent)
            yield response
        finally:
            with suppress(httpx2.HTTPError):
                response.close()

    def _refused(self, response: httpx2.Response, model: str, key: str) -> ProjectError:
        error: object = None
        with suppress(ValueError, AttributeError, ProjectError):
            error = json.loads(_read(response, self._silence_s)[:_SAID_BYTES]).get("error")
        told = error if isinstance(error, dict) else {}
        said = str(told.get("message") or "").replace(key, "…")
        wait: float | None = None
        with suppress(ValueError):
            wait = max(0.0, float(response.headers.get("retry-after", "")))
        return anthropic_errors.refused(
            response.status_code, str(told.get("type") or ""), said, model=model, retry_after_s=wait
        )

    def _chunks(
        self, response: httpx2.Response, silence_s: float, last_wait: float, limit_s: float
    ) -> Iterator[bytes]:
        try:
            for chunk in response.iter_raw():
                yield chunk
                if self._clock.monotonic() > last_wait:
                    raise anthropic_errors.overdue(limit_s)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise _broken(error, response.request.url.host, silence_s) from error


def _read(response: httpx2.Response, silence_s: float) -> bytes:
    try:
        return response.read()
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise _broken(error, response.request.url.host, silence_s) from error


def _broken(error: Exception, host: str, silence_s: float) -> ProjectError:
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return anthropic_errors.unreachable(host)
        case httpx2.UnsupportedProtocol() | httpx2.ProxyError():
            return anthropic_errors.unreachable(host)
        case httpx2.TimeoutException():
            return anthropic_errors.silent(silence_s)
        case _:
            return anthropic_errors.cut()
