"""The packages' whole way on a data folder of its own: builder sandboxes, door, store, and a place to run code."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.index import installer
from services.executor.attempts.oneshot import OneShot
from services.executor.attempts.rooms import Rooms
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun, Pace
from services.executor.environments.builder import Builder, Places
from services.executor.environments.cache import Cache
from services.executor.environments.fonts import korean_font
from services.executor.environments.source import IndexSource
from services.executor.environments.store import WheelStore
from services.executor.ports import (
    Asking,
    Ended,
    EnvironmentBuilder,
    Installed,
    Order,
    RunLimits,
    Sandbox,
    Wish,
)
from shared.agentfile.model import HostRule
from shared.blobs.files import FileBlobs
from shared.clock import Clock, SystemClock
from shared.ids import RandomIds

PRACTICE = "practice.agentbuilder.test"
_LIMITS = RunLimits(wall_s=120, cpu_s=120, memory_bytes=2 << 30, disk_bytes=512 << 20)


@dataclass
class Heard:
    """A sink that keeps what was printed."""

    printed: bytearray = field(default_factory=bytearray)
    done: threading.Event = field(default_factory=threading.Event)
    result: Ended | None = None

    def first_line(self) -> None:
        return None

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.printed += data

    def report(self, entry: Mapping[str, object]) -> None:
        return None

    def ended(self, result: Ended) -> None:
        self.result = result
        self.done.set()


class Shop(ABC):
    """What every workshop can: one language, what was said, and a place to run code with what was built."""

    root: Path
    ids: RandomIds
    sandbox: Sandbox
    egress: EgressGateway
    builder: EnvironmentBuilder

    def __init__(self) -> None:
        self.language: Literal["ko", "en"] = "ko"
        self.said: list[tuple[str, int, int]] = []

    def build(
        self, *packages: str, workspace: str = "ws_a", lock: str = "", approved: frozenset[str] = frozenset()
    ) -> Installed | Asking:
        wish = Wish(packages, workspace, lock=lock, approved=approved, language=self.language)
        return self.builder.build(wish, lambda text, done, all_: self.said.append((text, done, all_)))

    def built(
        self, *packages: str, workspace: str = "ws_a", approved: frozenset[str] = frozenset()
    ) -> Installed:
        found = self.build(*packages, workspace=workspace, approved=approved)
        assert isinstance(found, Installed), found
        return found

    def run(self, code: str, environment_id: str = "") -> tuple[Ended, str]:
        """How the code ended in a sandbox with those packages and the way out that every run has, and the end of what
        it printed."""
        folder = self.root / "code" / self.ids.new("code")
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(code, encoding="utf-8")
        font = korean_font()
        order = Order(
            self.ids.new("att"),
            folder,
            site_dirs=(self.builder.ready(environment_id),) if environment_id else (),
            env={"AGENT_FONT": f"/fonts/{font.name}"} if font else {},
            mounts={"/fonts": font.parent} if font else {},
            limits=_LIMITS,
        )
        heard = Heard()
        rule = HostRule.model_validate({"host": PRACTICE})
        out = EgressRun(order.id, (rule,), lambda exchange: None, pace=Pace(requests_per_s=0, connections=0))
        order = replace(order, egress=lambda listener: self.egress.open(out, listener))
        handle = self.sandbox.start(order, heard)
        assert heard.done.wait(180), "the code never ended"
        self.egress.close(order.id)
        self.sandbox.release(handle)
        assert heard.result is not None
        return heard.result, heard.printed.decode(errors="replace")[-2000:]

    @abstractmethod
    def close(self) -> None: ...


class Workshop(Shop):
    """index "": the one this machine's installer uses. close() ends everything."""

    def __init__(
        self, root: Path, index: str = "", *, clock: Clock | None = None, cache_bytes: int = 40 << 30
    ) -> None:
        super().__init__()
        self.root = root
        self.clock = clock or SystemClock()
        self.ids = RandomIds()
        for name in ("environments", "scratch"):
            (root / name).mkdir(parents=True, exist_ok=True)
        self.sandbox = BubblewrapSandbox(root / "sandbox")
        self.egress = EgressGateway()
        tool, address = installer(index)
        self.source = IndexSource(address, clock=self.clock)
        self.rooms = Rooms(OneShot(self.sandbox, self.egress), self.ids, tool)
        self.store = WheelStore(root / "wheels", root / "scratch", self.ids)
        self.cache = Cache(root, self.clock, cache_bytes, FileBlobs(root / "blobs", self.ids))
        places = Places(root, root / "environments", root / "scratch")
        self.builder = Builder(self.rooms, self.source, self.store, places, self.clock, self.cache)

    def close(self) -> None:
        self.builder.close()
        self.sandbox.close()
        self.egress.stop()
