"""The Korean font lent to sandboxes for charts, subtitles and PDF."""

from __future__ import annotations

import importlib.util
from pathlib import Path

# Noto Sans KR (SIL Open Font License 1.1), as the wheel `pylopdf-fonts-ko` carries it.
_PACKAGE, _FONT = "pylopdf_fonts_ko", "NotoSansKR-Regular.otf"


def korean_font() -> Path | None:
    """Found without importing the package; None when it is not installed."""
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(found.origin).parent if found and found.origin else None
    path = folder / _FONT if folder else None
    return path if path and path.is_file() else None
