"""Whoever has a token may still be anybody: what the front does with peers that break the rules, or only wait."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from services.executor.egress.front import HEALTH, PATH, Room
from services.executor.egress.multiplex import DATA_BYTES, STREAMS, WINDOW_BYTES, Frame, Kind, encoded
from tests.unit.executor.egress.carrying import FIRST, WAIT_S, Crossing


@pytest.fixture
def crossing() -> Iterator[Crossing]:
    with Crossing(Room(connections=2, all=3)) as made:
        yield made


def dialled(crossing: Crossing, token: str = FIRST, path: str = PATH) -> ClientConnection:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(
        crossing.url.replace("http", "ws") + path, additional_headers=headers, compression=None, proxy=None
    )


def say(peer: ClientConnection, *messages: bytes | str) -> None:
    """And listen until the end."""
    for message in messages:
        peer.send(message)
    while True:
        peer.recv(timeout=WAIT_S)


def send_for_ever(peer: socket.socket, data: bytes) -> None:
    while True:
        peer.sendall(data)


def frame(kind: Kind, stream: int, payload: bytes = b"") -> bytes:
    return encoded(Frame(kind, stream, payload))


OPEN = frame(Kind.OPEN, 1)
DATA = frame(Kind.DATA, 1, bytes(DATA_BYTES))

BROKEN: dict[str, list[bytes | str]] = {
    "text": ["hello"],
    "empty": [b""],
    "half a head": [b"\x01\x00"],
    "unknown kind": [b"\x09" + struct.pack(">I", 1)],
    "stream zero": [frame(Kind.OPEN, 0)],
    "open with a payload": [frame(Kind.OPEN, 1, b"x")],
    "a stream never opened": [frame(Kind.DATA, 7, b"x")],
    "an id used twice": [OPEN, OPEN],
    "an id used again": [OPEN, frame(Kind.RESET, 1), OPEN],
    "an id that goes back": [frame(Kind.OPEN, 5), frame(Kind.OPEN, 4)],
    "no data": [OPEN, frame(Kind.DATA, 1)],
    "data after the end": [OPEN, frame(Kind.END, 1), frame(Kind.DATA, 1, b"x")],
    "two ends": [OPEN, frame(Kind.END, 1), frame(Kind.END, 1)],
    "room that is no number": [OPEN, frame(Kind.WINDOW, 1, b"\xff")],
    "room for more than was used": [OPEN, frame(Kind.WINDOW, 1, struct.pack(">I", 1))],
    "room for four gigabytes": [OPEN, frame(Kind.WINDOW, 1, b"\xff" * 4)],
    "more than the window": [OPEN, *[DATA] * (40 + WINDOW_BYTES // DATA_BYTES)],
}


@pytest.mark.parametrize("case", BROKEN)
def test_who_breaks_the_rules_is_put_out_and_nobody_else(crossing: Crossing, case: str) -> None:
    codes, came = crossing.through(crossing.carrier("t2"))

    with dialled(crossing) as peer:
        with pytest.raises(ConnectionClosed) as ended:
            say(peer, *BROKEN[case])
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1002, "bad_frame")

    came.sendall(b"untouched")
    assert codes.recv(20) == b"untouched"


def test_a_message_that_is_too_long_ends_the_connection(crossing: Crossing) -> None:
    with dialled(crossing) as peer, pytest.raises(ConnectionClosed) as ended:
        say(peer, OPEN, frame(Kind.DATA, 1, bytes(DATA_BYTES + 1)))

    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1009


def test_late_frames_of_a_stream_that_is_over_are_ignored(crossing: Crossing) -> None:
    with dialled(crossing) as peer:
        peer.send(OPEN)
        _, came = crossing.gate.joined.get(timeout=WAIT_S)
        peer.send(frame(Kind.RESET, 1))
        for late in (DATA, frame(Kind.WINDOW, 1, bytes(4)), frame(Kind.END, 1), frame(Kind.RESET, 1)):
            peer.send(late)
        peer.send(frame(Kind.OPEN, 2))
        _, next_one = crossing.gate.joined.get(timeout=WAIT_S)
        next_one.sendall(b"on")

        assert peer.recv(timeout=WAIT_S) == frame(Kind.DATA, 2, b"on")
        assert came.recv(1) == b""
        came.close()
        next_one.close()


def test_one_stream_too_many_is_reset_and_the_others_stand(crossing: Crossing) -> None:
    with dialled(crossing) as peer:
        for number in range(1, STREAMS + 2):
            peer.send(frame(Kind.OPEN, number))

        assert peer.recv(timeout=WAIT_S) == frame(Kind.RESET, STREAMS + 1)
        assert crossing.gate.joined.qsize() == STREAMS


def test_more_connections_than_a_run_may_have_are_refused(crossing: Crossing) -> None:
    with dialled(crossing), dialled(crossing):
        with pytest.raises(InvalidStatus) as refused:
            dialled(crossing)
        assert refused.value.response.status_code == 429
        with dialled(crossing, "t2"):  # another run has its own
            crossing.gate.attempts["t3"] = "att_3"
            with pytest.raises(InvalidStatus):
                dialled(crossing, "t3")  # but there is room for three in all


@pytest.mark.parametrize(("token", "status"), [("wrong", 401), ("", 401), ("t1", 403)])
def test_who_may_not_come_in_is_told_by_the_status(crossing: Crossing, token: str, status: int) -> None:
    crossing.gate.over.add("att_1")

    with pytest.raises(InvalidStatus) as refused:
        dialled(crossing, token)

    assert refused.value.response.status_code == status


def test_other_addresses_lead_nowhere_and_health_is_told_without_a_token(crossing: Crossing) -> None:
    with pytest.raises(InvalidStatus) as refused:
        dialled(crossing, path="/events")
    with pytest.raises(InvalidStatus) as healthy:
        connect(crossing.url.replace("http", "ws") + HEALTH, proxy=None)

    assert (refused.value.response.status_code, healthy.value.response.status_code) == (404, 200)


def test_who_makes_us_answer_and_never_reads_is_dropped(crossing: Crossing) -> None:
    peer = socket.create_connection(crossing.listening.getsockname(), timeout=WAIT_S)
    peer.sendall(
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nAuthorization: Bearer t1\r\n\r\n".encode()
    )
    assert peer.recv(12) == b"HTTP/1.1 101"
    ping = b"\x89\xfd" + bytes(4) + bytes(125)

    with pytest.raises(OSError, match=r"reset|pipe"):
        send_for_ever(peer, ping * 1000)

    peer.close()


def test_stop_tells_everybody_to_go(crossing: Crossing) -> None:
    with dialled(crossing) as peer:
        stopping = threading.Thread(target=crossing.front.stop)
        stopping.start()
        with pytest.raises(ConnectionClosed) as ended:
            peer.recv(timeout=WAIT_S)
        stopping.join()

    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1001
