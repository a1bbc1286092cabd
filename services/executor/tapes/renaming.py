"""Other words and numbers of the same form for those that a run reported from its pages. Pure.

A program that reads the page reports the other ones when the page has them; one that knows its answer beforehand
goes on reporting the old ones. docs/decisions/0033-repair.md says why this is asked of a mended agent.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from services.executor.tapes.numbers import numbers_in, respelled, shifted, telling

MOST_VALUES = 400
_LONGEST = 200
_WORD = re.compile(r"[^\W\d_]+")
# What stands between two things on one line of a report.
_BETWEEN = re.compile(r"\s*[:|·•;→\t()\[\]]\s*|\s+[-–—]\s+|,\s+")
_LEADING = re.compile(r"^[\s\-–—*•·#>\d.)]+(?=\D)")
_PRICE_AT_END = re.compile(r"\s*[₩$€]?\d[\d,. ]*\s*\S{0,4}$")
_PLACE = re.compile(r"://|^[/?#]|@|^[\w.-]+\.[a-z]{2,}$")
# Names that a page's own structure is made of: changing them would be another redesign.
_TAG = re.compile(
    r"<[/!?]?([A-Za-z][\w:-]*)|[\s\"']([A-Za-z][\w:-]*)\s*=|\"([\w@$.-]+)\"\s*:|\.([A-Za-z][\w-]*)\s*[{=(]"
)
_STRUCTURE = re.compile(
    r"\b(?:class|id|name|itemprop|itemtype|rel|type|lang|charset|property|role)\s*=\s*(\"[^\"]*\"|'[^']*')",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Renaming:
    """phrases: as reported -> other · numbers: digits on the page -> other digits · reported: a reported number's
    names -> how it is shown to people. Empty: nothing of the report stands in a page."""

    phrases: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    reported: dict[frozenset[str], str] = field(default_factory=dict)

    def numbers_only(self) -> Renaming:
        return Renaming(numbers=self.numbers, reported=self.reported)

    def __bool__(self) -> bool:
        return bool(self.phrases or self.numbers)

    def apply(self, text: str, *, grouped: bool = True) -> str:
        """Phrases in the spelling the text has them in, then numbers. grouped: see numbers_in."""
        pattern, found = spelled(self.phrases), []
        at = 0
        for match in pattern.finditer(text) if pattern else ():
            found.append(self._renumbered(text[at : match.start()], grouped))
            found.append(_as_spelled(self._other(match[0]), match[0]))
            at = match.end()
        return "".join([*found, self._renumbered(text[at:], grouped)])

    def _other(self, written: str) -> str:
        plain = plainly(written)
        return self.phrases.get(plain, plain)

    def _renumbered(self, text: str, grouped: bool) -> str:
        if not self.numbers:
            return text
        found, at = [], 0
        for number in numbers_in(text, grouped=grouped):
            other = self.numbers.get(number.digits)
            if other is not None:
                found += [text[at : number.start], respelled(text[number.start : number.end], other)]
                at = number.end
        return "".join([*found, text[at:]])


NO_RENAMING = Renaming()


def renaming(
    reported: Iterable[str], pages: Sequence[str], kept: str, counts: Iterable[int] = ()
) -> Renaming:
    """reported: cells and lines of what came out. pages: what was read. kept: text whose words and numbers stay as they
    are (the code as it was allowed, its agent file, the addresses it asks). counts: how many there are of something,
    which a page may say as well."""
    texts = [text for text in dict.fromkeys(reported) if text.strip()][: MOST_VALUES * 10]
    known = {word.casefold() for word in _WORD.findall(kept)}
    structure = _structure(pages)
    for by in range(3, 8):
        made = _made(texts, pages, kept, known, structure, {str(n) for n in counts}, by)
        if not _collides(made, pages, texts):
            return made
    return made


def _made(
    texts: Sequence[str],
    pages: Sequence[str],
    kept: str,
    known: set[str],
    structure: set[str],
    counts: set[str],
    by: int,
) -> Renaming:
    numbers, reported = _numbers(texts, pages, kept, counts, by)
    phrases: dict[str, str] = {}
    numbering = Renaming(numbers=numbers)
    for phrase in phrases_in(texts):
        if len(phrases) >= MOST_VALUES:
            break
        if phrase in structure or phrase in kept:
            continue
        pattern = spelled([phrase])
        if pattern is None or not any(pattern.search(page) for page in pages):
            continue
        other = numbering.apply(
            _WORD.sub(lambda m: m[0] if m[0].casefold() in known else _other_word(m[0], by), phrase)
        )
        if _WORD.findall(other) != _WORD.findall(phrase):
            phrases[phrase] = other
    return Renaming(phrases, numbers, reported)


def _numbers(
    texts: Sequence[str], pages: Sequence[str], kept: str, counts: set[str], by: int
) -> tuple[dict[str, str], dict[frozenset[str], str]]:
    there: dict[str, set[str]] = {}
    for page in pages:
        for number in (*numbers_in(page), *numbers_in(page, grouped=False)):
            for name in number.names:
                there.setdefault(name, set()).add(number.digits)
    fixed = {name for number in numbers_in(kept) for name in number.names}
    fixed |= set(re.findall(r"\d+", kept))
    changed: dict[str, str] = {}
    reported: dict[frozenset[str], str] = {}
    for text in texts:
        for number in numbers_in(text):
            found = {digits for name in number.names for digits in there.get(name, ())}
            if not telling(number) or not found or number.names & fixed or number.digits in counts:
                continue
            if len(reported) < MOST_VALUES and not found & fixed:
                changed |= {digits: shifted(digits, by) for digits in found}
                reported[number.names] = text[number.start : number.end]
    return changed, reported


def phrases_in(texts: Iterable[str]) -> list[str]:
    """Whole lines and what stands between separators, longest first."""
    found: dict[str, None] = {}
    for text in texts:
        pieces = [text, _LEADING.sub("", text), *_BETWEEN.split(text)]
        for piece in [*pieces, *(_PRICE_AT_END.sub("", piece) for piece in pieces)]:
            plain = " ".join(piece.split())
            if names_something(plain):
                found[plain] = None
    return sorted(found, key=len, reverse=True)


def names_something(phrase: str) -> bool:
    letters = sum(c.isalpha() for c in phrase)
    digits = sum(c.isdigit() for c in phrase)
    return letters >= 2 and digits < letters and len(phrase) <= _LONGEST and _PLACE.search(phrase) is None


def _structure(pages: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for page in pages:
        for match in _TAG.finditer(page):
            found.update(name for name in match.groups() if name)
        for match in _STRUCTURE.finditer(page):
            found.update((match[1][1:-1], *match[1][1:-1].split()))
    return found


def _other_word(word: str, by: int) -> str:
    return "".join(_other_letter(c, by) for c in word)


def _other_letter(c: str, by: int) -> str:
    code = ord(c)
    if 0xAC00 <= code <= 0xD7A3:  # another vowel: 588 syllables a consonant, 28 a vowel
        lead, rest = divmod(code - 0xAC00, 588)
        vowel, final = divmod(rest, 28)
        return chr(0xAC00 + lead * 588 + (vowel + by) % 21 * 28 + final)
    for first, count in (
        (ord("a"), 26),
        (ord("A"), 26),
        (0x3041, 86),
        (0x30A1, 90),
        (0x4E00, 20_000),
        (0x0430, 32),
    ):
        if first <= code < first + count:
            return chr(first + (code - first + by) % count)
    return c


def _collides(made: Renaming, pages: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether something that is new stands there already."""
    there = {number.digits for text in (*pages, *texts) for number in numbers_in(text)}
    pattern = spelled(made.phrases.values())
    taken = pattern is not None and any(pattern.search(text) for text in (*pages, *texts))
    return taken or bool(there & set(made.numbers.values()))


def spelled(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """Finds each in any spelling pages have: with entities, as JSON, as part of an address."""
    ways = [way for phrase in sorted(phrases, key=len, reverse=True) for way in _spellings(phrase)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)") if ways else None


def _spellings(phrase: str) -> list[str]:
    escaped = json.dumps(phrase)[1:-1]
    ways = dict.fromkeys(
        (
            phrase,
            html.escape(phrase),
            html.escape(phrase, quote=False),
            html.escape(phrase).replace("&#x27;", "&#39;"),
            escaped,
            json.dumps(phrase, ensure_ascii=False)[1:-1],
            quote(phrase),
        )
    )
    found = [re.escape(way).replace(r"\ ", r"(?:\s|&nbsp;|\u00a0)+") for way in ways]
    if escaped != phrase:
        found.append(f"(?i:{re.escape(escaped)})")
    return found


def plainly(written: str) -> str:
    """Any of the spellings as people read it."""
    text = written
    if "\\" in text:
        with contextlib.suppress(ValueError):
            text = str(json.loads(f'"{text}"'))
    if re.search(r"%[0-9A-Fa-f]{2}", text):
        text = unquote(text)
    return " ".join(html.unescape(text).split())


def _as_spelled(phrase: str, like: str) -> str:
    if "\\u" in like:
        return json.dumps(phrase)[1:-1]
    if re.search(r"%[0-9A-Fa-f]{2}", like):
        return quote(phrase)
    if re.search(r"&[#\w]+;", like):
        return html.escape(phrase)
    if "\\" in like:
        return json.dumps(phrase, ensure_ascii=False)[1:-1]
    return phrase


def stands_in(name: str, texts: Iterable[str]) -> bool:
    """Whether a phrase is in there however it may be written: split by tags, spaced otherwise."""
    wanted = squeezed(name)
    return any(wanted in squeezed(view) for text in texts for view in views(text))


def number_stands_in(names: frozenset[str], texts: Iterable[str]) -> bool:
    digits = {name for name in names if not name.startswith("=")}
    for text in texts:
        for view in views(text):
            if any(number.names & names for number in numbers_in(view)):
                return True
            runs = set(re.findall(r"\d+", view)) | set(
                re.findall(r"\d+", re.sub(r"(?<=\d)[,.\s](?=\d)", "", view))
            )
            if runs & digits:
                return True
    return False


def views(text: str) -> tuple[str, ...]:
    read = html.unescape(re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text))
    if "%" in read:
        read = unquote(read)
    return (read, re.sub(r"<[^>]*>", "", read)) if "<" in read else (read,)


def squeezed(text: str) -> str:
    return "".join(text.split()).casefold()
