"""Everything a process and its children hold of this machine, as counts that must not grow with runs."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

_PAUSE_S = 0.1


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, without itself."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        above = waiting.pop()
        for task in _entries(Path(f"/proc/{above}/task")):
            try:
                below = [int(word) for word in (task / "children").read_text().split()]
            except OSError:
                continue
            found += below
            waiting += below
    return found


def descriptors(pid: int) -> Counter[str]:
    """Open descriptors by kind: `socket`, `pipe`, `anon_inode` and the like, or the file's path."""
    kinds: Counter[str] = Counter()
    for entry in _entries(Path(f"/proc/{pid}/fd")):
        try:
            target = os.readlink(entry)  # noqa: PTH115 - "socket:[4711]" is no path
        except OSError:
            continue
        kinds[re.sub(r":\[?\d+\]?$", "", target)] += 1
    return kinds


def mounts_below(folder: Path) -> int:
    return Path("/proc/self/mountinfo").read_text().count(f" {folder}/")


def control_groups(folder: Path) -> int:
    """Groups of sandboxes in `folder`, in whatever hierarchy of this machine."""
    family = f"agentbuilder-{folder.stat().st_ino:x}"
    return sum(
        sum(1 for _name in names) if Path(at).name == family else names.count(family)
        for at, names, _files in os.walk("/sys/fs/cgroup")
    )


def files_below(folder: Path) -> int:
    return sum(len(files) + len(folders) for _at, folders, files in os.walk(folder))


def take(pid: int, launcher: int, folder: Path) -> dict[str, object]:
    """`pid` holds runs, `launcher` starts their sandboxes in `folder`."""
    return {
        "processes": len(descendants(pid)),
        "threads": len(_entries(Path(f"/proc/{pid}/task"))),
        "descriptors": dict(descriptors(pid)),
        "descriptors of the launcher": dict(descriptors(launcher)),
        "mounts": mounts_below(folder),
        "control groups": control_groups(folder),
        "files": files_below(folder),
    }


def steady(look: Callable[[], dict[str, object]], patience_s: float) -> dict[str, object]:
    """What a look shows once nothing has moved for a second: what ended is cleared away a moment later."""
    pause = threading.Event()
    found, same = look(), 0
    for _ in range(int(patience_s / _PAUSE_S)):
        pause.wait(_PAUSE_S)
        again = look()
        found, same = again, same + 1 if again == found else 0
        if same * _PAUSE_S >= 1:
            break
    return found


def settled(look: Callable[[], dict[str, object]], wanted: dict[str, object], patience_s: float) -> str:
    """Empty once a look equals `wanted`; else what still differs when patience ends."""
    pause = threading.Event()
    differs = "nobody looked"
    for _ in range(int(patience_s / _PAUSE_S)):
        found = look()
        if found == wanted:
            return ""
        differs = "; ".join(f"{k}: {wanted[k]} before, {v} now" for k, v in found.items() if v != wanted[k])
        pause.wait(_PAUSE_S)
    return differs


def grown(look: Callable[[], dict[str, object]], before: dict[str, object], patience_s: float) -> str:
    """Empty once no count is higher than it was; else what still is when patience ends. Lower ones are right: what
    others of this process had left may end at any time."""

    def more() -> dict[str, object]:
        return {name: found for name, found in look().items() if _is_more(found, before[name])}

    said = settled(lambda: {"more": more()}, {"more": {}}, patience_s)
    return said and f"{said}, of {before}"


def _is_more(now: object, before: object) -> bool:
    if isinstance(now, dict) and isinstance(before, dict):
        return any(count > before.get(kind, 0) for kind, count in now.items())
    return isinstance(now, int) and isinstance(before, int) and now > before


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
