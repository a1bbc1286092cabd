"""Counts the words of Korean and English titles: 신제품을, 신제품이 and 신제품은 are one word.

No dictionary and no package that must be compiled: the two tables of particles below are all it knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

After = Literal["consonant", "vowel", "any", "not_l"]

# Sure particles always go, when two syllables or more remain and the final consonant fits (은·을 follow a
# consonant, 는·를 a vowel). Doubtful ones look like the end of many nouns (목걸이, 최저가, 아보카도): they go
# only when the rest is also seen by itself or with another particle somewhere in the same titles.
# `not_l`: a consonant other than ㄹ, since ㄹ takes 로.
_SURE_TEXT: dict[After, str] = {
    "any": "에서부터 에게서 에서는 에서도 까지는 부터는 에서 에게 까지 부터 처럼 보다 에는 에도 마다",
    "not_l": "으로부터 으로는 으로",
    "consonant": "이라는 이나 이랑 을 은",
    "vowel": "를 는",
}
_DOUBTFUL_TEXT: dict[After, str] = {"any": "의 에 도 만", "consonant": "이 과", "vowel": "가 와 로 랑 나"}


def _longest_first(table: dict[After, str]) -> tuple[tuple[str, After], ...]:
    pairs = [(ending, after) for after, endings in table.items() for ending in endings.split()]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


SURE = _longest_first(_SURE_TEXT)
DOUBTFUL = _longest_first(_DOUBTFUL_TEXT)

_STOP_WORDS = """
그리고 그러나 하지만 또는 및 등 위한 위해 대한 통해 있는 없는 하는 되는 같은 모든 다른 이런 저런 그런 우리
세트 개입 상품 제품 판매 구매
무료 배송 무료배송 할인 세일 특가 품절 옵션 선택 당일 국내 정품 사은품 이벤트 추천 인기
the and for with from this that you your our are was all any not new now off per set its has have will can
free shipping sale item items product products ml cm mm kg mg oz xl pcs ea
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[가-힣]+|(?<![0-9a-z])[a-z][a-z0-9]*(?:[-'’][a-z0-9]+)*", re.IGNORECASE)
# Words like 어울리는 and 빛나는 describe; they name nothing.
_VERB_END = re.compile(r"(하|되|있|없|나|리|지|보|오|가|주|입|신)는$")
_SIDE = re.compile(r"x[0-9]+")  # the second half of a size such as 150x200
_MAX_TITLES = 5_000


@dataclass(frozen=True)
class Keyword:
    """`titles`: how many titles hold the word; `new`: how many of those are new today."""

    word: str
    titles: int
    new: int


def count_keywords(titles: Iterable[str], new_titles: Iterable[str] = (), top: int = 20) -> list[Keyword]:
    """Most frequent first, then in alphabetical order. A word counts once a title. `new_titles` should be
    among `titles`."""
    words = [_words(title) for title in list(titles)[:_MAX_TITLES]]
    fresh = [_words(title) for title in list(new_titles)[:_MAX_TITLES]]
    stems = _stems({word for title in [*words, *fresh] for word in title})
    counted = Counter(stem for title in words for stem in {stems[word] for word in title} - STOP_WORDS)
    newly = Counter(stem for title in fresh for stem in {stems[word] for word in title} - STOP_WORDS)
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return [Keyword(word, number, newly[word]) for word, number in ranked[:top]]


def stem_sure(word: str) -> str:
    """`word` without a sure particle."""
    return next((word[: -len(ending)] for ending, after in SURE if _carries(word, ending, after)), word)


def _words(title: str) -> set[str]:
    """Words of two letters or more. Numbers and sizes (500ml, 2XL) are left out, model names (a7) are not."""
    found = _WORD.findall(unicodedata.normalize("NFC", title).casefold())
    names = (word for word in found if len(word) >= 2 and not _SIDE.fullmatch(word))
    return {word for word in names if not _VERB_END.search(word)}


def _stems(words: set[str]) -> dict[str, str]:
    """Each word's stem, by both tables; `words` are all that the titles hold."""
    sure = {word: stem_sure(word) for word in words}
    without: dict[str, list[str]] = {}
    for word in words:
        for rest in {word[: -len(ending)] for ending, after in DOUBTFUL if _carries(word, ending, after)}:
            without.setdefault(rest, []).append(word)
    known = set(sure.values()) | {rest for rest, forms in without.items() if len(forms) > 1}
    return {word: _doubtful_stem(word, known) if stem == word else stem for word, stem in sure.items()}


def _doubtful_stem(word: str, known: set[str]) -> str:
    rests = (word[: -len(ending)] for ending, after in DOUBTFUL if _carries(word, ending, after))
    return next((rest for rest in rests if rest in known), word)


def _carries(word: str, ending: str, after: After) -> bool:
    rest = word[: -len(ending)]
    if not word.endswith(ending) or len(rest) < 2 or not "가" <= rest[-1] <= "힣":
        return False
    final = (ord(rest[-1]) - 0xAC00) % 28  # index of the final consonant; 0 none, 8 ㄹ
    if after == "any":
        return True
    if after == "vowel":
        return final == 0
    return final != 0 and not (after == "not_l" and final == 8)
