"""What a varied replay is given: other values in the form and spelling of the recording, nothing, or an error."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.egress.replaying import Recorded
from services.executor.tapes.numbers import numbers_in
from services.executor.tapes.renaming import Renaming, renaming
from services.executor.tapes.variation import Varied
from shared.records.executor import Variation

TITLE = "리넨 셔츠 & 받침"
CHECKER = Path(__file__).parents[4] / "services/executor/checker"
# As the sandbox starts it: the program's folder first on the path, nothing of the environment.
_RUN = (
    "import sys, json; sys.path.insert(0, sys.argv[1]); import cells; "
    "print(json.dumps(cells.cells(sys.argv[2], sys.stdin.buffer.read())))"
)


def cells(name: str, data: bytes) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", "-c", _RUN, str(CHECKER), name]
    answer: dict[str, Any] = json.loads(
        subprocess.run(command, input=data, capture_output=True, check=True).stdout
    )
    return answer


def other() -> Renaming:
    made = renaming([TITLE, "12900"], [f"{TITLE.replace('&', '&amp;')} 12,900원"], "import agent")
    assert set(made.phrases) == {TITLE}
    assert made.numbers == {"12900": made.numbers["12900"]}
    return made


def recorded(body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> Recorded:
    named = {"Content-Type": kind, "Content-Length": str(len(body)), "ETag": "x", **headers}
    return Recorded(1, 200, "OK", list(named.items()), body)


def given_instead(answer: Recorded) -> tuple[str, dict[str, str]]:
    headers = {name.lower(): value for name, value in answer.headers}
    assert headers["content-length"] == str(len(answer.body))
    assert len(headers) == len(answer.headers), "each header once"
    return answer.body.decode(headers["content-type"].partition("charset=")[2] or "utf-8"), headers


@pytest.mark.parametrize(
    "spelled",
    [
        str,
        lambda text: text.replace("&", "&amp;"),
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: text.replace(" ", "\n   "),
        lambda text: text.replace(" ", "&nbsp;"),
    ],
    ids=["plain", "entities", "JSON", "JSON letters", "broken lines", "hard spaces"],
)
def test_a_value_is_another_one_however_it_is_spelled(spelled: object) -> None:
    assert callable(spelled)
    made = other()
    page = f"<b>{spelled(TITLE)}</b><i>12,900원</i><u>KRW 12900</u>"

    text, _ = given_instead(Varied("altered", made).answer(recorded(page.encode())))

    digits = made.numbers["12900"]
    assert "리넨" not in text
    assert json.dumps("리넨")[1:-1] not in text
    assert f"<i>{digits[:2]},{digits[2:]}원</i><u>KRW {digits}</u>" in text


def test_it_keeps_the_encoding_and_undoes_compression() -> None:
    korean, _ = given_instead(
        Varied("altered", other()).answer(
            recorded(f"{TITLE} 12,900원".encode("cp949"), "text/html; charset=cp949")
        )
    )
    packed = recorded(gzip.compress(f"{TITLE} 12,900원".encode()), **{"Content-Encoding": "gzip"})
    text, headers = given_instead(Varied("altered", other()).answer(packed))

    assert TITLE not in korean
    assert TITLE not in text
    assert "content-encoding" not in headers


def test_what_is_no_text_is_given_as_it_is() -> None:
    picture = recorded(b"\x89PNG 12900", "image/png")

    assert Varied("altered", other()).answer(picture) == picture


@pytest.mark.parametrize(
    ("kind", "nothing"),
    [
        ("application/json", "{}"),
        ("text/csv", ""),
        ("text/html", "<title></title>"),
        ("application/rss+xml", "<empty/>"),
    ],
)
def test_an_emptied_page_is_still_of_its_kind(kind: str, nothing: str) -> None:
    answer = Varied("emptied").answer(recorded(b"12900", kind))

    text, headers = given_instead(answer)
    assert nothing in text
    assert "12900" not in text
    assert (answer.status, headers["content-type"]) == (200, kind)


def test_an_error_is_one_for_every_page() -> None:
    answer = Varied("error").answer(recorded(b"12900", "application/json"))

    text, headers = given_instead(answer)
    assert (answer.status, headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "12900" not in text


def test_memory_is_of_the_same_other_world_unless_only_pages_change() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (
            ("state.json", json.dumps({TITLE: 12900}).encode()),
            ("seen.db", b"\xff\x00 12900"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    before = out.getvalue()

    after = Varied("altered", other()).memory(before)

    assert after is not None
    with tarfile.open(fileobj=io.BytesIO(after)) as tar:
        read = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
    ((title, price),) = json.loads(read["state.json"]).items()
    assert title != TITLE
    assert str(price) == other().numbers["12900"]
    assert read["seen.db"] == b"\xff\x00 12900"
    unchanged: tuple[Variation, ...] = ("altered_pages", "emptied", "error")
    for kind in unchanged:
        assert Varied(kind, other()).memory(before) == before


@given(st.lists(st.integers(100, 99_999_999), min_size=1, max_size=20, unique=True))
def test_other_numbers_are_as_long_as_large_and_all_different(prices: list[int]) -> None:
    page = " ".join(f"<b>{price:,}원</b>" for price in prices)

    made = renaming([str(price) for price in prices], [page], "")

    there = [number.digits for number in numbers_in(made.apply(page))]
    assert len(set(there)) == len(prices)
    for before, after in zip(prices, there, strict=True):
        if str(before) in made.numbers:
            assert (len(after), after[0]) == (len(str(before)), str(before)[0])
            assert after != str(before)


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_any_text_is_survived_and_nothing_renamed_changes_nothing(page: str, reported: list[str]) -> None:
    made = renaming(reported, [page], "")

    assert Renaming().apply(page) == page
    assert isinstance(made.apply(page), str)
    assert re.sub(r"\D", "", page) == page or not made.numbers or made.apply(page) != page


def test_what_stays_stays() -> None:
    """Words of the live code, names a page is built of, days and times, and what an address asks for."""
    page = '<ul class="goods"><li>상품 20000</li><li>2026-11-26 09:30</li><li>goods</li><li>울 머플러 12900</li></ul>'
    reported = [
        "상품",
        "20000",
        "2026-11-26 09:30",
        "goods",
        "울 머플러",
        "12900",
        "https://shop.example/p/12900",
    ]

    made = renaming(reported, [page], "LIMIT = 20000; say('상품')\nhttps://shop.example/p/3")

    assert set(made.phrases) == {"울 머플러"}
    assert set(made.numbers) == {"12900"}


def test_cells_are_read_of_tables_and_lines_of_text() -> None:
    assert cells("a.csv", "title,price\n셔츠,9900\n\n".encode()) == {
        "read": True,
        "header": ["title", "price"],
        "rows": [["셔츠", "9900"]],
    }
    assert cells("a.json", b'{"items": [{"a": 1, "b": null}]}')["rows"] == [["1", ""]]
    assert cells("a.jsonl", b'{"a": 1}\n{"a": 2}\n')["rows"] == [["1"], ["2"]]
    assert cells("a.txt", "하나\n둘".encode())["rows"] == [["하나"], ["둘"]]
    assert cells("a.png", b"\x89PNG\r\n\x1a\n") == {"read": False, "header": [], "rows": []}
    assert cells("a.xlsx", b"PK\x03\x04 no") == {"read": False, "header": [], "rows": []}
    assert cells("deep.json", b"[" * 100_000)["read"] is False
