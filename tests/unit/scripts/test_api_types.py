"""The page's types are those of today's API, as they were written."""

from __future__ import annotations

from scripts.api_types import TYPES, is_current


def test_the_pages_types_are_what_the_api_says_today() -> None:
    assert is_current(TYPES.read_text(encoding="utf-8")), "run `pnpm run api-types` in web/"


def test_an_edit_by_hand_is_noticed() -> None:
    text = TYPES.read_text(encoding="utf-8")

    assert not is_current(text.replace("string | null", "string", 1))
