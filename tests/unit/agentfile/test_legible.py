"""Broken letters and other languages, told apart from odd but honest text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agentfile.legible import broken, speaks

HANGUL = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=2, max_size=30)


@given(HANGUL)
def test_korean_is_whole_until_it_is_decoded_wrongly(text: str) -> None:
    assert not broken(text)
    assert speaks(text, "ko")
    assert not speaks(text, "en")
    assert broken(text.encode().decode("latin-1"))
    assert broken(text.encode().decode("cp1252", "replace"))
    assert broken("은행 " + text.encode().decode("ascii", "replace"))


@pytest.mark.parametrize(
    "text",
    [
        "Café «À la carte»",
        "Müller & Söhne",
        "Ångström",
        "naïve façade",
        "Ñandú €5",
        "鉛筆",
        "🧋",
        "São Paulo — 2026",
        "½ ©",
    ],
)
def test_honest_letters_of_others_are_not_broken(text: str) -> None:
    assert not broken(text)


@pytest.mark.parametrize(
    ("text", "korean", "english"),
    [
        ("삼성전자 Galaxy S26 Ultra 출시", True, False),
        ("Samsung Galaxy S26 launched in 서울", False, True),
        ("기사 3건 https://news.example.com/very/long/address/of/an/article", True, False),
        ("12,900 · 34", False, False),
        ("", False, False),
    ],
)
def test_a_text_speaks_the_language_of_its_letters(text: str, korean: bool, english: bool) -> None:
    assert (speaks(text, "ko"), speaks(text, "en")) == (korean, english)
