"""Who keeps sandboxes ready does as the policy says, and tells the next run what packages tried meanwhile."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.executor.attempts.warm import WarmPolicy, WarmRules
from services.executor.attempts.warming import Warming, processors_taken
from services.executor.egress.model import Exchange, Recorder
from services.executor.ports import Order, Waiting
from shared.clock import FakeClock
from shared.errors import Unavailable
from tests.fakes.sandbox import FakeSandbox

_PATIENCE_S = 20


class Ready(FakeSandbox):
    """Only the warm calls: each order waits, ready, until it is cooled."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.orders: dict[str, Order] = {}
        self.gone: dict[str, Callable[[str], None]] = {}
        self.cooled: list[str] = []
        self.refuses = False
        self.changed = threading.Condition()

    def warm(self, order: Order, on_gone: Callable[[str], None]) -> None:
        with self.changed:
            self.changed.notify_all()
            if self.refuses:
                self.cooled.append("refused")
                raise Unavailable("no room")
            id = f"w{len(self.gone) + 1}"
            self.orders[id], self.gone[id] = order, on_gone

    def waiting(self) -> tuple[Waiting, ...]:
        return tuple(Waiting(id, order.warm_key, True, 1 << 20) for id, order in self.orders.items())

    def cool(self, id: str) -> None:
        with self.changed:
            if self.orders.pop(id, None):
                self.cooled.append(id)
                self.gone[id]("")
                self.changed.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(holds, _PATIENCE_S)


@dataclass
class Doors:
    guarded: list[tuple[socket.socket, Recorder]] = field(default_factory=list)
    closed: list[socket.socket] = field(default_factory=list)

    def guard(self, listener: socket.socket, record: Recorder) -> None:
        self.guarded.append((listener, record))

    def unguard(self, listener: socket.socket) -> None:
        self.closed.append(listener)


@dataclass
class World:
    sandbox: Ready
    doors: Doors
    clock: FakeClock
    warming: Warming
    order: Order

    def run_twice(self) -> None:
        for _ in range(2):
            self.warming.ran(self.order, "agt_1")
            self.clock.advance(seconds=5)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    code = tmp_path / "code"
    code.mkdir()
    (code / "main.py").write_text("import json, agent")
    sandbox, doors, clock = Ready(tmp_path / "sandbox"), Doors(), FakeClock()
    warming = Warming(sandbox, doors, clock, WarmPolicy(WarmRules(burst_s=1)), busy=lambda: False)
    order = Order(
        "att_1",
        code,
        input={"secret": 1},
        state=b"state",
        env={"SHOP": "ph_1"},
        now="2026-01-05T00:00:00Z",
        egress=lambda listener: "ca of the run",
        warm_key="key",
    )
    yield World(sandbox, doors, clock, warming, order)
    warming.close()


def _met(host: str) -> Exchange:
    return Exchange("", 0, "https", host, 443, "", "", 403, 0, 0, 0, "read", "refused", "not_bound")


def test_what_waits_knows_the_version_and_nothing_of_the_run_when_an_agent_ran_twice(world: World) -> None:
    world.run_twice()
    world.sandbox.until(lambda: bool(world.sandbox.orders))

    order = world.sandbox.orders["w1"]
    assert (order.code_dir, order.warm_key) == (world.order.code_dir, "key")
    assert order.preload == (("json", ()),)
    assert (order.id, order.input, order.state, order.env, order.now) == ("", None, None, {}, "")
    assert order.egress is not world.order.egress


def test_nothing_is_made_while_the_processors_have_work_and_something_is_when_they_have_none(
    world: World,
) -> None:
    taken, looks = True, threading.Semaphore(0)

    def busy() -> bool:
        looks.release()
        return taken

    policy = WarmPolicy(WarmRules(busy_s=1e9))
    warming = Warming(world.sandbox, world.doors, world.clock, policy, busy=busy)
    try:
        for _ in range(3):  # each is a look of its own, the last one long after two runs
            warming.ran(world.order, "agt_1")
            assert looks.acquire(timeout=_PATIENCE_S)
            world.clock.advance(seconds=1)
        assert looks.acquire(timeout=_PATIENCE_S)
        assert not world.sandbox.orders
        taken = False
        world.clock.advance(seconds=1)
        warming.changed("agt_2")  # any news makes it look
        world.sandbox.until(lambda: bool(world.sandbox.orders))
    finally:
        warming.close()


@pytest.mark.parametrize(
    ("running", "busy"), [(1, False), (1 + (os.cpu_count() or 1), True), (999, True), (0, False)]
)
def test_processors_are_taken_when_as_many_others_run_as_there_are(
    running: int, busy: bool, tmp_path: Path
) -> None:
    stat = tmp_path / "stat"
    stat.write_text(f"cpu  1 2 3\nprocs_running {running}\nprocs_blocked 0\n")

    assert processors_taken(stat) is busy
    assert processors_taken(tmp_path / "none") is False


def test_nothing_waits_when_an_order_has_no_key(world: World) -> None:
    world.order = Order("att_1", world.order.code_dir)
    world.run_twice()

    assert "warming" not in {thread.name for thread in threading.enumerate()}  # not even a thread for it


def test_what_waits_goes_when_its_agent_changed(world: World) -> None:
    world.run_twice()
    world.sandbox.until(lambda: bool(world.sandbox.orders))

    world.warming.changed("agt_1")

    world.sandbox.until(lambda: world.sandbox.cooled == ["w1"])


def test_the_next_run_is_told_once_when_a_package_reached_out_and_nothing_waits_again(world: World) -> None:
    world.run_twice()
    world.sandbox.until(lambda: bool(world.sandbox.orders))
    with socket.socket() as listener:
        way_out = world.sandbox.orders["w1"].egress
        assert way_out is not None
        assert way_out(listener) == ""  # no certificate before a run
        world.doors.guarded[0][1](_met("evil.example.com"))
        world.sandbox.until(lambda: world.sandbox.cooled == ["w1"])

    assert world.doors.closed == [listener]
    assert [exchange.host for exchange in world.warming.contacts("key")] == ["evil.example.com"]
    assert world.warming.contacts("key") == []
    assert world.warming.contacts("key of another workspace") == []
    world.run_twice()
    world.warming.close()
    assert list(world.sandbox.gone) == ["w1"]


def test_nothing_waits_again_when_importing_ended_the_sandbox(world: World) -> None:
    world.run_twice()
    world.sandbox.until(lambda: bool(world.sandbox.orders))

    world.sandbox.orders.clear()
    world.sandbox.gone["w1"]("importing took too long")
    world.run_twice()
    world.warming.close()

    assert list(world.sandbox.gone) == ["w1"]


def test_the_next_one_waits_when_the_last_was_taken(world: World) -> None:
    world.run_twice()
    world.sandbox.until(lambda: bool(world.sandbox.orders))

    world.sandbox.orders.clear()  # a run took it
    world.run_twice()

    world.sandbox.until(lambda: "w2" in world.sandbox.orders)


def test_one_refusal_is_enough_when_no_sandbox_can_be_kept_ready(world: World) -> None:
    world.sandbox.refuses = True
    world.run_twice()
    world.sandbox.until(lambda: bool(world.sandbox.cooled))
    world.run_twice()
    world.warming.close()

    assert world.sandbox.cooled == ["refused"]
