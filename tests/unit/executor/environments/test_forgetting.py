"""What was built from source for a workspace goes with it; what all workspaces share stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.executor.deps import Deps
from services.executor.environments.builder import Builder, Places
from services.executor.environments.cache import Cache
from services.executor.environments.source import IndexSource
from services.executor.environments.store import WheelStore
from services.executor.handlers.tapes import RemoveJob, do_remove
from services.executor.tapes.keys import TapeKeys
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock
from shared.errors import BadRequest
from shared.ids import SeededIds
from shared.store.sqlite import SqliteDatabases
from shared.vault.keyfile import load_keyring

SHARED = "a" * 64


class Kept:
    """A data folder with a shared wheel, and for each of two workspaces a build and an environment."""

    def __init__(self, root: Path) -> None:
        self.root, self.wheels, self.environments = root, root / "wheels", root / "environments"
        clock, ids = FakeClock(), SeededIds()
        blobs = FileBlobs(root / "blobs", ids)
        self.cache = Cache(root, clock, 1 << 30, blobs)
        store = WheelStore(self.wheels, root / "scratch", ids)
        places = Places(root, self.environments, root / "scratch")
        source = IndexSource(lambda: "http://127.0.0.1:9/simple", clock=clock)
        self.builder = Builder(cast("Any", None), source, store, places, clock, self.cache)
        databases = SqliteDatabases(root, clock, ids)
        own = databases.own("executor")
        self.close = databases.close
        keys = TapeKeys(own, load_keyring(root / "vault.key"), ids, clock)
        tapes = SimpleNamespace(keys=keys)
        self.deps = SimpleNamespace(store=own, blobs=blobs, clock=clock, tapes=tapes, builder=self.builder)
        self._file(self.wheels / SHARED / "site" / "shared.py")
        self._environment("env_all", "")
        for workspace in ("wsp_1", "wsp_10"):
            self._file(self.wheels / workspace / "built" / "x.whl")
            self._file(self.wheels / workspace / ("b" * 64) / "site" / "x.py")
            self._environment(f"env_{workspace}", workspace)

    def _file(self, path: Path) -> None:
        path.parent.mkdir(parents=True)
        path.write_text("x")

    def _environment(self, id: str, owner: str) -> None:
        (self.environments / id).mkdir(parents=True)
        (self.environments / id / "shared.py").hardlink_to(self.wheels / SHARED / "site" / "shared.py")
        self.cache.remember(id, "x==1", owner)

    def names(self) -> set[str]:
        recipes = {path.stem for path in (self.root / "index" / "recipes").glob("*.json")}
        assert recipes == {path.name for path in self.environments.iterdir()}
        return recipes | {path.name for path in self.wheels.iterdir()}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    found = Kept(tmp_path)
    yield found
    found.builder.close()
    found.close()


EVERYTHING = {SHARED, "env_all", "wsp_1", "env_wsp_1", "wsp_10", "env_wsp_10"}


def test_only_its_own_builds_and_environments_go_when_a_workspace_is_deleted(kept: Kept) -> None:
    assert kept.names() == EVERYTHING

    for _ in range(2):  # a fact may arrive twice
        do_remove(RemoveJob(workspace_id="wsp_1"), cast("Deps", kept.deps))

    assert kept.names() == EVERYTHING - {"wsp_1", "env_wsp_1"}
    assert (kept.wheels / SHARED / "site" / "shared.py").read_text() == "x"
    assert (kept.environments / "env_wsp_10" / "shared.py").exists()


def test_builds_stay_when_only_an_agent_is_deleted(kept: Kept) -> None:
    do_remove(RemoveJob(workspace_id="wsp_1", agent_id="agent_1"), cast("Deps", kept.deps))

    assert kept.names() == EVERYTHING


@pytest.mark.parametrize("name", ["", ".", "..", "../wheels", "wsp_1/../wsp_10", f"{SHARED}", "wsp_1\n", "/"])
def test_nothing_is_removed_when_the_name_is_no_workspaces(kept: Kept, name: str) -> None:
    with pytest.raises(BadRequest):
        kept.builder.forget(name)

    assert kept.names() == EVERYTHING


def test_the_recipes_of_the_others_can_still_be_read_when_one_is_gone(kept: Kept) -> None:
    kept.builder.forget("wsp_1")

    about = json.loads((kept.root / "index" / "recipes" / "env_wsp_10.json").read_bytes())
    assert about["owner"] == "wsp_10"
    assert kept.cache.recipe("env_wsp_1") == (None, "")
