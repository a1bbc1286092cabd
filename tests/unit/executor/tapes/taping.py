"""A place to record at, and an exchange as the gateway would tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from services.executor.egress.model import Exchange
from services.executor.tapes.recording import BOUNDS, Bounds, Recording, Shelf
from services.executor.tapes.spool import Spool
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock
from shared.ids import SeededIds
from shared.records.tapes import TapeHead, TapeRecord
from shared.vault.keyfile import load_keyring
from shared.vault.tapes import TapeKey, new_key

HEAD = TapeHead(
    run_id="run_1",
    attempt_id="att_1",
    version_id="ver_1",
    environment_id="env_1",
    mode="live",
    input={"secret": "input"},
    now="2026-01-05T00:00:00.000000Z",
    timezone="Asia/Seoul",
    clock=1767571200.5,
    seed="00" * 32,
)


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "blobs"
        self.spool_folder = folder / "spool"
        self.spool_folder.mkdir()
        self.ids = SeededIds()
        self.blobs = FileBlobs(self.folder, self.ids)
        self.clock = FakeClock()
        self.keyring = load_keyring(folder / "vault.key")
        self.key = self.another_key()

    def another_key(self) -> TapeKey:
        return new_key("wsp_1", self.ids.new("tpk"), self.keyring, "2026-01-05")[0]

    def recording(
        self,
        bounds: Bounds = BOUNDS,
        *,
        setting: Literal["full", "headers"] = "full",
        waiting_bytes: int = 1 << 20,
    ) -> Recording:
        prefix = "executor/tapes/1/wsp_1/agent_1"
        spool = Spool(waiting_bytes)
        shelf = Shelf(self.key, "agent_1", prefix, self.blobs, spool, self.spool_folder, self.ids, self.clock)
        return Recording(shelf, setting, bounds)

    def finish(self, recording: Recording, head: TapeHead = HEAD) -> TapeRecord:
        record = recording.finish(head, 1, "2026-01-05", "2026-02-04")
        recording.shelf.spool.close()
        return record


def exchange(
    recording: Recording,
    *,
    asked: bytes = b"",
    answered: bytes = b"",
    method: str = "POST",
    path: str = "/new",
) -> None:
    """In pieces, as they come from a socket."""
    take = recording.take()
    take.asked(method, path, [(b"host", b"shop.example.com"), (b"x-header", b"kept")])
    _pieces(asked, take.sent)
    take.sent_all()
    take.answered(200, "OK", [(b"content-type", b"text/plain")])
    _pieces(answered, take.got)
    take.got_all()
    take.judged(judged(method, path, len(answered)))
    take.over()


def judged(method: str = "GET", path: str = "/new", size: int = 0) -> Exchange:
    return Exchange(
        run_id="att_1",
        at_ms=0,
        scheme="https",
        host="shop.example.com",
        port=443,
        method=method,
        path=path,
        status=200,
        bytes_out=10,
        bytes_in=size,
        duration_ms=1,
        effect="read",
        verdict="sent",
    )


def _pieces(data: bytes, take: object) -> None:
    assert callable(take)
    for start in range(0, len(data), 50_000):
        take(data[start : start + 50_000])
