"""The Korean font lent to sandboxes for charts, subtitles and PDF."""

from __future__ import annotations

import importlib.util
from pathlib import Path

# NanumGothic (SIL Open Font License 1.1), as the wheel `koreanize-matplotlib` carries it.
_PACKAGE, _FONT = "koreanize_matplotlib", "fonts/NanumGothic.ttf"


def korean_font() -> Path | None:
    """Found without importing the package; None when it is not installed."""
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(found.origin).parent if found and found.origin else None
    path = folder / _FONT if folder else None
    return path if path and path.is_file() else None
