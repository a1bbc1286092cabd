"""What is believed of a job that installs packages, and the sentence for each end that is none."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.executor.adapters.packed import PackedSites
from services.executor.attempts.job_builder import Elsewhere, JobBuilder
from services.executor.environments.facts import Facts
from services.executor.environments.judging import Judge
from services.executor.environments.source import IndexSource
from services.executor.ports import Asking, AttemptSink, Ended, EndReason, Installed, Order, Usage, Wish
from services.executor.run_api.messages import INSTALLED, PACKAGES, Install, InstallTold
from shared.blobs.files import FileBlobs
from shared.clock import SystemClock
from shared.errors import BadRequest, ProjectError, Unavailable
from shared.ids import RandomIds
from shared.store.sqlite import SqliteDatabases
from tests.fakes.index import FakeIndex, wheel
from tests.unit.executor.environments.test_packed import files, tar

CLOCK = SystemClock()
LOCK = "lantern==1.0 --hash=sha256:" + "0" * 64
WISH = Wish(("lantern",), "ws_a", language="en")


@dataclass
class FakeJobs:
    """Every execution ends at once, with `reason`, `told` and `file` as its word. file None: it left none."""

    folder: Path
    reason: EndReason = "exited"
    told: str = ""
    file: bytes | None = b""
    detail: str = ""
    released: list[str] = field(default_factory=list)
    ordered: list[Install] = field(default_factory=list)

    def install(self, order: Order, install: Install, sink: AttemptSink) -> str:
        self.ordered.append(install)
        box = self.folder / order.id
        (box / "outputs").mkdir(parents=True)
        (box / "outputs" / INSTALLED).write_text(self.told)
        if self.file is not None:
            (box / "outputs" / PACKAGES).write_bytes(self.file)
        sink.report({"kind": "step", "name": "halfway", "done": 1, "total": 2})
        sink.report({"kind": "step", "name": 7, "done": "x"})
        sink.ended(Ended(self.reason, 0, Usage(), box, self.detail))
        return order.id

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        raise AssertionError("nothing of it goes on")

    def release(self, handle: str) -> None:
        self.released.append(handle)


class NoWays:
    def __init__(self) -> None:
        self.closed: list[str] = []

    def open(self, id: str, workspace_id: str, lasts_s: float, listener: socket.socket) -> str:
        raise AssertionError("no process asks for it")

    def close(self, id: str) -> None:
        self.closed.append(id)


class Bench:
    def __init__(self, folder: Path, index: FakeIndex) -> None:
        self.jobs = FakeJobs(folder / "jobs")
        self.ways = NoWays()
        self.blobs = FileBlobs(folder / "blobs", RandomIds())
        self.databases = SqliteDatabases(folder, CLOCK, RandomIds())
        self.source = IndexSource(lambda: index.url)
        self.said: list[tuple[str, int, int]] = []
        self.builder = JobBuilder(
            Elsewhere(self.jobs, PackedSites(self.databases.own("executor"), self.blobs)),
            self.ways,
            self.source,
            Judge(Facts(self.source, folder / "facts", CLOCK), CLOCK),
            CLOCK,
            RandomIds(),
            folder / "code",
            folder / "environments",
        )

    def build(self, wish: Wish = WISH) -> Installed | Asking:
        return self.builder.build(wish, lambda *said: self.said.append(said))

    def tells(self, file: bytes | None, lock: str = LOCK) -> None:
        said = file or b""
        told = InstallTold(lock=lock, file_bytes=len(said), sha256=hashlib.sha256(said).hexdigest())
        self.jobs.told, self.jobs.file = told.model_dump_json(), file

    def close(self) -> None:
        self.builder.close()
        self.databases.close()


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    for name in ("lantern", "harbor", "reqeusts"):
        made.add_old(name)
    yield made
    made.stop()


@pytest.fixture
def bench(tmp_path: Path, index: FakeIndex) -> Iterator[Bench]:
    made = Bench(tmp_path, index)
    yield made
    made.close()


def site(*names: str) -> bytes:
    return tar(files(*(wheel(name, "1.0") for name in names)))


def test_a_true_word_is_believed_and_nothing_of_the_job_is_left(bench: Bench) -> None:
    bench.tells(site("lantern"))
    found = bench.build()
    assert isinstance(found, Installed)
    assert (found.lock, found.own) == (LOCK, False)
    assert bench.said == [("halfway", 1, 2)]
    assert len(bench.jobs.released) == len(bench.ways.closed) == 1
    assert sorted(info.key for info in bench.blobs.list("")) == [
        f"executor/packages/{found.environment_id}.tar",
        f"executor/recipes/{found.environment_id}.lock",
    ]


def test_what_was_made_with_a_yes_is_its_workspaces_alone(bench: Bench) -> None:
    bench.tells(site("lantern"))
    shared = bench.build()
    owned = bench.build(Wish(("lantern",), "ws_a", approved=frozenset({"evil==1.0"})))
    assert isinstance(shared, Installed)
    assert isinstance(owned, Installed)
    assert owned.own
    assert owned.environment_id != shared.environment_id


def test_a_word_that_does_not_hold_is_refused(bench: Bench) -> None:
    other = LOCK.replace("lantern", "harbor")
    words: dict[str, tuple[bytes | None, str, Wish]] = {
        "another lock than was ordered": (site("harbor"), other, Wish((), "ws_a", lock=LOCK)),
        "a lock without what was asked for": (site("harbor"), other, WISH),
        "a file that is not there": (None, LOCK, WISH),
        "an empty file": (b"", LOCK, WISH),
        "a file of something else": (site("harbor"), LOCK, WISH),
        "no lock": (site("lantern"), "lantern @ http://127.0.0.1/x.whl", WISH),
    }
    for what, (file, lock, wish) in words.items():
        bench.tells(file, lock)
        with pytest.raises(BadRequest) as refused:
            bench.build(wish)
        assert refused.value.code in ("not_as_locked", "bad_lock"), what
    assert list(bench.blobs.list("")) == []


@pytest.mark.parametrize("change", [{"file_bytes": 1}, {"sha256": "0" * 64}], ids=["its length", "its hash"])
def test_a_file_other_than_the_job_says_is_refused(bench: Bench, change: dict[str, object]) -> None:
    bench.tells(site("lantern"))
    told = InstallTold.model_validate_json(bench.jobs.told)
    bench.jobs.told = told.model_copy(update=change).model_dump_json()

    with pytest.raises(BadRequest) as refused:
        bench.build()

    assert refused.value.code == "not_as_locked"
    assert list(bench.blobs.list("")) == []


def test_the_executor_asks_by_its_own_judgement_whatever_the_job_says(bench: Bench) -> None:
    lock = LOCK.replace("lantern", "reqeusts")
    bench.tells(site("reqeusts"), lock)
    asking = bench.build(Wish(("reqeusts",), "ws_a"))
    assert isinstance(asking, Asking)
    assert asking.packages == ("reqeusts==1.0",)
    assert list(bench.blobs.list("")) == []
    ordered = len(bench.jobs.ordered)
    assert isinstance(bench.build(Wish(("reqeusts",), "ws_a", lock=lock)), Asking)
    assert len(bench.jobs.ordered) == ordered, "what is asked about anyway needs no job"


def test_a_question_and_a_refusal_of_the_job_are_passed_on(bench: Bench) -> None:
    bench.jobs.told = InstallTold(packages=("evil==1.0",), reasons=("why",)).model_dump_json()
    assert bench.build() == Asking(("evil==1.0",), ("why",))
    told = InstallTold(problem="There is none.", code="no_such_package", fields={"packages": "x"})
    bench.jobs.told = told.model_dump_json()
    with pytest.raises(BadRequest, match="There is none") as refused:
        bench.build()
    assert (refused.value.code, refused.value.fields) == ("no_such_package", {"packages": "x"})
    bench.jobs.told = InstallTold(problem="x", code="index_unreachable", again=True).model_dump_json()
    with pytest.raises(Unavailable, match="cannot be reached"):
        bench.build()


ENDS: dict[EndReason, tuple[type[ProjectError], str]] = {
    "wall": (BadRequest, "more than 30 minutes"),
    "lost": (Unavailable, "did not come to its end; try again later. Nothing was heard."),
    "stopped": (Unavailable, "did not come to its end"),
    "unstartable": (Unavailable, "did not come to its end"),
    "exited": (Unavailable, "did not come to its end"),
}


@pytest.mark.parametrize("reason", ENDS)
def test_each_other_end_has_its_sentence(bench: Bench, reason: EndReason) -> None:
    bench.jobs.reason, bench.jobs.detail = reason, "Nothing was heard."
    error, sentence = ENDS[reason]
    with pytest.raises(error, match=sentence):
        bench.build()
    assert len(bench.jobs.released) == 1
