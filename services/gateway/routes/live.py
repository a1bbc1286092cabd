"""Server-sent events from the store: what was written since, then whenever something is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from flask import Response, request

from services.gateway.deps import Deps
from services.gateway.routes.answers import deps, refusal
from shared.errors import Unavailable
from shared.store.port import Watch

_PING_S = 15.0
# How long a view may sleep through the stop of the server, or the leaving of its screen, whose place it holds.
_NAP_S = 0.25
_PIECE = 64 << 10  # characters: what belongs together is sent at once, but a long past in pieces

Poll = Callable[[], Iterable[str]]


def last_seen(default: int = 0) -> int:
    """Where the screen left off; anything that is no number starts anew."""
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else default


def frame(event: str, data: str, id: int | None = None) -> str:
    """data: JSON without line breaks."""
    return (f"id: {id}\n" if id is not None else "") + f"event: {event}\ndata: {data}\n\n"


def live(watch: Watch, poll: Poll) -> Response:
    """Sends what `poll` gives, again after every change, until the screen leaves. `watch` was opened before
    anything was read, so nothing falls between. Raises: Unavailable `too_many_streams`."""
    if not deps().slots.take():
        watch.close()
        raise refusal(Unavailable, "too_many_streams")
    closing = _Closing(deps(), watch)
    # Where the server can tell, a screen that left gives its place back within a moment.
    left: Callable[[], bool] = request.environ.get("waitress.client_disconnected", _never)
    frames = _frames(deps(), watch, poll, closing, left)
    response = Response(frames, content_type="text/event-stream; charset=utf-8")
    # Not in the generator's own finally: one that never started never ends.
    response.call_on_close(closing)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Closing:
    def __init__(self, deps: Deps, watch: Watch) -> None:
        self._deps = deps
        self._watch = watch
        self._once = threading.Lock()

    def __call__(self) -> None:
        if self._once.acquire(blocking=False):
            self._watch.close()
            self._deps.slots.give_back()


def _never() -> bool:
    return False


def _frames(
    deps: Deps, watch: Watch, poll: Poll, closing: Callable[[], None], left: Callable[[], bool]
) -> Iterator[str]:
    said_at = deps.clock.monotonic()
    try:
        yield ": hello\n\n"
        while not deps.slots.closing and not left():
            for text in _together(poll()):
                yield text
                said_at = deps.clock.monotonic()
            if deps.clock.monotonic() - said_at >= _PING_S:
                yield ": ping\n\n"
                said_at = deps.clock.monotonic()
            watch.wait(_NAP_S)
    finally:
        closing()


def _together(texts: Iterable[str]) -> Iterator[str]:
    piece = ""
    for text in texts:
        piece += text
        if len(piece) >= _PIECE:
            yield piece
            piece = ""
    if piece:
        yield piece
