"""Who asks for which run: only what was made here, just now, unchanged."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import FakeClock
from shared.errors import NotAuthenticated
from shared.vault.keyfile import Key, KeyfileKeyring, load_keyring
from shared.vault.run_tokens import Asking, AttemptTokens, RunTokens

ASKING = Asking(workspace_id="wsp_1", run_id="run_1", attempt_id="run_1-1", lease_id="lease_1")
RING = KeyfileKeyring((Key("a", bytes(32)),))


def test_what_was_made_is_read(tmp_path: Path) -> None:
    tokens = RunTokens(RING, FakeClock())

    assert tokens.read(tokens.mint(ASKING)) == ASKING
    clock = FakeClock()
    first, second = (RunTokens(load_keyring(tmp_path / "vault.key"), clock) for _ in range(2))
    assert first.read(second.mint(ASKING)) == ASKING


def test_after_a_minute_it_is_nothing() -> None:
    clock = FakeClock()
    tokens = RunTokens(RING, clock)
    token = tokens.mint(ASKING)

    clock.advance(seconds=59)
    assert tokens.read(token) == ASKING
    clock.advance(seconds=2)
    with pytest.raises(NotAuthenticated):
        tokens.read(token)


def test_another_installations_is_nothing() -> None:
    other = KeyfileKeyring((Key("b", bytes([1]) * 32),))

    with pytest.raises(NotAuthenticated):
        RunTokens(RING, FakeClock()).read(RunTokens(other, FakeClock()).mint(ASKING))


def test_other_claims_under_the_same_proof_are_nothing() -> None:
    tokens = RunTokens(RING, FakeClock())
    claims, mac = tokens.mint(ASKING).split(".")
    until, asking = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = json.dumps([until, {**asking, "workspace_id": "wsp_2"}], separators=(",", ":")).encode()

    with pytest.raises(NotAuthenticated):
        tokens.read(f"{base64.urlsafe_b64encode(forged).decode().rstrip('=')}.{mac}")


@given(st.text(max_size=200), st.integers(0, 100))
def test_any_text_in_or_instead_of_one_is_nothing(text: str, place: int) -> None:
    tokens = RunTokens(RING, FakeClock())
    good = tokens.mint(ASKING)

    for token in (text, good[:place] + text + good[place + len(text) + 1 :]):
        if token != good:
            with pytest.raises(NotAuthenticated):
                tokens.read(token)


def test_an_attempts_lasts_as_long_as_was_said(tmp_path: Path) -> None:
    clock = FakeClock()
    tokens = AttemptTokens(load_keyring(tmp_path / "vault.key"), clock)
    token = tokens.mint("att_1", clock.now() + timedelta(hours=1))

    clock.advance(minutes=59)
    assert tokens.read(token) == "att_1"
    clock.advance(minutes=2)
    with pytest.raises(NotAuthenticated):
        tokens.read(token)


def test_one_kind_of_token_is_nothing_where_the_other_is_asked_for() -> None:
    clock = FakeClock()
    of_runs, of_attempts = RunTokens(RING, clock), AttemptTokens(RING, clock)

    with pytest.raises(NotAuthenticated):
        of_attempts.read(of_runs.mint(ASKING))
    with pytest.raises(NotAuthenticated):
        of_runs.read(of_attempts.mint("att_1", clock.now() + timedelta(hours=1)))
