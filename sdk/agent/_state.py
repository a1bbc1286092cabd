"""What an agent remembers from run to run: a dictionary kept as JSON, in a folder that is kept whole."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

FOLDER = "state"
_FILE = "state.json"

_read: list[dict[str, Any]] = []


def current() -> dict[str, Any]:
    """Empty on the first run. Saved when the program ends by itself, also after an error; what a run leaves
    behind counts only when the run kept its contract."""
    if not _read:
        import atexit
        import json
        from pathlib import Path

        file = Path(FOLDER, _FILE)
        _read.append(json.loads(file.read_text(encoding="utf-8")) if file.exists() else {})
        atexit.register(_save, _read[0], Path.cwd() / FOLDER)
    return _read[0]


def _save(state: dict[str, Any], folder: Path) -> None:
    """Whole or not at all. TypeError, printed by Python at exit, for values JSON has no form for."""
    import json

    path = folder / _FILE
    folder.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)
