"""What an agent remembers from run to run: a dictionary kept as JSON, in a folder that is kept whole."""

from __future__ import annotations

import atexit
import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path("state")
_FILE = FOLDER / "state.json"


@functools.cache
def current() -> dict[str, Any]:
    """Empty on the first run. Saved when the program ends by itself, also after an error; what a run leaves
    behind counts only when the run kept its contract."""
    state = json.loads(_FILE.read_text(encoding="utf-8")) if _FILE.exists() else {}
    atexit.register(_save, state, Path.cwd())
    return state


def _save(state: dict[str, Any], home: Path) -> None:
    """Whole or not at all. TypeError, printed by Python at exit, for values JSON has no form for."""
    path = home / _FILE
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)
