"""What the executor needs from outside: a place to run code, a way out for it, packages for it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pydantic import JsonValue

from shared.errors import Unavailable

EndReason = Literal[
    "exited",  # the code ended by itself; see exit_code
    "wall",  # wall-clock limit
    "cpu",
    "memory",
    "processes",
    "disk",
    "inodes",
    "files",
    "output",  # printed more than the cap
    "stopped",  # stop() was called
    "lost",  # launcher, sandbox or machine died under it
    "unstartable",  # never reached user code; detail says why
]


# modules to import ahead, each with the names asked of it (`from PIL import Image`: they may be modules)
Preload = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class RunLimits:
    """Bounds of one attempt. Seconds, bytes, counts.

    What lies in the box counts as memory as well where a control group counts: it is a file system in memory.
    """

    wall_s: float = 300
    cpu_s: float = 300
    memory_bytes: int = 512 << 20
    disk_bytes: int = 256 << 20
    inodes: int = 4096
    processes: int = 64
    open_files: int = 256
    output_bytes: int = 4 << 20


@dataclass(frozen=True)
class Order:
    """One attempt to run one folder of code.

    id           attempt id; the same id twice means the same handle
    code_dir     host folder with `entry`, mounted read-only at /app; as root the folder and everything in it
                 must be readable by others (chmod o+rX), the folders above it need not
    entry        file inside code_dir to run as __main__
    site_dirs    host folders with installed packages, read-only, put on sys.path in this order
    input        JSON value the code reads as agent.input
    state        bytes of the last promoted state archive (tar), or None when there is none
    env          extra variables, placeholders for secrets among them; never a real secret
    mode         "live" or "rehearsal"; the code can read it, nothing depends on its honesty
    now          ISO timestamp and IANA zone the code sees through agent.today()
    egress       called once with the listening socket the code's proxy variables point at, before user
                 code starts; returns the PEM of the CA to trust. None: the sandbox has no way out at all
    mounts       extra read-only folders or files: sandbox path -> host path (the checker sees outputs this way). The
                 code finds where they are in AGENT_MOUNTS, a JSON object with the same keys
    seed         32 bytes: what the code takes for chance follows from them; empty: left as it is
    clock        seconds since 1970 the code's clock starts at; None: the real time
    warm_key     a waiting sandbox of the same key and shape may take the order; "" never
    preload      what such a sandbox imports while it waits
    files        written into the box at binding: path below the working directory -> content
    writable     host folders bound writable, sandbox path -> host path: for platform programs only. Nothing
                 bounds what is written there but the size of one file (disk_bytes); what lies there afterwards
                 belongs to another user and is hostile content
    """

    id: str
    code_dir: Path
    entry: str = "main.py"
    site_dirs: tuple[Path, ...] = ()
    input: object = None
    state: bytes | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    mode: Literal["live", "rehearsal"] = "live"
    now: str = ""
    timezone: str = "UTC"
    limits: RunLimits = RunLimits()
    egress: Callable[[socket.socket], str] | None = None
    mounts: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    seed: bytes = b""
    clock: float | None = None
    warm_key: str = ""
    preload: Preload = ()
    writable: Mapping[str, Path] = field(default_factory=dict)


# What an order says about one run; everything else shapes the sandbox it runs in.
OF_THE_RUN = frozenset(
    {"id", "input", "state", "env", "files", "mode", "now", "egress", "seed", "clock", "preload"}
)


def shape(order: Order) -> Order:
    """The order without what belongs to one run: two sandboxes made for equal shapes are the same."""
    kept = {name.name: getattr(order, name.name) for name in fields(Order) if name.name not in OF_THE_RUN}
    return Order(id="", **kept)


@dataclass(frozen=True)
class Usage:
    """Measured outside the sandbox. Zero where this machine cannot measure it."""

    wall_ms: int = 0
    cpu_ms: int = 0
    memory_peak_bytes: int = 0
    output_bytes: int = 0


@dataclass(frozen=True)
class Ended:
    """How an attempt ended.

    exit_code   None unless reason is "exited" (negative: killed by that signal; code that exits with 128 + n
                by itself looks the same)
    box         host folder holding what the code left behind: `outputs/`, `state/`; hostile content, read it
                only through the collector. None when nothing was left. Valid until release().
    detail      one sentence for a person; empty when the reason says it all
    """

    reason: EndReason
    exit_code: int | None
    usage: Usage
    box: Path | None = None
    detail: str = ""


class AttemptSink(Protocol):
    """Where an attempt's signs of life go. Called from the sandbox's reader threads, in order per attempt,
    never after `ended`. Must not block for long: the code's pipe fills up behind it."""

    def first_line(self) -> None:
        """User code is about to execute its first line. Called once."""

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """Raw bytes as printed, at most 64 KiB a call."""

    def report(self, entry: Mapping[str, object]) -> None:
        """A claim by the code through the agent library (depth and size already capped):
        {"kind": "step", "name", …} · {"kind": "deliver", "channel", "text", "files"}."""

    def ended(self, result: Ended) -> None:
        """Exactly once, last."""


Mark = Mapping[str, JsonValue]
"""What a backend must know again of an attempt that outlives the process which hears it."""


class Superseded(Unavailable):
    """Another process of the executor hears this attempt now; who asked is to ask again, and reaches that one."""

    code = "superseded"


@runtime_checkable
class LastingSink(AttemptSink, Protocol):
    """Of an attempt that outlives this process: what was heard is in the store before anybody is told that it was."""

    def marked(self, now: Callable[[], Mark]) -> Mark:
        """The mark that was written down last, empty for a new attempt. `now` gives the one that belongs to all that
        was heard so far; it is asked at the end of each batch."""

    def batch(self) -> AbstractContextManager[None]:
        """What is heard inside is written down at its end, with its mark, in one commit. Batches wait for one another.
        Raises: Unavailable, then it stays in memory and the next batch writes it; Superseded."""

    def demand_ours(self) -> None:
        """Asks the store. Raises: Superseded, Unavailable."""


@dataclass(frozen=True)
class Waiting:
    """A sandbox that waits for its run. ready: it has imported what it was told to. memory_bytes: its share
    of this machine's memory when last measured, 0 before."""

    id: str
    key: str
    ready: bool
    memory_bytes: int


@dataclass(frozen=True)
class Enforcement:
    """Which limits this backend really enforces on this machine; for each that it does not a code of limits.py,
    or under "all" the cure. preferred, denied: a backend that would have been taken and its cure."""

    backend: str
    enforced: frozenset[str]
    missing: Mapping[str, str]
    preferred: str = ""
    denied: str = ""


class Sandbox(Protocol):
    def start(self, order: Order, sink: AttemptSink) -> str:
        """Begin an attempt and return its handle at once (it is running or about to). Idempotent per
        order id. Raises Unavailable when no backend works here; the text is the one command that cures it."""

    def observe(self, handle: str) -> Literal["running", "unknown"] | Ended: ...

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        """Kill everything of the attempt; `ended` follows. Unknown handles are ignored."""

    def release(self, handle: str) -> None:
        """Forget an ended attempt and delete its box."""

    def sweep(self, known: Collection[str]) -> None:
        """Kill and clean up whatever this machine still holds of attempts not in `known`."""

    def warm(self, order: Order, on_gone: Callable[[str], None]) -> None:
        """Begin a sandbox that waits for one order of `order.warm_key`; the first `start` of that key and
        shape takes it, and nobody else ever does. It has imported `order.preload` by then, its way out was
        given to `order.egress`, and no clock of a run has run. `on_gone` is called once when it has ended
        without a run, with the reason; "" when it was told to. Backends that cannot do nothing."""

    def waiting(self) -> tuple[Waiting, ...]:
        """Those that wait now; they are never among the attempts."""

    def cool(self, id: str) -> None:
        """End a waiting sandbox. Unknown and taken ones are ignored."""

    def enforcement(self) -> Enforcement: ...

    def close(self) -> None:
        """Kill everything and stop the launcher. May be called twice."""


@dataclass(frozen=True)
class SiteAnswer:
    """What a local site says: `body` is bytes, a file to be streamed, or pieces that come as they are asked for; then
    the headers hold their length. Asking for a piece may block."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | Path | Iterator[bytes] = b""


class LocalSite(Protocol):
    """A host that exists only for one sandbox: the egress gateway asks us instead of the network."""

    @property
    def host(self) -> str: ...

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> SiteAnswer:
        """`target`: path and query; header names in lower case. May block; called off the gateway's loop."""


@dataclass(frozen=True)
class Wish:
    """What an environment is asked for. lock "": made from `packages`. approved: `name==version` of packages
    that a person of this workspace has said yes to, for this version."""

    packages: tuple[str, ...]
    workspace_id: str
    lock: str = ""
    approved: frozenset[str] = frozenset()
    language: Literal["ko", "en"] = "ko"


@dataclass(frozen=True)
class Installed:
    """own: built for this workspace alone."""

    environment_id: str
    lock: str
    size_bytes: int = 0
    own: bool = False


@dataclass(frozen=True)
class Asking:
    """Packages that need a person's yes first: `name==version` and a sentence for each."""

    packages: tuple[str, ...]
    reasons: tuple[str, ...]


Progress = Callable[[str, int, int], None]
"""(sentence, packages done, packages in all)"""


class EnvironmentBuilder(Protocol):
    def build(self, wish: Wish, progress: Progress) -> Installed | Asking:
        """Everything from names to a folder that can be lent to runs; what exists is not made again. Raises
        BadRequest in a sentence naming the package that cannot be had; Unavailable when the index does not
        answer or no sandbox works here."""

    def lookup(self, names: Collection[str]) -> dict[str, tuple[bool, str]]:
        """By name as asked: whether a plan may name it, and an English sentence with what the index says. Raises
        Unavailable when the index does not answer."""

    def ready(self, environment_id: str) -> Path:
        """The folder of an environment built before, made again when it was let go of. Where runs are elsewhere they
        get what is in it from the bucket, and nothing lies there. Raises as `build`, and NotFound when nothing is
        known of it."""

    def forget(self, workspace_id: str) -> None:
        """Remove what was built from source for that workspace and the environments made of it. Idempotent;
        what all workspaces share stays."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""
