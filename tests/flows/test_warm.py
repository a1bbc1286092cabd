"""An agent that runs often finds a sandbox ready, single use, until something about the agent changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from services.executor.attempts.warming import Warming
from services.executor.deps import Deps
from tests.flows.house import House
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed
from tests.flows.person import Person

# Where a sandbox waited, what the code imports at its top is there before its first line.
MAIN = """
import sys
ready = "colorsys" in sys.modules
import colorsys, os
print("ready" if ready else "from nothing", os.path.exists("left"))
open("left", "w").close()
agent.deliver("inbox", "done")
"""
_MOST = 40


def said(person: Person, agent_id: str) -> str:
    run = person.runs(agent_id)
    assert run["outcome"] == "delivered", run["reason"]
    logs = person.call("GET", f"/api/v1/runs/{run['id']}/logs")["items"]
    return "".join(entry["data"]["text"] for entry in logs).strip()


def warming_of(house: House) -> Warming:
    assert house.application is not None
    deps = house.application.services["executor"].deps
    assert isinstance(deps, Deps)
    return deps.attempts.warming


@pytest.fixture(autouse=True)
def idle(house: House) -> None:
    """Whatever else this machine does meanwhile: nothing is kept ready while it has work."""
    warming_of(house).busy = lambda: False


def until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to pass")


def until_ready(person: Person, agent_id: str) -> list[str]:
    """What its runs say, the last of them the first that found a sandbox ready."""
    told: list[str] = []
    while len(told) < _MOST and (not told or not told[-1].startswith("ready")):
        told.append(said(person, agent_id))
    return told


def test_an_agent_finds_a_sandbox_ready_from_its_third_run_on_and_never_one_that_was_used(
    house: House,
) -> None:
    person = house.person()
    agent_id = allowed(person, agent_zip(LIVE_ONLY + MAIN))["agent_id"]

    told = until_ready(person, agent_id)

    assert told[:2] == ["from nothing False"] * 2  # the rehearsal does not count
    assert told[-1] == "ready False"
    assert all(line.endswith("False") for line in [*told, said(person, agent_id)])


def test_another_agent_of_the_same_code_starts_from_nothing_when_one_has_a_sandbox_ready(
    house: House,
) -> None:
    person = house.person()
    first, second = (allowed(person, agent_zip(LIVE_ONLY + MAIN))["agent_id"] for _ in range(2))
    until_ready(person, first)

    assert said(person, second) == "from nothing False"


def test_a_sandbox_kept_ready_is_not_used_when_the_agent_was_switched(house: House) -> None:
    person = house.person()
    agent_id = allowed(person, agent_zip(LIVE_ONLY + MAIN))["agent_id"]
    person.call("PATCH", f"/api/v1/agents/{agent_id}", {"enabled": True})
    until_ready(person, agent_id)

    person.call("PATCH", f"/api/v1/agents/{agent_id}", {"enabled": False})
    until(lambda: not warming_of(house).waiting())

    assert said(person, agent_id) == "from nothing False"
