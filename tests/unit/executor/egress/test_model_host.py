"""The host that asks a model: open to runs with tokens alone, with a proof of its own on every request."""

from __future__ import annotations

import io
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from services.executor.egress.authority import RunAuthority
from services.executor.egress.model_host import RULE, ModelDoor
from services.executor.egress.model_place import NearbyPlanner, PlannerService
from shared.agentfile.model import HostRule
from shared.clock import SystemClock
from shared.errors import Misconfigured, Unavailable
from shared.net.model_endpoint import MODEL_HOST, PREFIX, RUN_HEADER, listen_at, socket_path
from tests.unit.executor.egress.conftest import World

ADDRESS = f"https://{MODEL_HOST}/v1/messages"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Endpoint:
    """Answers everything, and keeps what it heard: the first line of each request, its head and its body. tls: who it
    says it is; else it talks as it listens."""

    listening: socket.socket
    tls: ssl.SSLContext | None = None
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        if self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:  # who asked does not believe it
                connection.close()
                return
        with connection, connection.makefile("rb") as file:
            while first := file.readline():
                self.asked.append(first.decode("latin-1").strip())
                head = {}
                while line := file.readline().strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    head[name.lower()] = value.strip()
                self.heard.append((head, self._body(head, file)))
                connection.sendall(ANSWER)

    def _body(self, head: dict[str, str], file: io.BufferedReader) -> bytes:
        read, line = file.read, file.readline
        if head.get("transfer-encoding") != "chunked":
            return bytes(read(int(head.get("content-length", 0))))
        body = b""
        while size := int(line(), 16):
            body += read(size)
            line()
        line()
        return body


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with Endpoint(listen_at(socket_path(tmp_path))) as made:
        yield made


@pytest.fixture
def authority() -> RunAuthority:
    return RunAuthority(SystemClock().now())


@pytest.fixture
def service(authority: RunAuthority) -> Iterator[Endpoint]:
    with Endpoint(socket.create_server(("127.0.0.1", 0)), authority.context("localhost")) as made:
        yield made


def door(endpoint: Endpoint) -> ModelDoor:
    numbers = itertools.count()
    path = Path(endpoint.listening.getsockname())
    return ModelDoor(NearbyPlanner(path), lambda: f"proof-{next(numbers)}")


def elsewhere(
    service: Endpoint, roots: RunAuthority, identity: Callable[[], Mapping[str, str]] = dict
) -> ModelDoor:
    url = f"https://localhost:{service.listening.getsockname()[1]}"
    trusted = ssl.create_default_context(cadata=roots.ca_pem)
    return ModelDoor(PlannerService(url, identity, trusted), lambda: "proof")


def test_the_codes_key_and_proofs_of_its_own_stay_here(world: World, endpoint: Endpoint) -> None:
    run = world.open(RULE, model=door(endpoint))
    sent = {"x-api-key": "sk-real", "authorization": "Bearer x", "cookie": "a=b", RUN_HEADER: "forged"}
    with run.session() as session:
        assert session.post(ADDRESS, json={"a": 1}, headers=sent).status_code == 200
    run.close()

    ((head, body),) = endpoint.heard
    assert json.loads(body) == {"a": 1}
    assert head[RUN_HEADER] == "proof-0"
    assert set(head) <= {"host", "accept", "content-length", "content-type", RUN_HEADER}
    assert world.lookups == [] or MODEL_HOST not in world.lookups


def test_each_request_has_a_fresh_proof_and_a_connection_of_its_own(world: World, endpoint: Endpoint) -> None:
    """A connection kept open may be closed just as a question leaves, and a question is not asked twice."""
    run = world.open(RULE, model=door(endpoint))
    with run.session() as session:
        for _ in range(3):
            assert session.post(ADDRESS, json={}).status_code == 200
    run.close()

    assert [head[RUN_HEADER] for head, _ in endpoint.heard] == ["proof-0", "proof-1", "proof-2"]
    assert endpoint.connections == 3


def test_a_body_in_pieces_arrives_whole(world: World, endpoint: Endpoint) -> None:
    run = world.open(RULE, model=door(endpoint))
    with run.session() as session:
        assert session.post(ADDRESS, data=iter([b'{"a"', b": 1}"])).status_code == 200
    run.close()

    assert endpoint.heard[0][1] == b'{"a": 1}'


def test_without_tokens_nobody_can_allow_it_by_asking(world: World, endpoint: Endpoint) -> None:
    run = world.open(model=door(endpoint))
    with run.session() as session:
        answer = session.post(ADDRESS, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "no_tokens")
    run.close()

    (record,) = run.records
    assert (record.verdict, record.reason, record.undeclared) == ("refused", "no_tokens", False)
    assert endpoint.connections == 0


@pytest.mark.parametrize(
    ("method", "address", "code"),
    [
        ("PUT", ADDRESS, "not_listed"),
        ("DELETE", ADDRESS, "not_listed"),
        ("POST", f"http://{MODEL_HOST}/v1/messages", "not_listed"),
        ("POST", f"https://{MODEL_HOST}:8443/v1/messages", "not_listed"),
        ("POST", f"https://x.{MODEL_HOST}/v1/messages", "undeclared_host"),
    ],
)
def test_what_is_beside_it_is_refused(
    world: World, endpoint: Endpoint, method: str, address: str, code: str
) -> None:
    run = world.open(RULE, model=door(endpoint))
    with run.session() as session:
        answer = session.request(method, address, data=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    run.close()

    assert endpoint.connections == 0


@pytest.mark.parametrize("here", [True, False], ids=["nobody listens", "there is none"])
def test_where_there_is_no_endpoint_it_does_not_answer(world: World, tmp_path: Path, here: bool) -> None:
    run = world.open(
        RULE, model=ModelDoor(NearbyPlanner(tmp_path / "nobody.sock"), lambda: "proof") if here else None
    )
    with run.session() as session:
        answer = session.post(ADDRESS, json={})
        assert (answer.status_code, answer.json()["code"]) == (502, "unreachable")
    run.close()


def test_no_rule_reaches_another_server_by_that_name(world: World, endpoint: Endpoint) -> None:
    run = world.open(HostRule(host=MODEL_HOST, effect="write"), model=None)
    with run.session() as session:
        assert session.post(ADDRESS, json={}).json()["code"] == "unreachable"
    run.close()

    assert MODEL_HOST not in world.lookups
    assert endpoint.connections == 0


def test_a_planner_elsewhere_is_asked_below_its_path_with_who_asks_and_for_which_run(
    world: World, service: Endpoint, authority: RunAuthority
) -> None:
    known = {"X-Serverless-Authorization": "Bearer egress"}
    run = world.open(RULE, model=elsewhere(service, authority, lambda: known))
    sent = {"x-serverless-authorization": "Bearer forged", "x-api-key": "sk-real", RUN_HEADER: "forged"}
    with run.session() as session:
        assert session.post(ADDRESS, json={"a": 1}, headers=sent).status_code == 200
    run.close()

    ((head, body),) = service.heard
    assert service.asked == [f"POST {PREFIX}/v1/messages HTTP/1.1"]
    assert json.loads(body) == {"a": 1}
    assert (head["x-serverless-authorization"], head[RUN_HEADER]) == ("Bearer egress", "proof")
    assert head["host"] == f"localhost:{service.listening.getsockname()[1]}"
    assert "x-api-key" not in head
    assert "localhost" not in world.lookups, "the rules for agents' hosts are not the operator's"


def test_a_planner_that_does_not_prove_who_it_is_gets_no_question(world: World, service: Endpoint) -> None:
    run = world.open(RULE, model=elsewhere(service, RunAuthority(SystemClock().now())))
    with run.session() as session:
        answer = session.post(ADDRESS, json={})
        assert (answer.status_code, answer.json()["code"]) == (502, "unreachable")
    run.close()

    assert service.heard == []


def test_without_an_identity_nothing_is_asked(
    world: World, service: Endpoint, authority: RunAuthority
) -> None:
    def nobody() -> dict[str, str]:
        raise Unavailable("The metadata server gave no identity.")

    run = world.open(RULE, model=elsewhere(service, authority, nobody))
    with run.session() as session:
        assert session.post(ADDRESS, json={}).status_code == 503
    run.close()

    assert service.heard == []


@pytest.mark.parametrize(
    "url", ["planner", "ftp://planner", "https://", "https://planner/v1", "https://planner:x"]
)
def test_an_address_that_is_none_is_said_at_start(url: str) -> None:
    with pytest.raises(Misconfigured, match="AB_PLANNER_URL"):
        PlannerService(url, dict)
