"""Requests to the Run API, again until they are answered: the network may be slow to begin, the executor may be new."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import random
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, cast

import requests

from services.executor.ports import EndReason
from services.executor.run_api.messages import (
    ATTEMPT_OVER,
    BOX,
    ENDING,
    PART_BYTES,
    PART_MISSING,
    REPORTS,
    WORK,
    EndingTold,
    Heard,
    Known,
    Parcel,
    Report,
    Reports,
    Upload,
    Work,
    WorkAsked,
)
from services.executor.run_api.parcels import Incoming, unpack
from shared.clock import Clock
from shared.errors import Conflict, DecodeError, ProjectError, Unavailable

# Source: cloud.google.com/run/docs/configuring/vpc-direct-vpc (a minute or more until the first connection)
_PATIENCE_S = 300.0
_TIMEOUT = (10.0, 20.0)
_PUT_TIMEOUT = (10.0, 120.0)  # a bucket answers when it has written all of it
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0
_MISSED_PAUSE_S = 2.0  # some seconds of trying: more than a slow answer
_PARCEL_BYTES, _PARCEL_ENTRIES = 4 << 30, 1_000_000
_CHUNK = 256 << 10

log = logging.getLogger(__name__)

Identity = Callable[[], dict[str, str]]
"""Headers by which the platform's own front door knows this process; none where nobody stands there."""


class NotOurs(ProjectError):
    """The attempt is over, or another process has it: nothing more is to be done."""

    code = "not_ours"


class PartMissing(ProjectError):
    """What was handed in is not where the executor is now: all of it again."""

    code = PART_MISSING


class RunApi:
    """Thread-safe as far as `requests` is: one session for each thread that asks. instance: our name for ourselves.

    patience_s: until somebody first answers, and whose work is not begun. What was begun is told for as long as this
    execution lives: an executor that is away comes back and goes on (docs/decisions/0052)."""

    def __init__(
        self,
        address: str,
        token: str,
        instance: str,
        clock: Clock,
        identity: Identity = dict,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._address = address.rstrip("/")
        self._token = token
        self.instance = instance
        self._clock = clock
        self._identity = identity
        self._patience_s = patience_s
        self._never = threading.Event()
        self._sessions = threading.local()

    def work(self, version: str) -> Work:
        asked = WorkAsked(instance=self.instance, version=version)
        body = asked.model_dump_json().encode()
        return Work.model_validate_json(self._ask("POST", WORK, body, self._patience_s))

    def report(self, reports: tuple[Report, ...]) -> EndReason | None:
        """Why the attempt is to end, if it is."""
        body = Reports(instance=self.instance, reports=reports).model_dump_json().encode()
        return Heard.model_validate_json(self._ask("POST", REPORTS, body)).stop

    def hand_in(self, pieces: Iterator[bytes]) -> tuple[int, str]:
        """Bytes and SHA-256 of the whole. Raises: PartMissing."""
        source, digest, offset = Incoming(pieces), hashlib.sha256(), 0
        while part := source.read(PART_BYTES):
            self._ask("PUT", f"{BOX}/{self.instance}/{offset}", part)
            digest.update(part)
            offset += len(part)
        return offset, digest.hexdigest()

    def put(self, upload: Upload, pieces: Callable[[], Iterator[bytes]], size: int) -> None:
        """The file that `pieces` yields each time anew. That one is there already is no error: it is ours, or whoever
        reads it will see that it is not."""

        def once() -> bytes:
            body = _Sized(pieces(), size)
            headers = dict(upload.headers)
            answer = self._session().put(upload.url, data=body, headers=headers, timeout=_PUT_TIMEOUT)
            if answer.status_code != HTTPStatus.PRECONDITION_FAILED:
                _judge(answer)
            return b""

        self._again(once)

    def end(self, told: EndingTold) -> None:
        """Until it is written down. Raises: PartMissing."""
        body = told.model_dump_json().encode()
        while not Known.model_validate_json(self._ask("POST", ENDING, body)).known:
            self.pause()

    def pause(self) -> None:
        """Between two tries of what the executor has not taken."""
        self._clock.wait(self._never, 0.5 + random.random())

    def fetch(self, parcel: Parcel, into: Path) -> None:
        """Raises: DecodeError when it is not what its hash says."""
        ours = parcel.url.startswith("/")
        address = self._address + parcel.url if ours else parcel.url

        def once() -> bytes:
            with self._session().get(
                address, headers=self._headers() if ours else {}, timeout=_TIMEOUT, stream=True
            ) as answer:
                _judge(answer)
                digest = hashlib.sha256()
                pieces = _hashed(answer.iter_content(_CHUNK), digest.update)
                unpack(
                    cast("BinaryIO", Incoming(pieces)),
                    into,
                    max_bytes=_PARCEL_BYTES,
                    max_entries=_PARCEL_ENTRIES,
                    for_all=True,
                )
                for _rest in pieces:  # what follows the end of a tar counts for its hash
                    pass
                if parcel.sha256 and digest.hexdigest() != parcel.sha256:
                    raise DecodeError("A folder arrived otherwise than it was packed.")
                return b""

        self._again(once)
        into.chmod(0o755)

    def _ask(self, method: str, path: str, body: bytes, patience_s: float = math.inf) -> bytes:
        def once() -> bytes:
            answer = self._session().request(
                method, self._address + path, data=body, headers=self._headers(), timeout=_TIMEOUT
            )
            _judge(answer)
            return answer.content

        return self._again(once, patience_s)

    def _again(self, once: Callable[[], bytes], patience_s: float = math.inf) -> bytes:
        """Raises: NotOurs; Unavailable when nobody has answered for so long; what the answer means."""
        until = self._clock.monotonic() + patience_s
        pause, missed = _FIRST_PAUSE_S, False
        while True:
            try:
                return once()
            except (requests.RequestException, Unavailable) as error:
                if not missed and pause >= _MISSED_PAUSE_S:
                    log.warning("the executor does not answer: %s", error)
                    missed = True
                if self._clock.monotonic() >= until:
                    raise Unavailable(f"The executor does not answer: {error}") from error
            self._clock.wait(self._never, pause * (0.5 + random.random()))
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", **self._identity()}

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = requests.Session()
            session.trust_env = False  # no proxy of this machine's between the two
        return session


class _Sized(Incoming):
    """A body whose length is told before it: a signed link takes no other."""

    def __init__(self, pieces: Iterator[bytes], size: int) -> None:
        super().__init__(pieces)
        self._size = size

    def __len__(self) -> int:
        return self._size


def _judge(answer: requests.Response) -> None:
    """Raises: NotOurs, Unavailable (ask again), PartMissing, Conflict."""
    if answer.ok:
        return
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Unavailable(f"it answered {answer.status_code}")
    said, code = answer.text[:500], _code(answer)
    if code == PART_MISSING:
        raise PartMissing(said)
    if answer.status_code in (401, 403, 404, 409):
        detail = f"The executor answered {answer.status_code}: {said}"
        raise NotOurs(detail, code=ATTEMPT_OVER if code == ATTEMPT_OVER else None)
    raise Conflict(f"The executor answered {answer.status_code}: {said}")


def _code(answer: requests.Response) -> str:
    try:
        return str(json.loads(answer.content)["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _hashed(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    """Raises: Unavailable when it breaks off, which to its reader must not look like a bad file."""
    try:
        for piece in pieces:
            update(piece)
            yield piece
    except requests.RequestException as error:
        raise Unavailable(f"A folder broke off: {error}") from error
