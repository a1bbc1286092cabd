"""The Llm port on the `anthropic` package, which is imported when first used: that takes seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from services.planner.adapters import anthropic_errors, sse
from services.planner.adapters.anthropic_answer import Gathering
from services.planner.adapters.anthropic_request import answered, asked
from services.planner.ports import LlmEvent, LlmRequest
from shared.clock import Clock
from shared.errors import Interrupted, ProjectError

if TYPE_CHECKING:
    import anthropic

log = logging.getLogger(__name__)

PROVIDER = "https://api.anthropic.com"
SILENCE_S = 120.0
"""The API sends pings while it works, so a silence this long is a dead connection, not a thinking model."""
CONNECT_S = 10.0


class AnthropicLlm:
    """One key at one server. Keeps connections open between calls; `close` ends them.

    The stream is read as bytes rather than as the package's own events: those hide pings, so that nobody
    could stop or run out of time between two words, and name one broken connection in three ways.
    """

    def __init__(
        self,
        key: str,
        base_url: str,
        clock: Clock,
        *,
        silence_s: float = SILENCE_S,
        connect_s: float = CONNECT_S,
    ) -> None:
        self._key = key.strip()
        self._base_url = base_url or PROVIDER
        self._clock = clock
        self._silence_s = silence_s
        self._connect_s = connect_s
        self._lock = threading.Lock()
        self._opened: anthropic.Anthropic | None = None

    def stream(self, request: LlmRequest) -> Generator[LlmEvent, None, None]:
        # Whatever arrives is waited for at most `silence_s`, so the last wait begins that much before the end.
        silence_s = min(self._silence_s, request.limit_s / 2)
        last_wait = self._clock.monotonic() + request.limit_s - silence_s
        gathering = Gathering()
        try:
            with self._translated(request.model, silence_s):
                calling = self._client().messages.with_streaming_response.create(
                    **answered(request), stream=True, timeout=self._timeout(silence_s)
                )
                with calling as response:
                    gathering.request_id = response.headers.get("request-id") or ""
                    with closing(self._in_time(response.iter_bytes(), last_wait, request.limit_s)) as chunks:
                        for data in sse.data_of(chunks):
                            yield from gathering.take(data)
        except Interrupted:
            if not gathering.complete:
                raise
        yield gathering.answer()

    def count(self, request: LlmRequest) -> int:
        silence_s = min(self._silence_s, request.limit_s)
        with self._translated(request.model, silence_s):
            counted = self._client().messages.count_tokens(**asked(request), timeout=self._timeout(silence_s))
        if not isinstance(counted.input_tokens, int):
            raise anthropic_errors.garbled()
        return counted.input_tokens

    def close(self) -> None:
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _client(self) -> anthropic.Anthropic:
        """Opened when first asked for. Raises: Misconfigured when the key cannot even be sent."""
        if not self._key or not self._key.isascii() or not self._key.isprintable():
            raise anthropic_errors.no_key()
        with self._lock:
            if self._opened is None:
                began = self._clock.monotonic()
                import anthropic

                log.info("the anthropic package is ready after %.1f s", self._clock.monotonic() - began)
                self._opened = anthropic.Anthropic(
                    api_key=self._key,
                    base_url=self._base_url,
                    max_retries=0,
                    open_telemetry=False,
                    # a redirect would carry a person's words to a server nobody chose
                    http_client=anthropic.DefaultHttpxClient(follow_redirects=False),
                )
            return self._opened

    def _timeout(self, silence_s: float) -> anthropic.Timeout:
        from anthropic import Timeout

        return Timeout(silence_s, connect=min(self._connect_s, silence_s))

    def _in_time(
        self, chunks: Iterator[bytes], last_wait: float, limit_s: float
    ) -> Generator[bytes, None, None]:
        for chunk in chunks:
            yield chunk
            if self._clock.monotonic() > last_wait:
                raise anthropic_errors.overdue(limit_s)

    @contextmanager
    def _translated(self, model: str, silence_s: float) -> Generator[None, None, None]:
        """Errors of the package and of its transport in the terms of the port."""
        client = self._client()
        import anthropic
        import httpx2

        try:
            yield
        except anthropic.APIStatusError as error:
            raise self._refused(error, model) from error
        except (anthropic.APIError, httpx2.HTTPError, httpx2.StreamError, ValueError) as error:
            # a connection error of the package carries the transport's own beneath it
            match error.__cause__ if isinstance(error, anthropic.APIConnectionError) else error:
                case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.PoolTimeout():
                    raise anthropic_errors.unreachable(client.base_url.host) from error
                case httpx2.UnsupportedProtocol() | httpx2.ProxyError():
                    raise anthropic_errors.unreachable(client.base_url.host) from error
                case httpx2.TimeoutException():
                    raise anthropic_errors.silent(silence_s) from error
                case httpx2.DecodingError() | ValueError() | anthropic.APIResponseValidationError():
                    raise anthropic_errors.garbled() from error
                case _:
                    raise anthropic_errors.cut() from error

    def _refused(self, error: anthropic.APIStatusError, model: str) -> ProjectError:
        said = (error.api_message or "").replace(self._key, "…")
        wait = self._seconds(error.response.headers.get("retry-after") or "")
        return anthropic_errors.refused(
            error.status_code, str(error.type or ""), said, model=model, retry_after_s=wait
        )

    def _seconds(self, retry_after: str) -> float | None:
        """The header holds seconds or a date; anything else is no answer."""
        try:
            return max(0.0, float(retry_after))
        except ValueError:
            pass
        try:
            return max(0.0, (parsedate_to_datetime(retry_after) - self._clock.now()).total_seconds())
        except (ValueError, TypeError):
            return None
