"""No usual spelling of a secret survives the mask, however the answer is cut into pieces."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.egress.decoding import decoder
from services.executor.egress.masking import Mask, MaskStream
from services.executor.egress.model import SecretBinding
from services.executor.egress.placeholders import reveal_in, used_in
from shared.errors import BadRequest, DecodeError

MARK = "AB_SECRET_KEY_0123456789"
SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=8, max_size=40).filter(
    lambda text: text not in MARK and MARK not in text
)


@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_every_usual_spelling_is_masked(secret: str, before: bytes, after: bytes) -> None:
    mask = Mask({MARK: secret})
    spellings = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        secret.encode().hex(),
    ]

    for spelling in spellings:
        assert MARK.encode() in mask.apply(before + spelling.encode() + after)


@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7))
def test_the_secret_inside_base64_of_something_longer_is_masked(
    secret: str, before: bytes, after: bytes
) -> None:
    mask = Mask({MARK: secret})
    whole = before + secret.encode() + after

    assert MARK.encode() in mask.apply(base64.b64encode(whole))
    assert MARK.encode() in mask.apply(base64.urlsafe_b64encode(whole))


@given(
    SECRETS,
    st.lists(st.sampled_from(["secret", "head", "tail", "x", "\n"]), max_size=8),
    st.lists(st.integers(1, 9), min_size=1, max_size=60),
)
def test_pieces_are_masked_like_the_whole(secret: str, parts: list[str], cuts: list[int]) -> None:
    # Halves of the secret standing alone must come through, whole ones must not.
    words = {"secret": secret, "head": secret[:4], "tail": secret[4:]}
    whole = "".join(words.get(part, part) for part in parts).encode()
    mask = Mask({MARK: secret})
    stream = MaskStream(lambda: mask)

    out, rest = b"", whole
    for cut in cuts:
        out += stream.feed(rest[:cut])
        rest = rest[cut:]
    out += stream.feed(rest) + stream.end()

    assert secret.encode() not in out.replace(MARK.encode(), b"")
    assert out == mask.apply(whole)


def test_only_what_may_begin_a_secret_is_held_back() -> None:
    mask = Mask({MARK: "topsecretvalue"})
    stream = MaskStream(lambda: mask)

    assert stream.feed(b"data: 1\n\n") == b"data: 1\n\n"
    assert stream.feed(b"data: top") == b"data: "
    assert stream.feed(b"ping") == b"topping"


def test_a_value_that_comes_into_use_midway_is_masked_from_then_on() -> None:
    masks = [Mask({})]
    stream = MaskStream(lambda: masks[-1])

    assert stream.feed(b"early ") == b"early "
    masks.append(Mask({MARK: "topsecretvalue"}))
    assert stream.feed(b"topsecretvalue") == MARK.encode()


def test_values_too_short_to_be_secret_leave_answers_alone() -> None:
    assert Mask({MARK: "ab"}).apply(b"abracadabra") == b"abracadabra"


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("gzip", gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0)),
        ("deflate", zlib.compress(b"one two")),
        ("identity", b"one two"),
        ("", b"one two"),
    ],
)
def test_answers_are_unpacked_piece_by_piece(name: str, packed: bytes) -> None:
    decode = decoder(name)

    assert b"".join(decode.feed(packed[at : at + 3]) for at in range(0, len(packed), 3)) == b"one two"


def test_what_cannot_be_searched_is_refused() -> None:
    for name in ("br", "zstd", "gzip, gzip"):
        with pytest.raises(DecodeError):
            decoder(name)
    with pytest.raises(DecodeError):
        decoder("gzip").feed(b"not compressed at all")


def test_a_placeholder_is_found_openly_and_in_basic() -> None:
    bound = SecretBinding("KEY", "api.example.com", MARK)
    basic = b"Basic " + base64.b64encode(f"user:{MARK}".encode())

    for value in (MARK.encode(), b"Bearer " + MARK.encode(), basic, basic.replace(b"Basic", b"bAsIc")):
        assert used_in([(b"a", value)], [bound], "api.example.com") == (bound,)
        assert used_in([(b"a", value)], [bound], "other.example.com") == ()
    assert used_in([(b"a", b"Basic !!!")], [bound], "api.example.com") == ()


@given(st.text(max_size=30))
def test_a_revealed_header_is_still_one_header(value: str) -> None:
    try:
        [(name, sent)] = reveal_in([(b"x", b"k=" + MARK.encode())], {MARK: value})
    except BadRequest:
        return

    assert (name, sent) == (b"x", b"k=" + value.encode())
    assert not {0, 10, 13} & set(sent)
