"""What lies on the disk of a tape says nothing without its key, and belongs to one place only."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from services.executor.tapes.recording import Bounds
from shared.errors import DecodeError
from shared.records.tapes import TapeHead
from shared.vault.keyfile import KeyfileKeyring, load_keyring
from shared.vault.tapes import CHUNK_BYTES, TapeKey, new_key, open_key, read_body, read_tape
from tests.unit.executor.tapes.taping import Desk, exchange

TEXT = b"a body nobody but its owner may read "


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_was_said_can_be_read_again_and_stands_nowhere_in_the_clear(desk: Desk) -> None:
    recording = desk.recording()
    exchange(recording, asked=b"q=" + TEXT, answered=TEXT * 10)
    record = desk.finish(recording)

    content = read_tape(record, desk.blobs, desk.key)
    (entry,) = content.entries
    assert entry.request_body is not None
    assert entry.answer_body is not None
    assert read_body(record, entry.request_body, desk.blobs, desk.key, 1000) == b"q=" + TEXT
    assert read_body(record, entry.answer_body, desk.blobs, desk.key, 1000) == TEXT * 10
    assert content.head.input == {"secret": "input"}
    everything = on_disk(desk.folder) + record.model_dump_json().encode()
    for word in (b"nobody but its owner", b"secret", b"shop.example.com", b"x-header"):
        assert word not in everything


def test_equal_bodies_of_one_agent_are_stored_once_and_addressed_by_a_key(desk: Desk) -> None:
    recording = desk.recording()
    for _ in range(3):
        exchange(recording, answered=TEXT)
    exchange(recording, answered=TEXT + b"!")
    record = desk.finish(recording)

    addresses = [entry.answer_body for entry in read_tape(record, desk.blobs, desk.key).entries]
    assert len(set(addresses)) == 2
    assert len(list(desk.blobs.list(f"{record.prefix}/b-"))) == 2
    other = desk.key.addressing("agent_2")
    other.update(TEXT)
    assert other.hexdigest() not in addresses, "what one agent got tells nothing about another's"


def test_a_body_larger_than_a_chunk_is_sealed_from_the_start_and_read_whole(desk: Desk) -> None:
    recording = desk.recording()
    data = bytes(range(256)) * (3 * CHUNK_BYTES // 256) + TEXT
    exchange(recording, answered=data)
    record = desk.finish(recording)

    (entry,) = read_tape(record, desk.blobs, desk.key).entries
    assert read_body(record, entry.answer_body or "", desk.blobs, desk.key, len(data)) == data
    assert TEXT not in on_disk(desk.folder)
    assert list(desk.spool_folder.iterdir()) == []


def test_an_index_opens_nowhere_but_in_its_place(desk: Desk) -> None:
    recording = desk.recording()
    exchange(recording)
    record = desk.finish(recording)

    for moved in (
        record.model_copy(update={"run_id": "run_other"}),
        record.model_copy(update={"id": "att_other"}),
    ):
        with pytest.raises(DecodeError):
            read_tape(moved, desk.blobs, desk.key)
    with pytest.raises(DecodeError):
        read_tape(record, desk.blobs, replace(desk.key, workspace_id="wsp_other"))
    with pytest.raises(DecodeError):
        read_tape(record, desk.blobs, desk.another_key())


def test_a_body_put_in_anothers_place_is_noticed(desk: Desk) -> None:
    recording = desk.recording()
    exchange(recording, answered=TEXT)
    exchange(recording, answered=b"another " + TEXT)
    record = desk.finish(recording)

    one, other = (entry.answer_body or "" for entry in read_tape(record, desk.blobs, desk.key).entries)
    desk.blobs.put(f"{record.prefix}/b-{one}", desk.blobs.get(f"{record.prefix}/b-{other}"))
    with pytest.raises(DecodeError):
        read_body(record, one, desk.blobs, desk.key, 1000)


def test_a_chunk_swapped_cut_off_or_left_out_is_noticed(desk: Desk) -> None:
    sealer = desk.key.sealer("index", "run_1", "att_1")
    chunks = [sealer.seal(n, b"chunk %d" % n, last=n == 2) for n in range(3)]
    assert b"".join(sealer.open(io.BytesIO(b"".join(chunks)))) == b"chunk 0chunk 1chunk 2"

    for changed in (
        chunks[1] + chunks[0] + chunks[2],
        chunks[0] + chunks[1],
        chunks[0] + chunks[2],
        b"".join(chunks)[:-1],
        b"".join(chunks)[:-1] + b"\0",
        b"",
    ):
        with pytest.raises(DecodeError):
            b"".join(sealer.open(io.BytesIO(changed)))


def test_the_key_is_wrapped_for_one_workspace_and_one_installation(desk: Desk, tmp_path: Path) -> None:
    key, record = new_key("wsp_1", "tpk_1", desk.keyring, "2026-01-05")

    assert open_key(record, desk.keyring) == key
    assert key.key not in record.sealed.encode()
    with pytest.raises(DecodeError):
        open_key(record.model_copy(update={"workspace_id": "wsp_2"}), desk.keyring)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(DecodeError):
        open_key(record, KeyfileKeyring(load_keyring(elsewhere / "vault.key").keys))
    assert isinstance(key, TapeKey)


def test_a_body_over_its_bound_is_left_out_and_the_tape_says_so(desk: Desk) -> None:
    recording = desk.recording(Bounds(body_bytes=1000))
    exchange(recording, answered=b"x" * 999)
    exchange(recording, answered=b"y" * 2000)
    record = desk.finish(recording)

    kept, lost = read_tape(record, desk.blobs, desk.key).entries
    assert not record.complete
    assert (kept.lost, kept.answer_size) == (False, 999)
    assert (lost.lost, lost.answer_size, lost.answer_body) == (True, 2000, None)
    assert len(list(desk.blobs.list(f"{record.prefix}/b-"))) == 1


def test_a_tape_over_its_bound_keeps_what_came_before(desk: Desk) -> None:
    recording = desk.recording(Bounds(tape_bytes=1500))
    for n in range(3):
        exchange(recording, answered=b"%d" % n * 1000)
    record = desk.finish(recording)

    assert not record.complete
    assert [entry.lost for entry in read_tape(record, desk.blobs, desk.key).entries] == [False, True, True]


def test_more_requests_than_an_index_takes_are_left_out_and_the_tape_says_so(desk: Desk) -> None:
    recording = desk.recording(Bounds(index_bytes=3000))
    for _ in range(20):
        exchange(recording)
    record = desk.finish(recording)

    assert 0 < record.entries < 20
    assert not record.complete


def test_headers_alone_are_kept_when_the_agent_says_so(desk: Desk) -> None:
    recording = desk.recording(setting="headers")
    exchange(recording, asked=TEXT, answered=TEXT)
    record = desk.finish(recording)

    (entry,) = read_tape(record, desk.blobs, desk.key).entries
    assert (record.setting, record.complete) == ("headers", True)
    assert (entry.request_body, entry.answer_body) == (None, None)
    assert (entry.request_size, entry.answer_size) == (len(TEXT), len(TEXT))
    assert ("x-header", "kept") in entry.request_headers
    assert list(desk.blobs.list(f"{record.prefix}/b-")) == []


def test_bodies_nobody_has_room_for_are_left_out_without_waiting(desk: Desk) -> None:
    recording = desk.recording(waiting_bytes=10)
    exchange(recording, answered=TEXT)
    record = desk.finish(recording)

    (entry,) = read_tape(record, desk.blobs, desk.key).entries
    assert entry.lost
    assert not record.complete


def test_many_entries_lie_in_a_file_of_their_own_and_few_in_the_document(desk: Desk) -> None:
    few, many = desk.recording(), desk.recording()
    for _ in range(40):
        exchange(many)
    small, large = desk.finish(few), desk.finish(many)

    assert (small.index_key, small.entries) == (None, 0)
    assert large.index_key is not None
    assert len(read_tape(large, desk.blobs, desk.key).entries) == 40
    assert isinstance(read_tape(small, desk.blobs, desk.key).head, TapeHead)
