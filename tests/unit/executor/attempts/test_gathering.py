"""Outputs that another process collected, fetched for the check: those of this attempt, as they were, all or none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from services.executor import repository
from services.executor.attempts.gathering import bring_back
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock
from shared.errors import DecodeError, NotFound
from shared.ids import RandomIds, SeededIds
from shared.records.executor import Artifact
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases


@dataclass
class Kept:
    """What is kept of one run. files: the attempt's own names."""

    blobs: FileBlobs
    folder: Path
    files: dict[str, int] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)

    def add(self, name: str, data: bytes, *, earlier: bool = False, kept: bytes | None = None) -> Artifact:
        """earlier: of another attempt. kept: what the bucket holds in its place."""
        digest = hashlib.sha256(data).hexdigest()
        key = f"executor/artifacts/wsp_one/{digest}"
        self.blobs.put(key, data if kept is None else kept)
        artifact = an_artifact(name, size=len(data), sha256=digest, blob_key=key)
        self.artifacts.append(artifact)
        if not earlier:
            self.files[name] = len(data)
        return artifact

    def bring_back(self) -> dict[str, bytes]:
        bring_back(self.files, self.artifacts, self.folder, self.blobs)
        return self.there()

    def there(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


def an_artifact(name: str, *, size: int = 0, sha256: str = "", blob_key: str = "") -> Artifact:
    return Artifact(
        id=f"art_{name}",
        workspace_id="wsp_one",
        run_id="run_1",
        agent_id="agent_1",
        name=name,
        size=size,
        media_type="application/octet-stream",
        sha256=sha256,
        blob_key=blob_key,
        at="2026-01-01T00:00:00.000000Z",
    )


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(FileBlobs(tmp_path / "blobs", RandomIds()), tmp_path / "attempts" / "att_1" / "outputs")


def test_files_come_back_as_they_were_under_their_names(kept: Kept) -> None:
    large = bytes(range(256)) * (3 << 12)
    kept.add("items.csv", b"a,b\n1,2\n")
    kept.add("표/가격 표.csv", "가격".encode())
    kept.add("empty.txt", b"")
    kept.add("deep/er/large.bin", large)

    assert kept.bring_back() == {
        "items.csv": b"a,b\n1,2\n",
        "표/가격 표.csv": "가격".encode(),
        "empty.txt": b"",
        "deep/er/large.bin": large,
    }


def test_what_an_earlier_attempt_of_the_run_left_stays_where_it_is(kept: Kept) -> None:
    kept.add("items.csv", b"1")
    kept.add("old.csv", b"2", earlier=True)

    assert kept.bring_back() == {"items.csv": b"1"}


def test_what_is_there_already_is_left_alone(kept: Kept) -> None:
    kept.add("items.csv", b"1")
    kept.bring_back()
    (kept.folder / "items.csv").write_bytes(b"collected here")

    assert kept.bring_back() == {"items.csv": b"collected here"}


def test_a_fetch_that_broke_off_is_made_anew(kept: Kept) -> None:
    kept.add("items.csv", b"1")
    broken = kept.folder.with_name("outputs.coming")
    broken.mkdir(parents=True)
    (broken / "half.csv").write_bytes(b"2")

    assert kept.bring_back() == {"items.csv": b"1"}
    assert not broken.exists()


def test_when_one_is_missing_none_is_there(kept: Kept) -> None:
    kept.add("items.csv", b"1")
    kept.blobs.delete(kept.add("more.csv", b"2").blob_key)

    with pytest.raises(NotFound):
        kept.bring_back()

    assert not kept.folder.exists()


def test_a_name_of_which_nothing_is_kept_is_missing(kept: Kept) -> None:
    kept.add("items.csv", b"1")
    kept.files["more.csv"] = 1

    with pytest.raises(NotFound, match=r"more\.csv"):
        kept.bring_back()

    assert not kept.folder.exists()


@pytest.mark.parametrize("instead", [b"2", b"", b"1" + bytes(5 << 20)], ids=["other", "shorter", "longer"])
def test_what_is_not_what_was_collected_is_none_of_it(kept: Kept, instead: bytes) -> None:
    kept.add("items.csv", b"1", kept=instead)

    with pytest.raises(DecodeError, match=r"items\.csv"):
        kept.bring_back()

    assert not kept.folder.exists()
    written = [path.stat().st_size for path in kept.folder.parent.rglob("*.csv")]
    assert max(written) <= 1 << 20, "of something endless not more than a piece is taken"


def test_all_files_that_a_run_may_leave_are_known(tmp_path: Path) -> None:
    databases = SqliteDatabases(tmp_path, FakeClock(), SeededIds())
    store = databases.own("executor")
    names = [f"{number:03}.csv" for number in range(450)]
    left = [an_artifact(name) for name in names]
    for some in (left[:200], left[200:400], left[400:]):
        store.transact(
            partial(repository.save_artifacts, artifacts=some),
            cause=Cause("wsp_one", "agent:agent_1"),
        )

    assert [artifact.name for artifact in repository.artifacts_of(store, "run_1")] == names
    databases.close()
