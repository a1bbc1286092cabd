"""Counting words: particles, stop words, and what must never be cut."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pagewatch.keywords import DOUBTFUL, STOP_WORDS, SURE, After, count_keywords, stem_sure


def counted(*titles: str) -> dict[str, int]:
    return {keyword.word: keyword.titles for keyword in count_keywords(titles)}


def fits(noun: str, after: After) -> bool:
    final = (ord(noun[-1]) - 0xAC00) % 28
    return {"any": True, "vowel": final == 0, "consonant": final != 0, "not_l": final not in (0, 8)}[after]


syllable = st.integers(0xAC00, 0xD7A3).map(chr)
noun = st.lists(syllable, min_size=2, max_size=5).map("".join)


@pytest.mark.parametrize(
    "titles",
    [
        ("신제품을 소개해요", "신제품이 왔어요", "신제품은 처음"),
        ("신제품", "신제품을", "신제품으로"),
        ("신제품과", "신제품에서", "신제품도"),
    ],
)
def test_forms_of_one_word_count_as_one(titles: tuple[str, ...]) -> None:
    assert counted(*titles)["신제품"] == 3


@pytest.mark.parametrize(
    "word",
    [
        "목걸이",
        "귀걸이",
        "최저가",
        "아보카도",
        "샌드위치",
        "떡볶이",
        "와이파이",
        "청포도",
        "여름휴가",
        "가을",
        "마을",
    ],
)
def test_noun_that_ends_like_a_particle_stays_whole(word: str) -> None:
    assert word in counted(f"{word} 기획", f"{word} 모음전")


def test_english_words_ignore_case_and_stop_words() -> None:
    assert counted("The Linen shirt", "LINEN shirt for you", "linen") == {"linen": 3, "shirt": 2}


def test_numbers_and_single_letters_do_not_count() -> None:
    assert counted("500 ml x 3 개", "A 컵 2XL", "러그 150x200cm", "갤럭시 a7") == {
        "러그": 1,
        "갤럭시": 1,
        "a7": 1,
    }


def test_word_counts_once_a_title() -> None:
    assert counted("니트 니트 니트를") == {"니트": 1}


def test_words_of_new_titles_are_told_apart() -> None:
    words = count_keywords(["니트 조끼", "니트 바지"], ["니트 바지"])

    assert [(word.word, word.titles, word.new) for word in words] == [
        ("니트", 2, 1),
        ("바지", 1, 1),
        ("조끼", 1, 0),
    ]


def test_no_titles_give_no_words() -> None:
    assert count_keywords([]) == []


@given(noun, st.sampled_from(SURE))
def test_sure_particle_always_goes(stem: str, particle: tuple[str, After]) -> None:
    ending, after = particle
    assume(fits(stem, after) and stem_sure(stem) == stem)
    # The noun and the particle together may end in a longer particle; then at least this one is gone.
    assert len(stem_sure(stem + ending)) <= len(stem)


@given(noun, st.sampled_from(DOUBTFUL))
def test_doubtful_particle_goes_when_the_word_also_stands_alone(
    stem: str, particle: tuple[str, After]
) -> None:
    ending, after = particle
    assume(fits(stem, after) and stem not in STOP_WORDS)
    assume(stem_sure(stem) == stem and stem_sure(stem + ending) == stem + ending)
    both, alone = counted(stem, stem + ending), counted(stem)

    assert sum(both.values()) == 2 * sum(alone.values())
    assert len(both) == len(alone)


@given(st.lists(st.text(max_size=40), max_size=12))
def test_counts_never_pass_the_number_of_titles(titles: list[str]) -> None:
    for keyword in count_keywords(titles, titles):
        assert 1 <= keyword.new <= keyword.titles <= len(titles)
        assert keyword.word not in STOP_WORDS
        assert len(keyword.word) >= 2


@given(st.lists(st.text(alphabet="니트를은이가 shirt", max_size=12), max_size=8))
def test_order_of_titles_changes_nothing(titles: list[str]) -> None:
    assert count_keywords(titles) == count_keywords(list(reversed(titles)))
