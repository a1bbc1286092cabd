"""An attempt's end and the run's decision are one commit when there is nothing to check, to ask or to repeat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.endings import decide_at_once
from services.executor.model import AttemptResult, Refusal
from shared.clock import FakeClock, stamp
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.records.planner import Version
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases

CAUSE = Cause("wsp_one", "agent:agent_1")
GOLDEN = Path(__file__).parents[2] / "records" / "golden" / "Version.json"
ASKED = Refusal(host="x.test", port=443, method="GET", path="/", reason="undeclared")


class Desk:
    """One running run, and what happens when its attempt ends."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.databases = SqliteDatabases(folder, self.clock, SeededIds())
        self.store = self.databases.own("executor")
        self.store.index(repository.QUERIES)

    def has(self, *, checked: bool = False, **more: Any) -> None:
        data = json.loads(GOLDEN.read_text())["data"]
        data["agent_file"]["contract"] = [c for c in data["agent_file"]["contract"] if checked][:1]
        version = Version.from_doc(data)
        planner = self.databases.own("planner")
        planner.transact(lambda tx: tx.put("versions", version.id, version.to_doc()), cause=CAUSE)
        now = stamp(self.clock.now())
        known = {"id": "run_1", "workspace_id": "wsp_one", "agent_id": "agent_1", "version_id": version.id}
        given = {"kind": "manual", "status": "running", "attempt": 1, "attempt_id": "att_1"}
        run = Run.model_validate({**known, **given, "requested_at": now, "deadline_at": now, **more})
        self.store.transact(lambda tx: repository.save_run(tx, run), cause=CAUSE)

    def ends(self, **more: Any) -> bool:
        known = {"id": "att_1", "run_id": "run_1", "workspace_id": "wsp_one", "number": 1}
        result = AttemptResult.model_validate({**known, "reason": "exited", "exit_code": 0, **more})
        now = lambda: stamp(self.clock.now())  # noqa: E731 - one line of a stand-in
        planner = self.databases.own("planner")
        attempts = SimpleNamespace(line=SimpleNamespace(forget=lambda run_id: None))
        made = SimpleNamespace(store=self.store, planner=planner, attempts=attempts, now=now)
        deps = cast("Deps", made)
        heard: list[tuple[str, dict[str, Any]]] = [("log", {"stream": "stdout", "text": "last words"})]
        return self.store.transact(lambda tx: decide_at_once(tx, result, heard, deps), cause=CAUSE)

    def said(self) -> list[str]:
        return [envelope.type.split(".")[-2] for envelope in self.store.outbox(10)]

    def feed(self) -> list[str]:
        found = [self.store.get(repository.ENTRIES, f"run_1-{seq:08d}") for seq in (1, 2, 3)]
        return [entry.data["kind"] for entry in found if entry]

    @property
    def status(self) -> str:
        return repository.Runs(self.store).get("run_1").status


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.databases.close()


@pytest.mark.parametrize(
    ("ended", "status"), [({}, "succeeded"), ({"exit_code": 1}, "failed"), ({"reason": "wall"}, "timed_out")]
)
def test_the_run_ends_with_its_attempt_when_there_is_nothing_to_check(
    desk: Desk, ended: dict[str, Any], status: str
) -> None:
    desk.has()
    assert desk.ends(**ended) is True
    assert desk.status == status
    assert desk.feed() == ["log", "status"], "what was heard last stands before the end"
    assert desk.said() == ["finished", "settled"]


@pytest.mark.parametrize(
    ("run", "ended"),
    [
        ({"checked": True}, {}),
        ({"kind": "replay"}, {}),
        ({}, {"reason": "lost", "exit_code": None}),
        ({}, {"refusals": (ASKED,)}),
        ({"attempt_id": "att_2", "attempt": 2}, {}),
        ({"status": "cancelled", "finished_at": "2026-01-05T00:00:00.000000Z"}, {}),
    ],
    ids=["checked", "replay", "lost", "asked for more", "an older attempt", "over already"],
)
def test_nothing_is_written_when_it_is_not_to_be_decided_here(
    desk: Desk, run: dict[str, Any], ended: dict[str, Any]
) -> None:
    desk.has(**run)
    before = desk.status
    assert desk.ends(**ended) is False
    assert (desk.status, desk.feed(), desk.said()) == (before, [], [])
