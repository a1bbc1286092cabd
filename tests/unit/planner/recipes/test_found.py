"""What the look program handed back is read with suspicion."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planner.recipes.found import MAX_BYTES, found_sentence, parse_look
from services.planner.recipes.talk import LookFound
from shared.errors import DecodeError

PAGE = "https://a.example/new"
GOOD = {
    "address": PAGE,
    "ok": True,
    "kind": "json-ld",
    "count": 24,
    "samples": ["울 니트"],
    "problem": "",
    "final_address": PAGE,
    "feed": "",
}


def look(**changes: object) -> LookFound:
    return parse_look(json.dumps({"addresses": [{**GOOD, **changes}]}).encode())[PAGE]


def test_good_entry_is_read_as_it_is() -> None:
    assert look() == LookFound(PAGE, True, "json-ld", 24, ("울 니트",), "", PAGE, "")


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({"ok": "yes"}, False),
        ({"count": 0}, False),
        ({"count": True}, False),
        ({"count": "24"}, False),
        ({"kind": "magic"}, False),
        ({"kind": "none"}, False),
        ({"kind": ["json-ld"]}, False),
        ({"samples": "울 니트"}, True),
        ({"feed": "javascript:alert(1)"}, True),
    ],
)
def test_entry_that_contradicts_itself_found_nothing(changes: dict[str, object], ok: bool) -> None:
    found = look(**changes)

    assert found.ok is ok
    assert (found.count > 0) is ok
    assert found.feed == ""


def test_numbers_and_texts_are_capped() -> None:
    found = look(count=10**9, samples=["긴\u202e제목\n" + "x" * 500] * 20)

    assert found.count == 500
    assert len(found.samples) == 3
    assert all(
        len(sample) <= 120 and "\n" not in sample and "\u202e" not in sample for sample in found.samples
    )


def test_more_than_five_entries_are_cut() -> None:
    entries = [{**GOOD, "address": f"https://s{number}.example/"} for number in range(9)]

    assert len(parse_look(json.dumps({"addresses": entries}).encode())) == 5


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"addresses": 3}', b"\xff\xfe", b"[" * 30_000, b"x" * (MAX_BYTES + 1)]
)
def test_what_is_no_look_file_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_look(data)


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(GOOD)), inner, max_size=6)
    ),
    max_leaves=12,
)


@given(st.lists(json_value, max_size=4))
def test_any_entries_give_addresses_that_are_addresses(entries: list[object]) -> None:
    for address, found in parse_look(json.dumps({"addresses": entries}).encode()).items():
        assert address.startswith(("http://", "https://"))
        assert found.ok == (found.count > 0)


@pytest.mark.parametrize(
    ("found", "language", "sentence"),
    [
        (
            LookFound(PAGE, True, "table", 3, ("가",)),
            "ko",
            "a.example/new: 상품 3개를 찾았어요 (표). 맞나요? 예: 가",
        ),
        (LookFound(PAGE, True, "feed", 1), "en", "a.example/new: found 1 product (feed). Is that right?"),
        (
            LookFound(PAGE, False, problem="http_503"),
            "ko",
            "a.example/new: 서버가 오류(503)로 답했어요. 주소를 확인하거나 잠시 뒤에 다시 해 주세요.",
        ),
    ],
)
def test_sentence_says_what_was_found_or_what_would_work(
    found: LookFound, language: str, sentence: str
) -> None:
    assert found_sentence(found, "a.example/new", language, "item") == sentence
