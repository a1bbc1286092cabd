"""Text that somebody else wrote, marked as data before the model reads it. See `prompts/threats.md`."""

from __future__ import annotations

import unicodedata

OPEN, CLOSE = '<untrusted source="{source}">', "</untrusted>"
_KEPT = "\n\t"


def quoted(source: str, text: str, at_most: int) -> str:
    """`text` between marks that it cannot close itself: what looks like a mark inside is spelled otherwise.
    Cut at `at_most` characters, which is said. `source` is the platform's own word for where it comes from."""
    plain = "".join(c for c in text[: at_most + 1] if c in _KEPT or unicodedata.category(c)[0] != "C")
    cut = len(text) > at_most
    plain = plain[:at_most].replace("<untrusted", "‹untrusted").replace("</untrusted", "‹/untrusted")
    more = "\n… (cut here)" if cut else ""
    label = "".join(c for c in source if c.isalnum() or c in " ._:/-")[:120]
    return f"{OPEN.format(source=label)}\n{plain}{more}\n{CLOSE}"
