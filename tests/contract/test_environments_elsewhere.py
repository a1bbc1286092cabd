"""Packages that an execution of a job installs: what it may reach, what is believed of it, and how it may end."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.executor.adapters.shapes import JOB, PACKAGES
from services.executor.ports import Asking, Installed
from services.executor.run_api.messages import ATTEMPT, TOKEN
from shared.errors import BadRequest, NotAuthenticated, NotFound, ProjectError, Unavailable
from tests.fakes.index import FakeIndex, source
from tests.fakes.linked_blobs import LinkedBlobs
from tests.job_workshop import JobWorkshop

HOSTILE = (Path(__file__).parent / "hostile_build.txt").read_text(encoding="utf-8")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    yield made
    made.stop()


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[LinkedBlobs]:
    with LinkedBlobs(tmp_path / "bucket") as made:
        yield made


@pytest.fixture
def shop(tmp_path: Path, index: FakeIndex, blobs: LinkedBlobs) -> Iterator[JobWorkshop]:
    made = JobWorkshop(tmp_path / "shop", index.url, blobs=blobs)
    yield made
    made.close()


@dataclass
class Building:
    """A build in a thread of its own, for tests that meddle with it."""

    shop: JobWorkshop
    names: tuple[str, ...]
    found: list[Installed | Asking | ProjectError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._build)
        self._thread.start()

    def _build(self) -> None:
        try:
            self.found.append(self.shop.build(*self.names))
        except ProjectError as error:
            self.found.append(error)

    def wait(self) -> Installed | Asking | ProjectError:
        self._thread.join(120)
        return self.found[0]


def test_a_file_goes_into_the_bucket_by_a_link_and_to_runs_by_another(
    shop: JobWorkshop, index: FakeIndex, blobs: LinkedBlobs
) -> None:
    index.add_old("lantern")
    found = shop.built("lantern")
    ended, printed = shop.run("import lantern; print(lantern.HERE)", found.environment_id)
    key = f"executor/packages/{found.environment_id}.tar"
    assert (ended.exit_code, printed) == (0, "1\n")
    assert (blobs.put_files, blobs.fetched) == ([], [key])
    assert shop.house.google.jobs_run == [JOB.format(PACKAGES), JOB.format("large")]
    assert [info.key for info in blobs.list("executor/incoming/")] == []
    assert not any((shop.root / "house" / "room").rglob("*.py")), "nothing of it lies where the executor is"


def lost(shop: JobWorkshop, blobs: LinkedBlobs) -> str:
    """The lock of an environment whose file is gone from the bucket."""
    lock = shop.built("lantern").lock
    for info in list(blobs.list("executor/packages/")):
        blobs.delete(info.key)
    return lock


def test_a_lock_is_built_once_whoever_asks_and_again_when_its_file_is_gone(
    shop: JobWorkshop, index: FakeIndex, blobs: LinkedBlobs
) -> None:
    index.add_old("lantern")
    lock = lost(shop, blobs)
    index.asked.clear()
    both = [threading.Thread(target=shop.build, kwargs={"lock": lock, "workspace": name}) for name in "ab"]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    again = shop.build(lock=lock, workspace="ws_c")
    assert isinstance(again, Installed)
    assert index.fetched() == ["lantern-1.0-py3-none-any.whl"]
    for info in list(blobs.list("executor/packages/")):
        blobs.delete(info.key)
    another = shop.another()
    another.ready(again.environment_id)
    assert [info.key for info in blobs.list("executor/packages/")] == [
        f"executor/packages/{again.environment_id}.tar"
    ]
    with pytest.raises(NotFound):
        another.ready("env_nobody_knows_of_it")


def test_a_hostile_build_in_a_job_reaches_the_index_alone_and_is_its_workspaces(
    shop: JobWorkshop, index: FakeIndex, blobs: LinkedBlobs
) -> None:
    index.add_old("lantern")
    shop.built("lantern", workspace="ws_b")
    before = {info.key: blobs.get(info.key) for info in blobs.list("executor/")}
    for version in ("0.9", "1.0"):
        backend = HOSTILE.replace("PORT", str(index.port))
        index.add("evil", f"evil-{version}.tar.gz", source("evil", version, backend))
    asking = shop.build("lantern", "evil")
    assert isinstance(asking, Asking)
    assert asking.packages == ("evil==1.0",)
    found = shop.built("lantern", "evil", approved=frozenset(asking.packages))
    assert found.own
    assert all(method in ("GET", "HEAD") for method, _path in index.asked)
    ended, printed = shop.run("import evil, json; print(json.dumps(evil.FOUND))", found.environment_id)
    assert ended.exit_code == 0, printed
    told = json.loads(printed)
    allowed = {name: what for name, what in told.items() if not what.startswith("refused")}
    assert allowed.pop("wheels", "[]") == "[]"
    assert all(name.startswith("plant ") for name in allowed), allowed

    assert {key: blobs.get(key) for key in before} == before, "the other's bytes are the same"
    asked = shop.build("lantern", "evil", workspace="ws_b")
    assert isinstance(asked, Asking)
    with pytest.raises(BadRequest):
        shop.build(lock=found.lock, workspace="ws_b", approved=frozenset({"evil==1.0"}))
    again = shop.build("lantern", "evil", lock=found.lock)
    assert isinstance(again, Asking), "a yes holds for the version it was given for"
    assert shop.build(lock=found.lock, approved=frozenset({"evil==1.0"})) == found

    shop.builder.forget("ws_a")
    assert {info.key: blobs.get(info.key) for info in blobs.list("executor/")} == before


def test_a_file_that_is_not_what_the_lock_says_is_not_installed(
    shop: JobWorkshop, index: FakeIndex, blobs: LinkedBlobs
) -> None:
    index.add_old("lantern")
    lock = lost(shop, blobs)
    index.files["lantern"]["lantern-1.0-py3-none-any.whl"].lies = True
    with pytest.raises(BadRequest) as refused:
        shop.build(lock=lock)
    assert refused.value.code == "wrong_hash"
    assert list(blobs.list("executor/packages/")) == []


def _with(change: Callable[[str, bytes], bytes]) -> Callable[[bytes], bytes]:
    """What makes of a tar the same with other contents."""

    def changed(data: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w") as new:
            for member in old:
                file = old.extractfile(member)
                content = change(member.name, file.read()) if file else b""
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        return out.getvalue()

    return changed


CHANGES = {
    "a source": lambda name, data: b"HERE = 2\n" if name == "lantern.py" else data,
    "what was compiled": lambda name, data: data + b"\0" if name.endswith(".pyc") else data,
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_file_is_refused_when_it_was_changed_after_it_was_put(
    what: str, shop: JobWorkshop, index: FakeIndex, blobs: LinkedBlobs
) -> None:
    index.add_old("lantern")
    blobs.changed = _with(CHANGES[what])
    with pytest.raises(BadRequest) as refused:
        shop.build("lantern")
    assert refused.value.code == "not_as_locked"
    assert list(blobs.list("executor/")) == []


def test_a_build_is_tried_again_by_somebody_when_its_container_dies(
    shop: JobWorkshop, index: FakeIndex
) -> None:
    index.add_old("lantern")
    index.held_up = threading.Event()
    building = Building(shop, ("lantern",))
    _until(lambda: bool(index.asked))
    shop.house.google.kill()
    index.held_up.set()
    ended = building.wait()
    assert isinstance(ended, Unavailable)
    assert "did not come to its end" in ended.detail
    assert "exited with status" in ended.detail, "it was given up, and nobody had looked"


def test_a_build_ends_with_the_executor(shop: JobWorkshop, index: FakeIndex) -> None:
    index.add_old("lantern")
    index.held_up = threading.Event()
    building = Building(shop, ("lantern",))
    _until(lambda: bool(index.asked))
    shop.jobs.close()
    index.held_up.set()
    assert isinstance(building.wait(), Unavailable)
    assert shop.house.google.settled(1) != []


def test_a_builds_token_is_good_for_that_build_as_long_as_it_lasts(
    shop: JobWorkshop, index: FakeIndex
) -> None:
    index.add_old("lantern")
    index.held_up = threading.Event()
    building = Building(shop, ("lantern",))
    _until(lambda: bool(index.asked))
    (variables,) = shop.house.google.given
    mine = shop.jobs.attempt(variables[TOKEN])
    assert mine.order.id == variables[ATTEMPT]
    for token, error in {
        shop.house.tokens.mint("bld_another", shop.house.clock.now().replace(year=2100)): NotFound,
        variables[TOKEN] + "x": NotAuthenticated,
    }.items():
        with pytest.raises(error):
            shop.jobs.attempt(token)
    index.held_up.set()
    assert isinstance(building.wait(), Installed)
    with pytest.raises(NotFound):
        shop.jobs.attempt(variables[TOKEN])


def _until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(1200):
        if holds():
            return
        waiting.wait(0.1)
    raise AssertionError("it never came to that")
