"""Sending: once, with a receipt, judged strictly; what cannot be known is asked, never guessed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from services.gateway.handlers.deliveries import claim_delivery, do_delivery, record_delivery
from services.gateway.model.access import OWNER_WORKSPACE
from services.gateway.repository.sending import SendJob
from shared.bus.dispatch import Cut, Failed
from shared.errors import Unavailable
from shared.events.delivery import DeliveryRequested, DeliverySettled
from shared.records.gateway import Delivery, Notice
from shared.store.port import Cause, Query
from tests.unit.gateway.conftest import World, agent_file

CAUSE = Cause(OWNER_WORKSPACE, "agent:agent_1")


class Hook:
    """A Slack-compatible webhook on this machine. answers: one (status, body) per request, the last repeats;
    status 0 hangs up without a word."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = [(200, b"ok")]
        self.got: list[bytes] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.got.append(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                if status == 0:
                    self.connection.close()
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/services/T000/B000/aVerySecretTail"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def settings_change(hook: Hook) -> dict[str, Any]:
    return {"egress_allow_private": hook.place}


def slack_agent(world: World, url: str) -> None:
    world.call("PUT", "/api/v1/secrets/SLACK_WEBHOOK_URL", json={"value": url})
    secret_id = world.deps.store.query(secrets_query())[0].id
    file = agent_file(channels=[{"kind": "slack", "secret": "SLACK_WEBHOOK_URL", "why": "보고"}])
    world.agent(agent_file=file, secrets={"SLACK_WEBHOOK_URL": secret_id})


def secrets_query() -> Query:
    return Query("secrets", limit=10)


def requested(channel: str = "slack", **more: Any) -> DeliveryRequested:
    return DeliveryRequested.model_validate(
        {
            "delivery_id": "dlv_1",
            "run_id": "run_1",
            "agent_id": "agent_1",
            "grant_id": "grant_1",
            "channel": channel,
            "title": "오늘의 신제품",
            "text": "새 상품 3개",
            **more,
        }
    )


def stored(world: World) -> Delivery:
    found = world.deps.store.get("deliveries", "dlv_1")
    assert found is not None
    return Delivery.from_doc(found.data)


def settled(world: World) -> list[DeliverySettled]:
    return [event for event in world.emitted() if isinstance(event, DeliverySettled)]


def send(world: World, event: DeliveryRequested | None = None) -> Delivery:
    """Claim, do, record, as dispatch and a worker would."""
    store = world.deps.store
    job = store.transact(lambda tx: claim_delivery(event or requested(), tx, world.deps), cause=CAUSE)
    if job is not None:
        outcome = do_delivery(job, world.deps)
        store.transact(lambda tx: record_delivery(job, outcome, tx, world.deps), cause=CAUSE)
    return stored(world)


def test_an_inbox_report_is_there_at_once_with_its_receipt(world: World) -> None:
    world.agent()

    assert world.receive(requested("inbox"), "executor").verdict == "ack"
    assert world.receive(requested("inbox"), "executor", id="evt_2").verdict == "ack"

    (line,) = world.call("GET", "/api/v1/deliveries?channel=inbox").json["items"]
    assert (line["status"], line["text"], line["agent_name"]) == ("sent", "새 상품 3개", "신제품 봇")
    assert line["receipt"]["to"] == "inbox"
    assert [event.status for event in settled(world)] == ["sent"]
    assert world.as_charlie("GET", "/api/v1/deliveries").json["items"] == []
    assert world.as_charlie("POST", "/api/v1/deliveries/dlv_1/read").status_code == 404


def test_a_long_inbox_report_comes_whole_from_its_blob(world: World) -> None:
    world.agent()
    world.deps.blobs.put("executor/texts/one", ("가" * 90_000).encode())

    delivery = send(world, requested("inbox", text="가", text_key="executor/texts/one"))

    assert len(delivery.text) == 90_000


def test_a_slack_message_arrives_once_as_it_was_written(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)

    delivery = send(world)
    again = world.receive(requested(), "executor", id="evt_2")

    assert hook.got == ['{"text":"새 상품 3개"}'.encode()]
    assert (delivery.status, delivery.receipt["to"]) == ("sent", hook.place)
    assert again.verdict == "ack"
    assert [event.status for event in settled(world)] == ["sent"]
    (use,) = world.deps.store.query(uses_query())
    assert use.data["host"] == hook.place
    assert world.call("GET", "/api/v1/secrets").json["items"][0]["last_used_at"] is not None


def uses_query() -> Query:
    return Query("secret_uses", limit=10)


def test_workers_carry_an_event_all_the_way(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)
    watch = world.deps.store.watch(["deliveries"])
    workers = world.workers()
    workers.start()

    world.receive(requested(), "executor")

    wait_until(watch, lambda: stored(world).status == "sent")
    workers.stop()
    watch.close()
    assert len(hook.got) == 1


def wait_until(watch: Any, holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        watch.wait(0.1)
    pytest.fail("what was waited for did not come")


def test_a_message_over_slacks_limit_is_cut_with_a_note(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)

    send(world, requested(text="x" * 50_000))

    assert 39_900 < len(hook.got[0].decode()) <= 40_020
    assert "여기까지만" in hook.got[0].decode()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>a page</html>"), (404, b"no_service"), (403, b"invalid_token"), (302, b"")],
)
def test_an_answer_that_does_not_say_ok_is_a_failure_with_a_notice(
    world: World, hook: Hook, status: int, body: bytes
) -> None:
    slack_agent(world, hook.url)
    hook.answers = [(status, body)]

    delivery = send(world)

    assert delivery.status == "failed"
    assert str(status) in delivery.detail
    assert "aVerySecretTail" not in delivery.detail
    (notice,) = world.call("GET", "/api/v1/notices").json["items"]
    assert (notice["kind"], notice["needs_decision"]) == ("not_delivered", False)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_webhook_is_asked_again_later(world: World, hook: Hook, status: int) -> None:
    slack_agent(world, hook.url)
    hook.answers = [(status, b"later"), (200, b"ok")]
    job = world.deps.store.transact(lambda tx: claim_delivery(requested(), tx, world.deps), cause=CAUSE)
    assert job is not None

    with pytest.raises(Unavailable):
        do_delivery(job, world.deps)

    assert do_delivery(job, world.deps).status == "sent"


def test_a_connection_cut_after_the_message_left_ends_unknown_and_asks(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)
    hook.answers = [(0, b"")]

    delivery = send(world)

    assert delivery.status == "unknown"
    assert [event.status for event in settled(world)] == ["unknown"]
    (notice,) = world.call("GET", "/api/v1/notices").json["items"]
    assert (notice["kind"], notice["needs_decision"], notice["about"]) == ("unknown_delivery", True, "dlv_1")
    assert world.call("GET", "/api/v1/agents").json["waiting"] == 1


def test_a_death_while_sending_ends_unknown_and_a_person_may_send_again(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)
    job = world.deps.store.transact(lambda tx: claim_delivery(requested(), tx, world.deps), cause=CAUSE)
    assert job is not None
    world.deps.store.transact(lambda tx: record_delivery(job, Cut(), tx, world.deps), cause=CAUSE)
    assert stored(world).status == "unknown"
    assert world.as_charlie("POST", "/api/v1/deliveries/dlv_1/resend").status_code == 404

    assert world.call("POST", "/api/v1/deliveries/dlv_1/resend").status_code == 202
    assert world.call("POST", "/api/v1/deliveries/dlv_1/resend").json["code"] == "not_unknown"
    watch = world.deps.store.watch(["deliveries"])
    workers = world.workers()
    workers.start()
    wait_until(watch, lambda: stored(world).status == "sent")
    workers.stop()
    watch.close()

    assert len(hook.got) == 1


def test_giving_up_is_a_failure_that_says_why(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)
    job = world.deps.store.transact(lambda tx: claim_delivery(requested(), tx, world.deps), cause=CAUSE)
    assert job is not None

    failed = Failed("unreachable", "받는 곳에 연결할 수 없었어요.")
    world.deps.store.transact(lambda tx: record_delivery(job, failed, tx, world.deps), cause=CAUSE)

    assert (stored(world).status, stored(world).detail) == ("failed", "받는 곳에 연결할 수 없었어요.")


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/hook", "http://127.0.0.1:8080/hook", "https://10.0.0.7/hook"]
)
def test_an_address_inside_is_never_called(world: World, url: str) -> None:
    slack_agent(world, url)

    delivery = send(world)

    assert delivery.status == "failed"
    assert "hook" not in delivery.detail


@pytest.mark.parametrize("change", [{"grant_id": None}, {"grant_id": "grant_other"}, {"agent_id": "agent_2"}])
def test_without_a_bound_address_nothing_is_sent(world: World, hook: Hook, change: dict[str, Any]) -> None:
    slack_agent(world, hook.url)

    delivery = send(world, requested(**change))

    assert delivery.status == "failed"
    assert hook.got == []


def test_a_deleted_secret_is_not_used(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)
    world.call("DELETE", "/api/v1/secrets/SLACK_WEBHOOK_URL")

    assert send(world).status == "failed"
    assert hook.got == []


def test_only_the_executor_may_ask_for_a_delivery(world: World) -> None:
    world.agent()

    assert world.receive(requested("inbox"), "planner").verdict == "dead"
    assert world.deps.store.get("deliveries", "dlv_1") is None


def test_a_delivery_of_an_unknown_agent_is_still_settled(world: World) -> None:
    assert world.receive(requested("inbox"), "executor").verdict == "ack"
    assert stored(world).status == "sent"


def test_a_late_second_outcome_changes_nothing(world: World, hook: Hook) -> None:
    slack_agent(world, hook.url)
    send(world)
    job = SendJob(delivery_id="dlv_1", workspace_id=OWNER_WORKSPACE)

    world.deps.store.transact(lambda tx: record_delivery(job, Cut(), tx, world.deps), cause=CAUSE)

    assert stored(world).status == "sent"
    assert world.call("GET", "/api/v1/notices").json["items"] == []


def test_a_notice_is_read_once(world: World) -> None:
    notice = Notice(
        id="note_1",
        workspace_id=OWNER_WORKSPACE,
        kind="failed",
        agent_id=None,
        about="run_1",
        text="안 됐어요",
        at=world.deps.now(),
    )
    world.put("gateway", "notices", notice)

    assert world.as_charlie("POST", "/api/v1/notices/note_1/read").status_code == 404
    assert world.call("POST", "/api/v1/notices/note_1/read").status_code == 200
    assert world.call("GET", "/api/v1/notices").json["items"][0]["read_at"] is not None
