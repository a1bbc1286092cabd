"""kill -9 at five seeded moments of build, run and delivery: nothing is lost, nothing happens twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.index import FakeIndex
from tests.flows.gate import Gate
from tests.flows.house import House
from tests.flows.imports import agent_zip, allowed, local
from tests.flows.killing import ROOT, STAGES, Living, Point, born, command, family, until
from tests.flows.person import Json
from tests.flows.shops import Shops, Sink

SEED = 20261122


@pytest.fixture
def living(tmp_path_factory: pytest.TempPathFactory, shops: Shops, sink: Sink) -> Iterator[Living]:
    made = Living(tmp_path_factory.mktemp("killed") / "data", (shops.port, sink.port))
    yield made.start()
    made.stop()


@pytest.mark.slow(seconds=60)
@pytest.mark.parametrize("stage", STAGES)
def test_it_goes_on_where_it_was_and_does_nothing_twice_when_it_is_killed(
    stage: str, living: Living, shops: Shops, sink: Sink
) -> None:
    Point(stage, SEED, living, shops, sink).go()
    living.stop()
    assert living.left_behind() == []


# Held at a gate rather than for seconds: a busy machine may look late, and the run would be over.
HELD = """
import agent, urllib.request
agent.step("start")
if agent.mode == "live":
    urllib.request.urlopen("http://127.0.0.1:{port}/").read()
agent.state["tries"] = agent.state.get("tries", 0) + 1
agent.deliver("inbox", "done " + str(agent.state["tries"]))
"""


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    made.shut()
    yield made
    made.close()


def held_run(house: House, gate: Gate) -> str:
    """The id of a run that stands at the gate."""
    person = house.person()
    ready = allowed(person, agent_zip(HELD.format(port=gate.port), hosts=[local(gate.port)], state=True))
    run_id = str(person.call("POST", f"/api/v1/agents/{ready['agent_id']}/runs", {})["id"])
    gate.wait_for_somebody()
    person.wait(f"/api/v1/runs/{run_id}", lambda run: run["status"] == "running")
    return run_id


def test_a_run_is_done_when_the_machine_died_between_the_start_and_the_first_line(
    tmp_path: Path, gate: Gate
) -> None:
    house = House(tmp_path / "died", open_ports=(gate.port,)).open()
    try:
        run_id = held_run(house, gate)
    finally:
        house.close()
    gate.open()
    with closing(sqlite3.connect(house.folder / "executor.db")) as file, file:
        file.execute(
            "UPDATE docs SET body = json_set(body, '$.status', 'queued') WHERE coll='runs' AND id=?",
            (run_id,),
        )
    again = House(house.folder, open_ports=(gate.port,)).open()
    try:
        run = again.person().run(run_id)
    finally:
        again.close()
    assert (run["status"], run["outcome"], run["attempt"]) == ("succeeded", "delivered", 2)
    assert run["deliveries"][0]["text"] == "done 1"


def test_a_run_that_has_written_outside_is_not_started_again_when_it_is_cut_off(
    house: House, sink: Sink
) -> None:
    person = house.person(patience_s=40)
    post = f"""
import urllib.request
urllib.request.urlopen({sink.address!r}, b"{{}}")
if agent.mode == "live":
    import time
    time.sleep(30)
"""
    main = "import agent\n" + post
    ready = allowed(person, agent_zip(main, hosts=[local(sink.port, effect="write")]))
    assert sink.bodies == [], "a rehearsal only shows what it would write"
    run_id = person.call("POST", f"/api/v1/agents/{ready['agent_id']}/runs", {})["id"]
    until(lambda: len(sink.bodies) == 1, lambda: "nothing was written")
    house.close()
    again = House(house.folder, open_ports=(sink.port,)).open()
    try:
        run = again.person(patience_s=40).run(run_id)
    finally:
        again.close()
    assert (run["status"], run["reason"]["code"]) == ("failed", "wrote_then_lost")
    assert len(sink.bodies) == 1


INSTALLS = """
import sys
from pathlib import Path
from tests.workshop import Workshop
Workshop(Path(sys.argv[1]), sys.argv[2]).build("lantern")
"""


def test_an_installation_ends_when_the_platform_is_killed(tmp_path: Path) -> None:
    index = FakeIndex(held_up=threading.Event()).start()
    index.add_old("lantern")
    try:
        platform = subprocess.Popen([sys.executable, "-c", INSTALLS, str(tmp_path), index.url], cwd=ROOT)
        until(lambda: index.asked, lambda: "the index was not asked", patience_s=40)
        started = family(platform.pid)
        assert any("/tools/uv" in command(pid) for pid, _then in started)
        platform.kill()
        platform.wait()
        until(
            lambda: not [pid for pid, then in started if born(pid) == then],
            lambda: "something is still there",
        )
    finally:
        assert index.held_up is not None
        index.held_up.set()
        index.stop()


def test_a_run_is_done_by_another_attempt_when_only_the_launcher_of_sandboxes_is_killed(
    tmp_path: Path, gate: Gate
) -> None:
    house = House(tmp_path / "launcher", open_ports=(gate.port,)).open()
    try:
        run = killed_under(house, gate)
    finally:
        house.close()
    assert (run["status"], run["outcome"], run["attempt"]) == ("succeeded", "delivered", 2), run["reason"]
    assert run["deliveries"][0]["text"] == "done 1"


def killed_under(house: House, gate: Gate) -> Json:
    run_id = held_run(house, gate)
    # its first child is itself, become ready for the next sandbox: children come first in the family
    launcher = next(pid for pid, _then in family(os.getpid()) if "launcher.main" in command(pid))
    started = family(launcher)
    os.kill(launcher, signal.SIGKILL)
    until(
        lambda: not [pid for pid, then in started if born(pid) == then],
        lambda: "a sandbox outlived the launcher",
    )
    gate.open()
    return house.person().run(run_id)


def test_its_threads_share_one_processor_and_what_it_starts_has_all(living: Living) -> None:
    threads = [os.sched_getaffinity(int(entry.name)) for entry in Path(f"/proc/{living.pid}/task").iterdir()]
    started = [pid for pid, _born in family(living.pid)]

    everything = os.sched_getaffinity(0)
    assert threads.pop(threads.index(everything)) == everything  # the main one, which waits for signals
    assert len(set.union(*threads)) == 1
    assert started
    assert all(os.sched_getaffinity(pid) == everything for pid in started)
