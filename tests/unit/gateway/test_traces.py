"""What happened when in a run, as the page is told it."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.model.access import OWNER_WORKSPACE
from shared.records.gateway import Delivery
from tests.unit.gateway.conftest import World

TRACE = "0af7651916cd43dd8448eb211c80319c"
CONTEXT = f"00-{TRACE}-b7ad6b7169203331-01"


def at(second: float) -> str:
    return f"2026-11-22T09:00:{second:09.6f}Z"


REQUEST = {
    "at": at(3),
    "ms": 40,
    "method": "GET",
    "host": "shop.example.com",
    "status": 200,
    "verdict": "sent",
}
WHOLE: dict[str, Any] = {
    "attempt": 1,
    "requested_at": at(0),
    "funded_at": at(1),
    "begun_at": at(1.5),
    "first_line_at": at(2),
    "ended_at": at(5),
    "finished_at": at(6),
    "requests": [REQUEST],
    "hosts": [{"host": "shop.example.com", "verdict": "sent", "requests": 4, "bytes_in": 1, "bytes_out": 1}],
    "traceparent": CONTEXT,
}


def trace(world: World, **run: Any) -> Any:
    world.run(**{**WHOLE, **run})
    return world.call("GET", "/api/v1/runs/run_1/trace").json


def kinds(told: Any) -> list[tuple[str, str, str | None]]:
    return [(item["kind"], item["from_at"], item["to_at"]) for item in told["items"]]


def test_a_run_is_told_from_the_request_to_the_delivery(world: World) -> None:
    sent = Delivery(
        id="dlv_1",
        workspace_id=OWNER_WORKSPACE,
        run_id="run_1",
        agent_id="agent_1",
        channel="slack",
        title="보고",
        text="비밀스러운 보고",
        status="sent",
        at=at(6),
        settled_at=at(7),
    )
    world.put("gateway", "deliveries", sent)
    told = trace(world)
    assert kinds(told) == [
        ("funded", at(0), at(1)),
        ("waited", at(1), at(1.5)),
        ("prepared", at(1.5), at(2)),
        ("code", at(2), at(5)),
        ("request", at(3), None),
        ("collected", at(5), at(6)),
        ("delivery", at(6), at(7)),
    ]
    request, delivery = told["items"][4], told["items"][6]
    assert (request["name"], request["method"], request["status"], request["ms"]) == (
        "shop.example.com",
        "GET",
        200,
        40,
    )
    assert (delivery["name"], delivery["verdict"]) == ("slack", "sent")
    assert (told["more"], told["trace_id"]) == (3, TRACE)
    assert "비밀스러운" not in str(told)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "queued", "funded_at": None}, [("funded", at(0), None)]),
        ({"status": "queued"}, [("funded", at(0), at(1)), ("waited", at(1), None)]),
        (
            {"status": "running", "begun_at": at(1.5), "first_line_at": at(2)},
            [
                ("funded", at(0), at(1)),
                ("waited", at(1), at(1.5)),
                ("prepared", at(1.5), at(2)),
                ("code", at(2), None),
            ],
        ),
        ({"status": "refused", "funded_at": None, "finished_at": at(1)}, []),
    ],
)
def test_what_is_not_over_goes_on(world: World, change: dict[str, Any], expected: list[Any]) -> None:
    unfinished = dict.fromkeys(("begun_at", "first_line_at", "ended_at", "finished_at"))
    told = trace(world, outcome="pending", requests=[], **{**unfinished, **change})
    assert kinds(told) == expected


def test_a_parked_run_waits_for_a_person_and_what_came_before_is_one_bar(world: World) -> None:
    told = trace(world, status="parked", outcome="pending", finished_at=None, requests=[])
    assert kinds(told)[-1] == ("asked", at(5), None)
    told = trace(world, attempt=2)
    assert kinds(told)[:2] == [("earlier", at(0), at(1.5)), ("prepared", at(1.5), at(2))]


def test_a_run_from_before_times_were_kept_has_no_bars(world: World) -> None:
    world.run(started_at=at(1), first_line_at=at(1), finished_at=at(2))
    told = world.call("GET", "/api/v1/runs/run_1/trace").json
    assert (told["items"], told["more"], told["trace_id"]) == ([], 0, "")


def test_strangers_see_nothing_and_lists_leave_the_requests_out(world: World) -> None:
    world.agent()
    world.run(**WHOLE)
    world.run("run_2", **{**WHOLE, "workspace_id": "wsp_other"})
    assert world.call("GET", "/api/v1/runs/run_2/trace").status_code == 404
    assert world.call("GET", "/api/v1/runs/run_1").json["requests"] == [REQUEST]
    (listed,) = world.call("GET", "/api/v1/agents/agent_1/runs").json["items"]
    assert listed["requests"] == []
