"""The description of the API, the page, idempotency, accounts and the operator's view."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from services.gateway.model.access import OWNER_WORKSPACE
from shared.bus.port import Received
from shared.events.envelope import Envelope
from shared.records.ledger import Budget, UsageEntry
from shared.records.scheduler import Slot
from shared.store.port import Cause, Tx
from tests.unit.gateway.conftest import World


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(inner) for inner in value.values()), set())
    if isinstance(value, list):
        return set().union(*(references(inner) for inner in value), set())
    return set()


def test_the_description_is_whole(world: World) -> None:
    document = world.client.get("/api/openapi.json").json

    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference
    operations = [op for methods in document["paths"].values() for op in methods.values()]
    names = [op["operationId"] for op in operations]
    assert len(names) == len(set(names))
    assert {"ConversationEntry", "RunEntry", "ChangeLine", "AgentCard", "Plan", "Run", "Problem"} <= set(
        schemas
    )
    for operation in operations:
        assert any(status.startswith("2") for status in operation["responses"])
        assert "default" in operation["responses"]


def test_every_route_of_the_app_is_described(world: World) -> None:
    assert world.service.web is not None
    described = set(world.client.get("/api/openapi.json").json["paths"])

    for rule in world.service.web.url_map.iter_rules():
        path = (
            rule.rule.replace("<string:", "{").replace("<path:", "{").replace("<int:", "{").replace(">", "}")
        )
        if path.startswith("/api/v1"):
            assert path in described


def test_the_same_key_and_body_get_the_same_answer_once(world: World) -> None:
    def post(text: str) -> Any:
        return world.call(
            "POST", "/api/v1/conversations", json={"text": text}, headers={"Idempotency-Key": "k"}
        )

    first, again, other = post("하나"), post("하나"), post("둘")

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json == again.json
    assert (other.status_code, other.json["code"]) == (409, "key_reused")
    assert len(world.emitted()) == 1


def test_a_key_of_one_person_is_nothing_to_another(world: World) -> None:
    headers = {"Idempotency-Key": "k"}
    mine = world.call("POST", "/api/v1/conversations", json={"text": "하나"}, headers=headers)
    hers = world.as_charlie("POST", "/api/v1/conversations", json={"text": "하나"}, headers=headers)

    assert mine.json["id"] != hers.json["id"]


def test_a_refused_request_may_be_corrected_under_the_same_key(world: World) -> None:
    headers = {"Idempotency-Key": "k"}
    assert world.call("POST", "/api/v1/conversations", json={"text": " "}, headers=headers).status_code == 400

    assert (
        world.call("POST", "/api/v1/conversations", json={"text": "하나"}, headers=headers).status_code == 202
    )
    long = world.call(
        "POST", "/api/v1/conversations", json={"text": "하나"}, headers={"Idempotency-Key": "k" * 201}
    )
    assert long.json["code"] == "bad_key"


def test_without_a_built_page_its_progress_is_shown(world: World) -> None:
    status = {
        "step": "bundle",
        "done": 1,
        "total": 3,
        "sentence_ko": "화면 묶는 중 <b>",
        "sentence_en": "Bundling",
    }
    world.deps.door.page_status.write_text(json.dumps(status))

    answer = world.client.get("/", headers={"Accept-Language": "ko"})

    assert answer.status_code == 200
    assert "화면 묶는 중 &lt;b&gt;" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert "<script" not in answer.text


@pytest.fixture
def page(world: World) -> World:
    assets = world.deps.door.page / "assets"
    assets.mkdir(parents=True)
    (assets / "app-1a2b.js").write_text("1")
    (world.deps.door.page / "index.html").write_text("<title>page</title>")
    (world.deps.door.page / "icon.svg").write_text("<svg/>")
    return world


@pytest.mark.parametrize("path", ["/", "/agents", "/runs/run_1", "/agents/agent_1"])
def test_every_screen_is_the_page(page: World, path: str) -> None:
    answer = page.client.get(path)

    assert answer.text == "<title>page</title>"
    assert answer.headers["Cache-Control"] == "no-store"


def test_hashed_files_are_kept_for_ever_and_others_are_asked_again(page: World) -> None:
    hashed, plain = page.client.get("/assets/app-1a2b.js"), page.client.get("/icon.svg")

    assert "immutable" in hashed.headers["Cache-Control"]
    assert plain.headers["Cache-Control"] == "no-cache"
    assert "javascript" in hashed.headers["Content-Type"]
    hashed.close()
    plain.close()


@pytest.mark.parametrize(
    "path",
    [
        "/../data/vault.key",
        "/assets/../../../data/vault.key",
        "/assets/%2e%2e/%2e%2e/%2e%2e/data/vault.key",
        "/..%2f..%2fdata%2fvault.key",
        "/assets//etc/passwd.txt",
        "/assets/missing.js",
        "/events",
        "/events/x",
    ],
)
def test_nothing_beside_the_page_is_served(page: World, path: str) -> None:
    assert page.client.get(path).status_code == 404


def test_usage_is_summed_by_what_is_asked(world: World) -> None:
    world.agent()
    for n, (agent, run) in enumerate((("agent_1", "run_1"), ("agent_1", "run_2"), (None, None))):
        entry = UsageEntry(
            id=f"use_{n}",
            workspace_id=OWNER_WORKSPACE,
            agent_id=agent,
            conversation_id=None if agent else "conv_1",
            run_id=run,
            model="m" if n else None,
            input_tokens=10,
            output_tokens=1,
            priced=run != "run_2",
            at=world.deps.now(),
        )
        world.put("ledger", "usage", entry)

    by_agent = world.call("GET", "/api/v1/usage?by=agent").json["items"]
    by_run = world.call("GET", "/api/v1/usage?by=run").json["items"]
    by_day = world.call("GET", "/api/v1/usage?by=day").json["items"]

    mine = next(line for line in by_agent if line["key"] == "agent_1")
    assert (mine["label"], mine["runs"], mine["input_tokens"]) == ("신제품 봇", 2, 20)
    assert {line["key"]: line["priced"] for line in by_run} == {"run_1": True, "run_2": False}
    assert not mine["priced"], "a sum that leaves something out says so"
    assert by_day[0]["input_tokens"] == 30
    assert world.as_charlie("GET", "/api/v1/usage").json == {"items": [], "since": None}
    assert world.call("GET", "/api/v1/usage?by=moon").status_code == 400


def test_usage_says_since_when_it_is_summed_when_there_is_more(world: World) -> None:
    line = UsageEntry(
        id="use", workspace_id=OWNER_WORKSPACE, agent_id="agent_1", input_tokens=1, at=world.deps.now()
    ).to_doc()

    def fill(tx: Tx) -> None:
        for n in range(10_001):
            id = f"use_{n:05}"
            tx.create("usage", id, {**line, "id": id, "at": f"2026-11-01T{n:06}"})

    world.engines.databases.own("ledger").transact(fill, cause=Cause(OWNER_WORKSPACE, "service:ledger"))
    usage = world.call("GET", "/api/v1/usage").json

    assert usage["since"] == "2026-11-01T000001"
    assert usage["items"][0]["input_tokens"] == 10_000


def test_the_budget_and_slots_are_the_owners_and_scoped(world: World) -> None:
    budget = Budget(
        id=f"{OWNER_WORKSPACE}-2026-11",
        workspace_id=OWNER_WORKSPACE,
        period="2026-11",
        cap_tokens=9,
        spent_tokens=4,
        unpriced_tokens=3,
    )
    world.put("ledger", "budgets", budget)
    for agent in ("agent_1", "agent_2"):
        slot = Slot(
            id=f"slot_{agent}",
            workspace_id=OWNER_WORKSPACE,
            agent_id=agent,
            at=world.deps.now(),
            status="ran",
        )
        world.put("scheduler", "slots", slot)

    assert world.call("GET", "/api/v1/budget").json["spent_tokens"] == 4
    assert world.call("GET", "/api/v1/budget").json["unpriced_tokens"] == 3
    assert world.as_charlie("GET", "/api/v1/budget").json["spent_tokens"] == 0
    assert world.call("GET", "/api/v1/me").json["month"]["spent_tokens"] == 4
    assert len(world.call("GET", "/api/v1/slots").json["items"]) == 2
    assert len(world.call("GET", "/api/v1/slots?agent_id=agent_1").json["items"]) == 1
    assert world.as_charlie("GET", "/api/v1/slots").json["items"] == []


def test_dead_letters_are_listed_without_their_data_and_replayed(world: World) -> None:
    bus = world.engines.bus
    seen: list[Envelope] = []

    def refuse(envelope: Envelope) -> Received:
        seen.append(envelope)
        return Received("dead", "poison") if len(seen) == 1 else Received("ack")

    bus.subscribe("gateway", ["clock"], refuse)
    bus.start()
    envelope = Envelope(
        "evt_1",
        "/services/clock",
        "agentbuilder.clock.time_ticked.v1",
        "x",
        world.deps.now(),
        "",
        "a",
        "",
        {"at": "x"},
    )
    bus.publish([envelope])
    for _ in range(200):
        letters = world.call("GET", "/api/v1/dead-letters").json["items"]
        if letters:
            break
        world.deps.clock.wait(threading.Event(), 0.01)

    assert (letters[0]["reason"], letters[0]["service"]) == ("poison", "gateway")
    assert "data" not in letters[0]
    assert world.call("POST", "/api/v1/dead-letters/nope/replay").status_code == 404
    assert world.call("POST", f"/api/v1/dead-letters/{letters[0]['id']}/replay").status_code == 202
    bus.stop()


def test_probes_answer_without_signing_in_and_tell_only_numbers(world: World) -> None:
    world.call("POST", "/api/v1/conversations", json={"text": "비밀 계획"})

    assert world.client.get("/healthz").json == {"status": "ok"}
    assert world.client.get("/readyz").json["databases"]["gateway"] is True
    text = world.client.get("/metrics").text
    assert "ab_gateway_outbox_events 1" in text
    assert "ab_gateway_streams_open 0" in text
    assert "비밀" not in text


def test_what_a_sandbox_does_not_enforce_is_told_in_the_readers_language(world: World) -> None:
    state = {"backend": "docker", "ok": True, "enforced": ["wall"], "missing": {"memory": "measured"}}
    korean = {"missing": {"memory": "재요"}, "note": "대신 써요"}
    executor = world.engines.databases.own("executor")
    found = {**state, "note": "instead", "ko": korean}
    executor.transact(lambda tx: tx.put("sandbox", "this", found), cause=Cause("", "test"))

    def told(language: str) -> tuple[object, ...]:
        shown = world.call("GET", "/api/v1/me", headers={"Accept-Language": language}).json["sandbox"]
        return shown["backend"], shown["missing"], shown["note"]

    assert told("ko") == ("docker", {"memory": "재요"}, "대신 써요")
    assert told("en") == ("docker", {"memory": "measured"}, "instead")
