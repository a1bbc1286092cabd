"""Connections of a run on another machine: what goes in at the carrier comes out at the gate, and the other way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from services.executor.egress.carrier import Carrier, Patience
from services.executor.egress.front import Front
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun, Exchange
from services.executor.egress.multiplex import WINDOW_BYTES
from tests.unit.executor.egress.carrying import WAIT_S, Crossing, all_of, tcp_pair
from tests.unit.executor.egress.conftest import UNHURRIED, World


@pytest.fixture
def crossing() -> Iterator[Crossing]:
    with Crossing() as made:
        yield made


def test_bytes_pass_both_ways_and_each_way_ends_by_itself(crossing: Crossing) -> None:
    codes, came = crossing.through(crossing.carrier())
    question, answer = b"q" * 300_000, b"a" * 500_000

    asking = threading.Thread(target=say_all, args=(codes, question))
    asking.start()
    assert all_of(came) == question
    answering = threading.Thread(target=say_all, args=(came, answer))
    answering.start()
    assert all_of(codes) == answer

    asking.join()
    answering.join()
    assert crossing.said == []


def test_many_connections_share_one_websocket(crossing: Crossing) -> None:
    carrier = crossing.carrier()

    pairs = [crossing.through(carrier) for _ in range(40)]
    for number, (codes, _) in enumerate(pairs):
        codes.sendall(str(number).encode())

    assert [came.recv(10) for _, came in pairs] == [str(number).encode() for number in range(40)]
    assert crossing.gate.admitted == ["att_1"]


def test_a_download_nobody_reads_holds_little_and_stops_nobody(crossing: Crossing) -> None:
    carrier = crossing.carrier()
    _, stalled = crossing.through(carrier)
    taken = sent_until_it_stalls(stalled)
    codes, came = crossing.through(carrier)
    came.sendall(b"still here")

    assert codes.recv(20) == b"still here"
    system = 4 << 20  # what the buffers of three sockets of the system may hold
    assert WINDOW_BYTES < taken < system + 4 * WINDOW_BYTES


def test_a_cut_resets_what_it_carried_and_the_next_connection_dials_anew(crossing: Crossing) -> None:
    carrier = crossing.carrier()
    codes, _ = crossing.through(carrier)

    crossing.front.cut("att_1")
    with pytest.raises(ConnectionResetError):
        codes.recv(1)
    again, came = crossing.through(carrier)
    came.sendall(b"anew")

    assert again.recv(10) == b"anew"
    assert crossing.gate.admitted == ["att_1", "att_1"]
    assert crossing.said == ["The way out of this run was cut."]


def test_the_way_stands_before_anybody_goes_it(crossing: Crossing) -> None:
    carrier = crossing.carrier()

    carrier.ready(WAIT_S)
    assert crossing.gate.admitted == ["att_1"]
    codes, came = crossing.through(carrier)
    came.sendall(b"at once")

    assert codes.recv(10) == b"at once"
    assert crossing.gate.admitted == ["att_1"], "one line for both"
    carrier.close()
    carrier.ready(WAIT_S)


def test_who_waits_for_a_way_that_is_refused_or_ended_is_told_so_and_let_go(crossing: Crossing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nowhere = f"http://127.0.0.1:{gone.getsockname()[1]}"
    refused, ended = crossing.carrier("unknown"), crossing.carrier(url=nowhere, patience=Patience(first=600))
    waiting = threading.Thread(target=ended.ready, args=(600,))

    refused.ready(600)
    waiting.start()
    ended.close()
    waiting.join(WAIT_S)

    assert crossing.said == ["The way out is closed to this run (401)."]
    assert not waiting.is_alive()


def test_a_cut_ends_the_other_side_too(crossing: Crossing) -> None:
    carrier = crossing.carrier()
    _, came = crossing.through(carrier)

    carrier.close()

    assert came.recv(1) == b""


def test_only_the_named_attempt_is_cut(crossing: Crossing) -> None:
    first, second = crossing.carrier("t1"), crossing.carrier("t2")
    cut, _ = crossing.through(first)
    codes, came = crossing.through(second)

    crossing.front.cut("att_1")
    with pytest.raises(ConnectionResetError):
        cut.recv(1)
    came.sendall(b"untouched")

    assert codes.recv(20) == b"untouched"


@pytest.mark.parametrize("token", ["unknown", "", "t2"])
def test_a_refused_token_is_refused_for_good(crossing: Crossing, token: str) -> None:
    crossing.gate.over.add("att_2")
    carrier = crossing.carrier(token)

    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            crossing.sent_in(carrier).recv(1)

    assert len(crossing.said) == 2
    assert "closed to this run" in crossing.said[0]
    assert crossing.gate.admitted == []


def test_an_attempt_that_is_over_gets_no_stream(crossing: Crossing) -> None:
    carrier = crossing.carrier()
    crossing.through(carrier)

    crossing.gate.over.add("att_1")

    with pytest.raises(ConnectionResetError):
        crossing.sent_in(carrier).recv(1)


def test_a_server_that_comes_late_is_waited_for() -> None:
    with Crossing() as late:
        late.front.stop()  # nobody listens any more
        crossing = Crossing()
        carrier = crossing.carrier(patience=Patience(first=WAIT_S))
        codes = crossing.sent_in(carrier)
        with crossing:
            _, came = crossing.gate.joined.get(timeout=WAIT_S)
            came.sendall(b"at last")
            assert codes.recv(10) == b"at last"
            came.close()


def test_where_nobody_answers_the_connection_is_reset_in_time(crossing: Crossing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    carrier = crossing.carrier(patience=Patience(first=0.5), url=f"http://127.0.0.1:{port}")

    with pytest.raises(ConnectionResetError):
        crossing.sent_in(carrier).recv(1)

    assert crossing.said == ["The way out of this run cannot be reached."]


def test_an_old_websocket_takes_no_new_streams_and_ends_with_its_last(crossing: Crossing) -> None:
    carrier = crossing.carrier(patience=Patience(first=2, again=2, renew=0))
    old, old_came = crossing.through(carrier)
    new, new_came = crossing.through(carrier)

    old_came.sendall(b"old")
    new_came.sendall(b"new")
    assert (old.recv(10), new.recv(10)) == (b"old", b"new")
    assert crossing.gate.admitted == ["att_1", "att_1"]

    old.close()
    assert old_came.recv(1) == b""
    new_came.sendall(b"more")
    assert new.recv(10) == b"more"
    assert crossing.said == []


def test_nothing_is_carried_after_close(crossing: Crossing) -> None:
    carrier = crossing.carrier()
    carrier.close()
    carrier.close()

    with pytest.raises(ConnectionResetError):
        crossing.sent_in(carrier).recv(1)


def say_all(end: socket.socket, data: bytes) -> None:
    end.sendall(data)
    end.shutdown(socket.SHUT_WR)


def sent_until_it_stalls(end: socket.socket) -> int:
    end.settimeout(0.5)
    sent = 0
    try:
        while True:
            sent += end.send(bytes(1 << 16))
    except TimeoutError:
        return sent


class GatewayGate:
    """As in executor-egress, with one run that is open already."""

    def __init__(self, gateway: EgressGateway, run_id: str) -> None:
        self._gateway = gateway
        self._run_id = run_id

    def admit(self, token: str) -> str:
        return self._run_id

    def join(self, attempt_id: str, connection: socket.socket) -> bool:
        return self._gateway.join(attempt_id, connection)


def test_the_gateway_serves_what_is_carried_as_what_it_accepts(world: World) -> None:
    records: list[Exchange] = []
    run = EgressRun("run_carried", (world.rule(),), records.append, pace=UNHURRIED)
    ca = world.folder / "carried.pem"
    ca.write_text(world.gateway.open(run, None))
    listening = socket.create_server(("127.0.0.1", 0))
    front = Front(GatewayGate(world.gateway, run.id), listening)
    front.start()
    with Crossing() as crossing, socket.create_server(("127.0.0.1", 0)) as proxy, requests.Session() as code:
        carrier = crossing.carrier(url=f"http://127.0.0.1:{listening.getsockname()[1]}")

        def accept() -> None:
            for _ in range(2):
                carrier.carry(proxy.accept()[0])

        accepting = threading.Thread(target=accept)
        accepting.start()
        code.trust_env, code.verify = False, str(ca)
        code.proxies = dict.fromkeys(("http", "https"), f"http://127.0.0.1:{proxy.getsockname()[1]}")
        answer = code.get(world.url("/items"), timeout=WAIT_S)
        refused = code.get("https://elsewhere.test/", timeout=WAIT_S)
        accepting.join()
        report = world.gateway.close(run.id)
    front.stop()

    assert (answer.status_code, answer.text, refused.status_code) == (200, "ok /items", 403)
    assert [(record.verdict, record.host) for record in records] == [
        ("sent", "api.shop.test"),
        ("refused", "elsewhere.test"),
    ]
    assert report.requests == 1


def test_whoever_stands_before_the_service_is_told_who_asks() -> None:
    asking: list[str] = []

    def identity() -> dict[str, str]:
        asking.append(threading.current_thread().name)
        return {"X-Serverless-Authorization": "Bearer google"}

    with socket.create_server(("127.0.0.1", 0)) as front:
        url = f"http://127.0.0.1:{front.getsockname()[1]}"
        carrier = Carrier(url, "t1", identity=identity, patience=Patience(first=0, again=0))
        codes, carriers = tcp_pair()
        carrier.carry(carriers)
        with front.accept()[0] as connection:
            said = connection.recv(4096).decode()
        carrier.close()
        codes.close()

    assert "X-Serverless-Authorization: Bearer google\r\n" in said
    assert "Authorization: Bearer t1\r\n" in said
    assert "carrier" not in asking  # it may block
