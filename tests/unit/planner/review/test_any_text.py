"""A review ends for whatever it is given, and runs nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.planner.recipes.program import look_program, watch_program
from services.planner.recipes.proposal import Wanted, propose
from services.planner.recipes.talk import LookFound
from services.planner.review import review
from tests.unit.planner.review.samples.dynamic import DYNAMIC
from tests.unit.planner.review.samples.hidden import HIDDEN
from tests.unit.planner.review.samples.honest import HONEST
from tests.unit.planner.review.samples.sample import plan

CODES = [sample.files["main.py"].decode() for sample in (*HONEST, *HIDDEN, *DYNAMIC)]


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
@settings(max_examples=150, deadline=None)
def test_any_text_is_reviewed(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")

    result = review({"main.py": data, "settings.json": data}, plan())

    assert (result.for_model == "") is not bool(result.differences or result.refusals)


@given(st.sampled_from(CODES), st.data())
@settings(max_examples=200, deadline=None)
def test_any_change_of_code_is_reviewed(code: str, data: st.DataObject) -> None:
    lines = code.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place, other = data.draw(st.tuples(*[st.integers(0, len(lines) - 1)] * 2))
        kind = data.draw(st.sampled_from(["cut", "twice", "swap", "word"]))
        if kind == "cut":
            lines[place] = lines[place][: len(lines[place]) // 2]
        elif kind == "twice":
            lines.insert(place, lines[other])
        elif kind == "swap":
            lines[place], lines[other] = lines[other], lines[place]
        else:
            lines[place] = lines[place].replace(
                "(", data.draw(st.sampled_from(["", "[", "(*", "(**", "((", ".x("])), 1
            )

    review({"main.py": "\n".join(lines).encode()}, plan())


NAMES = st.sampled_from(["a", "b", "c", "str", "self"])
LEAVES = st.sampled_from("1 -1 'x' b'x' None a b c [] {} (a,) self.x f".split())
FORMS = st.sampled_from(
    """{0} + {1}|{0} % {1}|{0} / {1}|{0} * {1}|{0}[{1}]|{0}({1})|{0}.join({1})|[{0}, *{1}]|{{{0}: {1}}}|f'{{{0}}}'
    |{0}.format({1})|{0}[{1}:{1}]|[{0} for a in {1}]|f({0}, *{1})|dict(a={0}, b={1})|getattr({0}, {1})|map({0}, {1})
    |{0}.append({1})|f(**{{'a': {0}, 'b': {1}}})|(lambda a: {0})({1})""".replace("\n    ", "").split("|")
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.builds(lambda form, left, right: form.format(left, right), FORMS, inner, inner),
    max_leaves=12,
)


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_names_that_hold_one_another_come_to_an_end(assigned: list[tuple[str, str]]) -> None:
    body = "\n".join(
        f"{name} = {value}\nfor {name} in {value}:\n    {name} += {value}" for name, value in assigned
    )

    review({"main.py": f"def f(a, b=1):\n    return a + b\n{body}\n".encode()}, plan())


def test_growth_is_bounded() -> None:
    code = """
import requests
text = "a"
for _ in range(99):
    text = text + text + "b"
    text *= 99999999
number = 9 ** 9 ** 9 ** 9
wide = "%999999999d" % 1 + "{:>999999999}".format(1) + "x".ljust(999999999)
deep = []
deep.append(deep)
requests.get(text + wide + str(number), timeout=1)
"""
    result = review({"main.py": code.encode()}, plan())

    assert [found.certain for found in result.capabilities if found.kind == "host"] in ([], [False])


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = (
        f'import pathlib\npathlib.Path({str(mark)!r}).touch()\nexec("pathlib.Path({str(mark)!r}).touch()")\n'
    )

    result = review({"main.py": code.encode(), "conftest.py": code.encode()}, plan())

    assert result.capabilities
    assert not mark.exists()


@pytest.mark.parametrize("keywords", [True, False])
def test_recipes_program_is_as_its_plan_says(keywords: bool) -> None:
    looks = tuple(
        LookFound(address, True, "json-ld", 24, ("울 니트",), "", address, feed)
        for address, feed in (
            ("https://a.example/new", "https://a.example/feed.xml"),
            ("https://b.example/list", ""),
            ("http://c.example:8080/shop", ""),
        )
    )
    proposal = propose(Wanted("ko", looks, None, ("inbox", "slack"), keywords, "item"))

    result = review(proposal.files, proposal.agent_file)

    assert (result.differences, result.doubts, result.refusals, result.for_model) == ((), (), (), "")
    hosts = {found.what for found in result.capabilities if found.kind == "host" and found.certain}
    assert hosts == {"a.example", "b.example", "c.example"}


def test_address_added_to_the_recipes_settings_is_a_difference() -> None:
    look = LookFound("https://a.example/new", True, "json-ld", 24, ("울 니트",), "", "https://a.example/new")
    proposal = propose(Wanted("ko", (look,), None, ("inbox",), False, "item"))
    settings = proposal.files["settings.json"].replace(b"https://a.example/new", b"https://b.example/new")

    result = review({**proposal.files, "settings.json": settings}, proposal.agent_file)

    assert any("b.example" in sentence for sentence in result.differences)


def test_looking_program_reaches_what_the_input_says() -> None:
    result = review(look_program(), plan())

    assert [found.certain for found in result.capabilities if found.kind == "host"] == [False]
    assert watch_program().keys() & look_program().keys()
