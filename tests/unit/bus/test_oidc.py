"""Only Pub/Sub's own token for this service lets an event in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.oidc import Certificates, Pusher, verify
from shared.clock import FakeClock
from shared.errors import NotAllowed, NotAuthenticated, ProjectError, Unavailable
from tests.fakes.issuer import FakeIssuer

PUSHER = Pusher("push-ledger@p.iam.gserviceaccount.com", "https://ledger.example.com")
CLOCK = FakeClock()
GOOGLE, STRANGER = (FakeIssuer(PUSHER, CLOCK.now(), "k1") for _ in range(2))
token = GOOGLE.header


def check(header: str) -> None:
    verify(header, PUSHER, Certificates(GOOGLE, CLOCK), CLOCK.now())


def test_the_token_of_the_one_account_for_this_place_is_let_in() -> None:
    check(token())


NOW = int(CLOCK.now().timestamp())


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("", NotAuthenticated),
        ("Bearer", NotAuthenticated),
        ("Bearer a.b", NotAuthenticated),
        ("Bearer a.b.c", NotAuthenticated),
        (token().replace("Bearer", "Basic"), NotAuthenticated),
        (STRANGER.header(), NotAuthenticated),
        (token(kid="k2"), NotAuthenticated),
        (token(alg="none"), NotAuthenticated),
        (token(alg="HS256"), NotAuthenticated),
        (token(iss="https://accounts.example.com"), NotAuthenticated),
        (token(exp=NOW - 31), NotAuthenticated),
        (token(iat=NOW + 31), NotAuthenticated),
        (token(exp=None), NotAuthenticated),
        (token(exp=True), NotAuthenticated),
        (token(exp=1e300), NotAuthenticated),
        (token(aud="https://gateway.example.com"), NotAllowed),
        (token(aud=[PUSHER.audience]), NotAllowed),
        (token(email="push-gateway@p.iam.gserviceaccount.com"), NotAllowed),
        (token(email_verified=False), NotAllowed),
        (token(email_verified="true"), NotAllowed),
    ],
)
def test_every_other_token_is_refused(header: str, error: type[ProjectError]) -> None:
    with pytest.raises(error):
        check(header)


def cut_off(header: str) -> str:
    return f"{header.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"


def test_a_token_whose_signature_google_cut_off_counts_where_google_has_checked_it() -> None:
    checked = replace(PUSHER, checked=True)
    certificates = Certificates(GOOGLE, CLOCK)
    for header in (token(), cut_off(token())):
        verify(header, checked, certificates, CLOCK.now())
    refused = [
        (cut_off(token(email="somebody@example.com")), NotAllowed),
        (cut_off(token(aud="https://gateway.example.com")), NotAllowed),
        (cut_off(token(exp=NOW - 31)), NotAuthenticated),
        (cut_off(token(alg="none")), NotAuthenticated),
        (STRANGER.header(), NotAuthenticated),
        (token().rpartition(".")[0] + ".", NotAuthenticated),
    ]
    for header, error in refused:
        with pytest.raises(error):
            verify(header, checked, certificates, CLOCK.now())


def test_where_the_public_may_call_no_token_counts_without_its_signature() -> None:
    with pytest.raises(NotAuthenticated):
        check(cut_off(token()))


def test_claims_changed_after_signing_are_refused() -> None:
    head, claims, signature = token(email="somebody@example.com").split(".")
    with pytest.raises(NotAuthenticated):
        check(f"{head}.{token().split('.')[1]}.{signature}")
    with pytest.raises(NotAuthenticated):
        check(f"{head}.{claims}.{token().split('.')[2]}")


@given(st.text(max_size=80) | st.text(max_size=80).map(lambda t: f"Bearer {t}.{t}.{t}"))
def test_no_other_text_is_let_in_and_none_breaks_the_check(header: str) -> None:
    with pytest.raises(NotAuthenticated):
        check(header)


def test_keys_are_asked_for_once_an_hour_and_for_a_new_one_once_a_minute() -> None:
    clock, issuer = FakeClock(), FakeIssuer(PUSHER, CLOCK.now(), "k1")
    certificates = Certificates(issuer, clock)
    for _ in range(3):
        assert certificates.key("k1") is not None
        assert certificates.key("forged") is None
    assert issuer.asked == 1

    clock.advance(seconds=61)
    issuer.ids.append("k2")
    assert certificates.key("k2") is not None
    assert certificates.key("forged") is None
    assert issuer.asked == 2

    clock.advance(minutes=61)
    assert certificates.key("k1") is not None
    assert issuer.asked == 3


def test_an_issuer_that_does_not_answer_is_no_verdict() -> None:
    def silent() -> Mapping[str, str]:
        raise Unavailable("no answer")

    with pytest.raises(Unavailable):
        verify(token(), PUSHER, Certificates(silent, CLOCK), CLOCK.now())
