"""Every way a model call can go wrong has one sentence in each language, and says what to do."""

from __future__ import annotations

import re

import pytest

from services.planner.trouble import SENTENCES, model_trouble

BUILDER = {
    *("disconnected", "lease_full", "lease_late", "refusal", "max_tokens", "empty"),
    *("looping", "asks_forever", "tests_fail", "too_many_turns"),
}
PORT = {
    *("cut", "silent", "overdue", "unfinished", "garbled", "failed"),
    *("rate_limited", "overloaded", "unreachable"),
    *("key_refused", "no_credit", "model_unknown", "server_refused"),
    *("context_window", "request_refused"),
}


def test_every_code_of_the_port_the_meter_and_the_builder_has_its_sentence() -> None:
    assert set(SENTENCES) == PORT | BUILDER


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_sentences_are_in_their_language_and_ask_for_something(code: str) -> None:
    korean, english = model_trouble(code, "ko"), model_trouble(code, "en")

    assert re.search(r"(주세요|해요|있어요)\.$", korean)
    assert re.search(r"[가-힣]", korean)
    assert not re.search(r"[가-힣]", english)
    assert english.endswith(".")


def test_no_two_troubles_sound_the_same() -> None:
    for place in (0, 1):
        assert len({pair[place] for pair in SENTENCES.values()}) == len(SENTENCES)


def test_an_unknown_code_is_a_failure_on_the_other_side() -> None:
    assert model_trouble("never_heard_of", "en") == model_trouble("failed", "en")


def test_the_server_is_quoted_only_where_its_words_help_and_never_at_length() -> None:
    said = "messages.0:  roles\nmust alternate " + "x" * 400

    assert "(messages.0: roles must alternate" in model_trouble("request_refused", "ko", said)
    assert len(model_trouble("request_refused", "en", said)) < 300
    assert model_trouble("key_refused", "ko", said) == model_trouble("key_refused", "ko")
