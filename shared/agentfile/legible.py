"""Whether text can be read: broken letters, and letters of another language than the one promised. Pure.

Rules of thumb over capped text; docs/decisions/0013-outcome-contract.md says where they are used.
"""

from __future__ import annotations

import re
import unicodedata

from shared.agentfile.model import Language

# Share of a text's letters that must be of the language's own script. A Korean sentence full of brand names stays
# above it; an English page does not.
_SHARE: dict[Language, float] = {"ko": 0.3, "en": 0.7}

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)

# UTF-8 read byte by byte as Latin-1 or Windows-1252, and what decoders put in place of what they cannot read.
_NEXT = "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
_BROKEN = re.compile(rf"\ufffd|[\u0080-\u009f]|[\u00e0-\u00ef]{_NEXT}{{2}}|(?:[\u00c2-\u00df]{_NEXT}){{2}}")


def broken(text: str) -> bool:
    """Whether anything in it was decoded wrongly."""
    return not text.isascii() and _BROKEN.search(text) is not None


def broken_lines(text: str) -> tuple[int, int]:
    """(lines with something broken in them, lines that say anything)."""
    lines = [line for line in text.splitlines() if line.strip()]
    return sum(broken(line) for line in lines), len(lines)


def speaks(text: str, language: Language) -> bool:
    """Whether enough of its letters are Korean, or Latin for English. Addresses do not count; a text without
    letters speaks nothing."""
    letters = [letter for letter in _ADDRESS.sub(" ", text) if letter.isalpha()]
    script = "HANGUL" if language == "ko" else "LATIN"
    own = sum(unicodedata.name(letter, "").startswith(script) for letter in letters)
    return bool(letters) and own >= _SHARE[language] * len(letters)
