"""Asks for the replays by which a repair is tried, without a repair."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import stamp
from shared.events.run import RunRequested
from shared.ids import derived
from shared.records.executor import Variation
from shared.store.port import Cause, Tx
from tests.flows.house import House
from tests.flows.person import Json, Person

VARIATIONS: tuple[Variation, ...] = ("altered", "altered_numbers", "altered_pages", "emptied", "error")


def varied(house: House, person: Person, run: Json, variation: Variation) -> Json:
    """The replay of `run` that a repair would ask for, once it is over."""
    run_id = derived("run", run["id"], variation)
    now = house.clock.now()
    asked = RunRequested(
        run_id=run_id,
        agent_id=run["agent_id"],
        version_id=run["version_id"],
        kind="replay",
        grant_id=run["grant_id"],
        replay_of=run["id"],
        variation=variation,
        requested_at=stamp(now),
        deadline_at=stamp(now + timedelta(hours=1)),
    )
    assert house.application is not None

    def ask(tx: Tx) -> None:
        tx.emit(asked)

    house.application.kits["planner"].store.transact(ask, cause=Cause(run["workspace_id"], "service:planner"))
    executor, watch = house.databases.read("executor"), house.databases.watch("executor", ["runs"])
    for _ in range(600):
        if executor.get("runs", run_id) is not None:
            break
        watch.wait(0.1)
    watch.close()
    return person.run(run_id)
