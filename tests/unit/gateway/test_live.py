"""Every screen gets each character of an answer once and in place, whenever it came and however often it looked."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.access import OWNER_WORKSPACE
from services.gateway.model.live import LiveFrame, LiveView
from shared.records.planner import ConversationLive, LiveBlock
from tests.unit.gateway.conftest import World
from tests.unit.gateway.test_conversations import entry


def written(*texts: str, turn: int = 1, done: bool = False) -> ConversationLive:
    """Blocks of these texts; the second is a tool's input."""
    blocks = tuple(
        LiveBlock(kind="tool", name="write_file", text=text)
        if index == 1
        else LiveBlock(kind="text", text=text)
        for index, text in enumerate(texts)
    )
    return ConversationLive(
        id="conv_1",
        workspace_id=OWNER_WORKSPACE,
        turn=turn,
        blocks=blocks,
        done=done,
        updated_at="2026-11-22T09:00:00.000000Z",
    )


def shown(frames: Iterable[LiveFrame]) -> list[str]:
    """What a screen makes of them, block by block."""
    texts: list[str] = []
    for piece in frames:
        if piece.block == len(texts):
            texts.append("")
        assert piece.at in (0, len(texts[piece.block]))
        texts[piece.block] = texts[piece.block][: piece.at] + piece.text
    return texts


TEXTS = st.lists(st.text(max_size=12), min_size=1, max_size=4)


@given(texts=TEXTS, looks=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), max_size=8))
def test_pieces_add_up_to_what_was_written_however_often_one_looks(
    texts: list[str], looks: list[tuple[int, int]]
) -> None:
    view = LiveView()
    sent: list[LiveFrame] = []
    for blocks, length in sorted(looks):
        part = [*texts[:blocks], *(text[:length] for text in texts[blocks : blocks + 1])]
        sent += view.frames(written(*part))
    sent += view.frames(written(*texts))

    assert shown(sent) == texts
    assert sum(len(piece.text) for piece in sent) == sum(map(len, texts))


@given(texts=TEXTS)
def test_who_comes_late_gets_all_of_it_from_the_beginning(texts: list[str]) -> None:
    frames = list(LiveView().frames(written(*texts)))

    assert [piece.at for piece in frames] == [0] * len(texts)
    assert shown(frames) == texts


def test_a_turn_ends_once_and_the_next_begins_from_nothing() -> None:
    view = LiveView()
    list(view.frames(written("하나")))

    ends = [*view.frames(written(done=True)), *view.frames(written(done=True))]
    (begun,) = view.frames(written("둘", turn=2))

    assert ends == [LiveFrame(turn=1, done=True)]
    assert (begun.turn, begun.at, begun.text) == (2, 0, "둘")


def test_an_answer_asked_for_again_replaces_the_one_that_broke_off() -> None:
    view = LiveView()
    list(view.frames(written("처음 답이 끊겨", '{"path"')))

    (again,) = view.frames(written("다시"))

    assert (again.at, again.text) == (0, "다시")


def test_a_tools_name_comes_before_any_of_its_input() -> None:
    view = LiveView()
    list(view.frames(written("쓸게요")))

    (tool,) = view.frames(written("쓸게요", ""))

    assert (tool.kind, tool.name, tool.text) == ("tool", "write_file", "")


def frames_of(world: World, count: int) -> list[tuple[str, dict[str, object]]]:
    """The first `count` events of the conversation's stream."""
    answer = world.call("GET", "/api/v1/conversations/conv_1/events", buffered=False)
    found: list[tuple[str, dict[str, object]]] = []
    for chunk in answer.response:
        for block in chunk.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "event" in lines:
                found.append((lines["event"], json.loads(lines["data"])))
        if len(found) >= count:
            break
    answer.close()
    return found


def test_the_stream_tells_entries_before_the_end_of_the_writing(world: World) -> None:
    world.conversation()
    world.put("planner", "conversation_entries", entry(1))
    world.put("planner", "conversation_live", written(done=True))

    events = frames_of(world, 3)

    assert [name for name, _ in events] == ["entry", "live", "conversation"]
    assert events[1][1]["done"] is True


def test_the_stream_shows_an_answer_while_it_is_written(world: World) -> None:
    world.conversation()
    world.put("planner", "conversation_live", written("상품을 ", '{"path":'))

    live = [data for name, data in frames_of(world, 3) if name == "live"]

    assert [(data["kind"], data["text"]) for data in live] == [("text", "상품을 "), ("tool", '{"path":')]
