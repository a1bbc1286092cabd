"""Builder sandboxes: platform programs that make locks, unpack wheels and, after a yes, build from source.

None holds a secret, a store or a workspace's data; only `resolve` and `build` have a way out, and it leads to
the index door alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.executor.attempts.index_ways import to_index
from services.executor.attempts.oneshot import OneShot
from services.executor.egress.model import Caps
from services.executor.environments import programs
from services.executor.ports import LocalSite, Order, RunLimits
from shared.errors import BadRequest, Unavailable
from shared.ids import Ids

_PROGRAMS = Path(programs.__file__).parent
_TOOL = "/tools/uv"
_RESOLVE = RunLimits(
    wall_s=200, cpu_s=120, memory_bytes=2 << 30, disk_bytes=1 << 30, inodes=100_000, open_files=1024
)
_UNPACK = RunLimits(wall_s=240, cpu_s=240, memory_bytes=1 << 30, disk_bytes=2 << 30, processes=8)
_BUILD = RunLimits(
    wall_s=240, cpu_s=480, memory_bytes=2 << 30, disk_bytes=1 << 30, inodes=100_000, open_files=1024
)
_BUILT_BYTES = 128 << 20
_CAPS = Caps(answer_bytes=2 << 30, run_bytes=4 << 30)


class Rooms:
    """tool: the path of `uv`."""

    def __init__(self, oneshot: OneShot, ids: Ids, tool: str) -> None:
        self._oneshot = oneshot
        self._ids = ids
        self._tool = Path(tool)

    def resolve(self, packages: tuple[str, ...], door: LocalSite) -> tuple[bool, str]:
        """(True, lock) or (False, the tool's words). Raises Unavailable when the room did not do its work."""
        about = {"packages": list(packages), "tool": _TOOL, "index": f"http://{door.host}/simple/"}
        order = self._order("resolve.py", about, _RESOLVE, mounts={_TOOL: self._tool})
        data = self._oneshot.run(
            order, "result.json", out=to_index(order.id, door, _CAPS), max_bytes=16 << 20
        )
        result = _result(data)
        return result.get("code") == 0, str(result.get("lock" if result.get("code") == 0 else "said"))

    def unpack(self, wheel: Path, name: str, into: Path, max_bytes: int, max_files: int) -> None:
        """Raises BadRequest, code `bad_wheel`, when the wheel holds what it should not."""
        about = {"wheel": f"/in/{name}", "max_bytes": max_bytes, "max_files": max_files}
        order = self._order("unpack.py", about, _UNPACK, mounts={f"/in/{name}": wheel}, out=into)
        problem = _result(self._oneshot.run(order, "result.json")).get("problem")
        if problem:
            raise BadRequest(f"The wheel holds {str(problem)[:300]}.", code="bad_wheel")

    def build(self, source: Path, name: str, door: LocalSite) -> tuple[str, bytes]:
        """The built wheel's file name and bytes, both the package's own word. Raises BadRequest with the end
        of what the build printed."""
        about = {"source": f"/in/{name}", "tool": _TOOL, "index": f"http://{door.host}/simple/"}
        mounts = {_TOOL: self._tool, f"/in/{name}": source}
        order = self._order("build.py", about, _BUILD, mounts=mounts)
        data = self._oneshot.run(order, "built", out=to_index(order.id, door, _CAPS), max_bytes=_BUILT_BYTES)
        first, _, rest = (data or b"").partition(b"\n")
        if not first:
            said = rest.decode(errors="replace").strip()[-400:]
            raise BadRequest(said or "The build did not come to an end.", code="build_failed")
        return first.decode(errors="replace"), rest

    def _order(
        self,
        program: str,
        about: dict[str, Any],
        limits: RunLimits,
        *,
        mounts: dict[str, Path],
        out: Path | None = None,
    ) -> Order:
        return Order(
            id=self._ids.new("room"),
            code_dir=_PROGRAMS,
            entry=program,
            input=about,
            limits=limits,
            mounts=mounts,
            writable={"/out": out} if out else {},
        )


def _result(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data or b"")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable("The packages could not be worked on just now.")
    return found
