"""Begins an attempt's tape, or the replay of one, and what follows from it for order and way out."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from services.executor import repository
from services.executor.egress.model import EgressRun, PracticeSetting
from services.executor.model import attempt_of
from services.executor.ports import Order
from services.executor.tapes import retention
from services.executor.tapes.chance import Chance
from services.executor.tapes.keys import TapeKeys
from services.executor.tapes.recording import BOUNDS, Bounds, Recording, Shelf, TapePart
from services.executor.tapes.replay import TapeReplay
from services.executor.tapes.spool import Spool
from services.executor.tapes.variation import Varied
from shared.agentfile.model import Language
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.errors import DecodeError, NotFound
from shared.ids import Ids
from shared.records import Shape
from shared.records.executor import Run
from shared.records.tapes import TapeContent, TapeHead, TapeRecord, TapeSetting
from shared.store.port import Reader, Store
from shared.vault.tapes import CHUNK_BYTES, read_body, read_tape

_SWEEP_EVERY_S = 600
CLOCK_FOLDER = "/clock"
_GONE = {
    "ko": "이 실행의 녹화가 남아 있지 않아 다시 재생할 수 없어요. 녹화는 30일 동안만 보관해요.",
    "en": "The recording of this run is no longer there, so it cannot be replayed. Recordings are kept for 30 days.",
}

_NO_STATE = {
    "ko": "그때 기억하던 내용이 더는 보관되어 있지 않아 다시 재생할 수 없어요.",
    "en": "What the agent remembered then is no longer kept, so this run cannot be replayed.",
}


@dataclass(frozen=True)
class Subject:
    """What of an attempt stands on its tape beside its exchanges."""

    version_id: str
    environment_id: str
    setting: TapeSetting
    practice: PracticeSetting
    language: Language


class TapedSoFar(Shape):
    """Of `Taped`, for another process. recording_began: seconds since 1970; None: nothing is recorded."""

    began: float
    now: str
    zone: str
    mode: Literal["live", "rehearsal"]
    practice_day: int
    practice_broken: bool
    prefix: str = ""
    recording_began: float | None = None


@dataclass
class Taped:
    """One attempt. recording None: nothing is kept of it. source: what is replayed."""

    run: Run
    subject: Subject
    chance: Chance
    clock: Clock
    recording: Recording | None = None
    source: TapeContent | None = None
    replay: TapeReplay | None = None
    varied: Varied | None = None
    clock_files: tuple[Path, ...] = ()
    _began: float = field(default=0.0)
    _now: str = field(default="")
    _zone: str = field(default="UTC")
    _mode: Literal["live", "rehearsal"] = field(default="live")

    @property
    def setting(self) -> TapeSetting:
        return self.recording.setting if self.recording else "off"

    def egress(self, out: EgressRun) -> EgressRun:
        return replace(out, tape=self.recording, replay=self.replay)

    def order(self, order: Order) -> Order:
        """With its seed; a replay gets the moment, the input and the mode of what was recorded, too."""
        order = replace(order, seed=self.chance.for_code())
        if self.source is not None:
            head = self.source.head
            mounts = dict(order.mounts)
            mounts |= {f"{CLOCK_FOLDER}/{path.name}": path for path in self.clock_files}
            order = replace(
                order,
                clock=head.clock,
                now=head.now,
                timezone=head.timezone,
                mode=head.mode,
                input=head.input,
                mounts=mounts,
                warm_key="",
            )
        self._began = self.clock.now().timestamp()
        self._now, self._zone, self._mode = order.now, order.timezone, order.mode
        return order

    def so_far(self) -> TapedSoFar:
        """What another process needs to finish it."""
        recording = self.recording
        return TapedSoFar(
            began=self._began,
            now=self._now,
            zone=self._zone,
            mode=self._mode,
            practice_day=self.subject.practice.day,
            practice_broken=self.subject.practice.broken,
            prefix=recording.shelf.prefix if recording else "",
            recording_began=recording.began_at if recording else None,
        )

    def go_on(self, known: TapedSoFar) -> None:
        self._began, self._now, self._zone, self._mode = known.began, known.now, known.zone, known.mode
        practice = PracticeSetting(known.practice_day, known.practice_broken)
        self.subject = replace(self.subject, practice=practice)
        if self.recording is not None and known.recording_began is not None:
            self.recording.began_at = known.recording_began

    def memory(self, archive: bytes | None) -> bytes | None:
        return self.varied.memory(archive) if self.varied else archive

    def without_state(self) -> None:
        """The state it began with is gone. Raises: NotFound for a replay, which would do something else."""
        if self.source is not None:
            raise NotFound(_NO_STATE[self.subject.language])

    def first_line(self) -> None:
        self._began = self.clock.now().timestamp()

    def finish(self, number: int) -> TapeRecord | None:
        """After the gateway has closed the run. The document belongs into the commit that ends the attempt."""
        if self.recording is None:
            return None
        source = self.source.head if self.source else None
        head = TapeHead(
            run_id=self.run.id,
            attempt_id=attempt_of(self.run),
            version_id=self.subject.version_id,
            environment_id=self.subject.environment_id,
            mode=self._mode,
            input=source.input if source else self.run.input,
            now=self._now,
            timezone=self._zone,
            clock=source.clock if source else self._began,
            seed=self.chance.seed.hex(),
            state_base=self.run.state_base,
            practice_day=self.subject.practice.day,
            practice_broken=self.subject.practice.broken,
        )
        now = self.clock.now()
        return self.recording.finish(head, number, stamp(now), stamp(now + retention.KEPT))


class Tapes:
    """clock_files: the package that lets a replay see another time."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        clock: Clock,
        ids: Ids,
        keys: TapeKeys,
        folder: Path,
        clock_files: tuple[Path, ...],
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._ids = ids
        self.keys = keys
        self._folder = folder
        self._clock_files = clock_files
        self._bounds = bounds
        self._spool = Spool()
        self._swept_s: float | None = None

    def begin(
        self, run: Run, subject: Subject, varied: Varied | None = None, *, seed: bytes = b"", prefix: str = ""
    ) -> Taped:
        """varied: what a replay is given instead of its recording. seed: of all that is random about it; empty: a fresh
        one. prefix: as `recording`'s. Raises: NotFound when what is to be replayed is no longer there."""
        if run.replay_of is None:
            chance = Chance(seed or self._fresh())
            return Taped(run, subject, chance, self._clock, self.recording(run, subject.setting, prefix))
        record, source = self.source(run, subject.language)
        return Taped(
            run,
            subject,
            Chance(bytes.fromhex(source.head.seed)),
            self._clock,
            self.recording(run, "full", prefix),
            source,
            self._replay(record, source, varied),
            varied,
            self._clock_files,
        )

    def finish(self, taped: Taped, gateway: Reader) -> TapeRecord | None:
        """The tape of an attempt that is over; its document belongs into the commit that ends the attempt. None
        when nothing was to be kept, or the agent was deleted meanwhile."""
        record = taped.finish(taped.run.attempt)
        if record is None:
            return None
        agent = gateway.get("agents", record.agent_id)
        if agent is not None and agent.data.get("deleted_at") is None:
            return record
        retention.remove_of_agent(self._store, self._blobs, self._clock, record.workspace_id, record.agent_id)
        return None

    def tape_of(self, run_id: str) -> TapeRecord | None:
        """Of the run's last attempt that was recorded."""
        found = repository.tapes_of_run(self._store, run_id)
        return found[-1] if found else None

    def content(self, record: TapeRecord) -> TapeContent:
        """Raises: DecodeError, NotFound."""
        return read_tape(record, self._blobs, self.keys.key(record.workspace_id))

    def body(self, record: TapeRecord, address: str) -> bytes:
        """Raises: DecodeError, NotFound."""
        key = self.keys.key(record.workspace_id)
        return read_body(record, address, self._blobs, key, self._bounds.body_bytes)

    def clear(self) -> None:
        """What an earlier life was recording when it died."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def sweep(self) -> None:
        """Lets go of what has been kept long enough; looks every ten minutes at most."""
        now_s = self._clock.monotonic()
        if self._swept_s is not None and now_s - self._swept_s < _SWEEP_EVERY_S:
            return
        self._swept_s = now_s
        retention.sweep(self._store, self._blobs, self._clock)

    def close(self) -> None:
        self._spool.close()

    def source(self, run: Run, language: Language) -> tuple[TapeRecord, TapeContent]:
        """What a run plays again. Raises: NotFound."""
        record = self.tape_of(run.replay_of or "")
        if record is None or record.workspace_id != run.workspace_id or record.setting != "full":
            raise NotFound(_GONE[language])
        try:
            return record, self.content(record)
        except (NotFound, DecodeError) as error:
            raise NotFound(_GONE[language]) from error

    def replay(self, run: Run, varied: Varied | None) -> TapeReplay:
        """For the process that is the way out of a replay. Raises: NotFound."""
        return self._replay(*self.source(run, "en"), varied)

    def keep_part(self, key: str, workspace_id: str, attempt_id: str, part: TapePart) -> None:
        """For `part`, in another process."""
        sealer = self.keys.key(workspace_id).sealer("part", attempt_id)
        data = part.model_dump_json().encode()
        pieces = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
        self._blobs.put(key, sealer.all(pieces))

    def part(self, workspace_id: str, attempt_id: str, key: str) -> TapePart:
        """Raises: DecodeError, NotFound."""
        sealer = self.keys.key(workspace_id).sealer("part", attempt_id)
        with self._blobs.open(key) as stream:
            return TapePart.model_validate_json(b"".join(sealer.open(stream)))

    def remove_part(self, key: str) -> None:
        """Also one that is not there."""
        self._blobs.delete(key)

    def recording(self, run: Run, setting: TapeSetting, prefix: str = "") -> Recording | None:
        """prefix: where its bodies go; empty: where they go now."""
        if setting == "off":
            return None
        now = retention.prefix_of(retention.period(self._clock.now()), run.workspace_id, run.agent_id)
        shelf = Shelf(
            self.keys.key(run.workspace_id),
            run.agent_id,
            prefix or now,
            self._blobs,
            self._spool,
            self._folder,
            self._ids,
            self._clock,
        )
        return Recording(shelf, setting, self._bounds)

    def _replay(self, record: TapeRecord, source: TapeContent, varied: Varied | None) -> TapeReplay:
        vary = varied.answer if varied else None
        return TapeReplay(source.entries, lambda address: self.body(record, address), vary=vary)

    def _fresh(self) -> bytes:
        return hashlib.sha256(self._ids.token(256).encode()).digest()
