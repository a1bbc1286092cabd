"""Owned by executor: recordings of attempts. The documents say that a tape is there; what is on it is sealed."""

from __future__ import annotations

from typing import Any, Literal

from shared.records import Record, Shape

TapeSetting = Literal["full", "headers", "off"]


class TapeRecord(Record):
    """The tape of one attempt; id = attempt id. Its bodies lie under `prefix`, shared by the agent's tapes.

    index     sealed head and entries, base64; "" when they lie in the blob `index_key`
    complete  false: something was over a bound and is not on it (the run was not touched by that)
    setting   headers: no bodies were kept, so it cannot be replayed
    """

    run_id: str
    agent_id: str
    number: int
    key_id: str
    setting: Literal["full", "headers"]
    prefix: str
    index: str = ""
    index_key: str | None = None
    entries: int
    size: int
    complete: bool = True
    at: str
    expires_at: str


class TapeKeyRecord(Record):
    """A workspace's tape key, wrapped by the installation's; id = workspace id. Deleting it destroys the
    workspace's tapes, wherever copies of them lie."""

    key_id: str
    sealed: str
    at: str


class TapeHead(Shape):
    """All that entered an attempt beside its exchanges.

    clock   seconds since 1970 when the code began · now, timezone: what agent.now() said
    seed    hex of the attempt's 256 random bits; its placeholders and decoys follow from them
    state_base  number of the state version it began with
    """

    run_id: str
    attempt_id: str
    version_id: str
    environment_id: str
    mode: Literal["live", "rehearsal"]
    input: Any = None
    now: str
    timezone: str
    clock: float
    seed: str
    state_base: int | None = None
    practice_day: int = 1
    practice_broken: bool = False


class TapeEntry(Shape):
    """One exchange as the sandbox saw it: placeholders in what it sent, masked values in what it got.

    n          its place in the order in which requests began, from 1; began_s, ended_s since the first
    *_body     address of the body; None: empty, or not kept. *_size its whole length, *_sha256 its digest
               ("" when it was not read to its end)
    status     0: the code got no answer · broken: the answer was cut off
    lost       a body was over a bound and is not kept
    """

    n: int
    method: str
    url: str
    verdict: str
    reason: str = ""
    effect: str = "read"
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: str | None = None
    request_size: int = 0
    request_sha256: str = ""
    status: int = 0
    phrase: str = ""
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer_body: str | None = None
    answer_size: int = 0
    answer_sha256: str = ""
    bytes_out: int = 0
    bytes_in: int = 0
    began_s: float = 0
    ended_s: float = 0
    broken: bool = False
    lost: bool = False


class TapeContent(Shape):
    head: TapeHead
    entries: tuple[TapeEntry, ...]
