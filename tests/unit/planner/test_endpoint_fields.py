"""Whatever an agent writes, only listed fields are sent on, with the values they had; all else is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.planner.endpoint.fields import read_asked, read_counted
from services.planner.endpoint.metered import at_most
from shared.errors import BadRequest

# What may stand where, written down a second time: by the path, with `*` for a place in a list.
TOP = frozenset(
    "model messages system tools tool_choice thinking max_tokens stop_sequences stream temperature top_k top_p".split()
)
BLOCKS = {
    "text": {"type", "text"},
    "image": {"type", "source"},
    "document": {"type", "source"},
    "tool_use": {"type", "id", "name", "input"},
    "tool_result": {"type", "tool_use_id", "content", "is_error"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}
TOOL = {"type", "name", "description", "input_schema"}
SOURCE = {"type", "media_type", "data"}

FULL: dict[str, Any] = {
    "model": "default",
    "max_tokens": 10,
    "system": [{"type": "text", "text": "짧게"}],
    "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "disabled"},
    "metadata": {"user_id": "x"},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "안녕"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "글"}},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "봤어요"}]}
            ],
        },
    ],
}
NAMES = st.sampled_from(
    "type source url file_id data cache_control container mcp_servers betas citations title context name input "
    "metadata service_tier content tools text media_type allowed_callers defer_loading input_schema id role".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
    | st.sampled_from(["url", "file", "base64", "web_search_20250305", "server_tool_use", "https://a.e", "custom"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """A request with everything in it, bent in one to four places: a field more, or a value of another kind."""
    body: dict[str, Any] = json.loads(json.dumps(FULL))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_objects(body))
        place = draw(st.sampled_from(places))
        if isinstance(place, list):
            place.insert(draw(st.integers(0, len(place))), draw(VALUES))
        else:
            place[draw(NAMES | st.sampled_from(sorted(TOP)))] = draw(VALUES)
    return body


def _objects(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for below in value.values() if isinstance(value, dict) else value:
            yield from _objects(below)


def unlisted(sent: dict[str, Any]) -> list[str]:
    found = [name for name in sent if name not in TOP]
    system = sent.get("system")
    blocks = list(system) if isinstance(system, list) else []
    for message in sent["messages"]:
        found += set(message) - {"role", "content"}
        blocks += message["content"] if isinstance(message["content"], list) else []
    while blocks:
        block = blocks.pop()
        found += set(block) - BLOCKS[block["type"]]
        if "source" in block:
            found += set(block["source"]) - SOURCE
            assert block["source"]["type"] in ("base64", "text")
        if block["type"] == "tool_result" and isinstance(block.get("content"), list):
            blocks += block["content"]
    for tool in sent.get("tools") or ():
        found += set(tool) - TOOL
        assert tool.get("type") in (None, "custom")
    found += set(sent.get("tool_choice") or ()) - {"type", "name", "disable_parallel_tool_use"}
    found += set(sent.get("thinking") or ()) - {"type", "budget_tokens"}
    return found


def test_a_request_with_everything_is_sent_as_it_was_without_metadata() -> None:
    assert read_asked(json.dumps(FULL).encode()).sent() == {k: v for k, v in FULL.items() if k != "metadata"}


@settings(max_examples=400, deadline=None)
@given(bent())
def test_nothing_but_listed_fields_is_ever_sent_on(body: dict[str, Any]) -> None:
    for read in (read_asked, read_counted):
        given_body = {k: v for k, v in body.items() if read is read_asked or k != "max_tokens"}
        try:
            sent = read(json.dumps(given_body).encode()).sent()
        except BadRequest as error:
            refused = error
            sent = None
        if sent is None:
            assert refused.code == "not_listed"
            assert refused.fields
            continue
        assert unlisted(sent) == []
        assert sent == {k: v for k, v in given_body.items() if k != "metadata"}


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | VALUES.map(lambda v: json.dumps(v).encode())
)
def test_bytes_of_any_kind_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):  # none of them is a whole request
        read_asked(body)


@pytest.mark.parametrize("depth", [50, 100, 101, 255, 300, 5000])
def test_nesting_is_bounded_before_anything_else_gives_in(depth: int) -> None:
    text = '{"a":' * (depth - 4) + "{}" + "}" * (depth - 4)
    tools = f'[{{"name":"a","input_schema":{text}}}]'
    body = f'{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"a"}}],"tools":{tools}}}'.encode()
    if depth <= 100:
        assert read_asked(body).sent()["tools"]
    else:
        with pytest.raises(BadRequest):
            read_asked(body)


@given(st.text(max_size=300))
def test_the_bound_for_servers_that_cannot_count_is_never_below_a_byte_a_token(text: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    assert at_most(body) >= len(text.encode("utf-8", "surrogatepass"))
