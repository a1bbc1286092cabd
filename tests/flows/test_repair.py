"""A page was redesigned overnight: the agent is mended by its model, and only a fix that also stands yesterday's
recording is handed over."""

from __future__ import annotations

import pytest

from tests.fakes.llm_script import Call, Reply, Say
from tests.fakes.messages_server import MessagesServer
from tests.flows.house import House
from tests.flows.person import Answered, Json, Person
from tests.flows.shops import Shops
from tests.flows.test_dialogue_first import MAIN, plan, results

OLD = """re.findall(r'"name": "([^"]+)"', page)"""
BOTH = OLD + """ or re.findall(r'<a href="[^"]+">([^<]+)</a>', page)"""
ONLY_NEW = """re.findall(r'<a href="[^"]+">([^<]+)</a>', page)"""
HARD_CODED = """["리넨 셔츠 화이트", "데님 팬츠 인디고", "울 머플러 그레이", "캐시미어 니트"]"""


def tried(code: str) -> Reply:
    return Reply(
        (
            Call("write_file", {"path": "main.py", "content": code}, id="toolu_1"),
            Call("run_test", {}, id="t2"),
        )
    )


def broken_overnight(person: Person, shops: Shops, claude: MessagesServer) -> tuple[Json, str]:
    """An agent that delivered yesterday, and today's run, which did not; the code it has."""
    address = shops.address("a")
    code = MAIN.replace("{address}", address)
    assert OLD in code
    claude.enqueue(
        Reply((Call("propose_plan", plan(shops)),)), tried(code), Reply((Call("finish", {"summary": "네"}),))
    )
    ready = person.allows(person.says(f"매일 아침 9시에 {address} 상품을 알려 줘"))
    assert ready["state"] == "ready", "\n=====\n".join(results(claude))
    person.switches(ready["agent_id"], True)
    assert person.runs(ready["agent_id"])["outcome"] == "delivered"
    shops.trouble = {"a": "redesign"}
    shops.items["a"].append(("a9", "캐시미어 니트", 99000))
    run = person.runs(ready["agent_id"])
    assert run["outcome"] == "not_delivered"
    return run, code


@pytest.mark.deployed
def test_only_a_fix_that_stands_yesterdays_recording_is_handed_over(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    person = talking.person()
    run, code = broken_overnight(person, shops, claude)
    claude.enqueue(
        tried(code.replace(OLD, HARD_CODED)),
        tried(code.replace(OLD, ONLY_NEW)),
        tried(code.replace(OLD, BOTH)),
        Reply((Call("finish", {"summary": "새 모양도 읽어요."}),)),
    )
    before = len(claude.requests)
    id = person.call("POST", f"/api/v1/runs/{run['id']}/repair", {})["conversation_id"]
    mended = person.wait(
        f"/api/v1/conversations/{id}",
        lambda c: c["state"] in ("ready", "failed") and len(claude.requests) > before + 2,
    )
    told = results(claude)
    assert mended["state"] == "ready", "\n=====\n".join(told)
    assert any("asks you to mend" in text and "BROKEN" in text for text in told)
    assert sum("the result changed" in text for text in told) == 2, "both wrong fixes read today's page well"

    versions = person.call("GET", f"/api/v1/agents/{run['agent_id']}/versions")["items"]
    assert sorted(v["number"] for v in versions if v["number"]) == [1, 2]
    agent = person.call("GET", f"/api/v1/agents/{run['agent_id']}")
    assert agent["version_number"] == 1, "nothing about a live agent changes in silence"
    person.switches(run["agent_id"], True)
    again = person.runs(run["agent_id"])
    assert again["outcome"] == "delivered", again["reason"]
    assert "캐시미어 니트" in again["deliveries"][0]["text"]


@pytest.mark.deployed
def test_there_is_nothing_to_repair_where_all_went_well(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    person = talking.person()
    run, _ = broken_overnight(person, shops, claude)
    good = next(
        one
        for one in person.call("GET", f"/api/v1/agents/{run['agent_id']}/runs")["items"]
        if one["outcome"] == "delivered"
    )
    with pytest.raises(Answered) as answer:
        person.call("POST", f"/api/v1/runs/{good['id']}/repair", {})
    assert (answer.value.status, answer.value.body["code"]) == (409, "nothing_to_repair")


@pytest.mark.deployed
def test_a_repair_goes_live_by_itself_only_where_that_is_set_and_is_told(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    person = talking.person()
    run, code = broken_overnight(person, shops, claude)
    person.call("PATCH", f"/api/v1/agents/{run['agent_id']}", {"repairs_go_live": True})
    claude.enqueue(tried(code.replace(OLD, BOTH)), Reply((Call("finish", {"summary": "새 모양도 읽어요."}),)))
    id = person.call("POST", f"/api/v1/runs/{run['id']}/repair", {})["conversation_id"]

    agent = person.wait(f"/api/v1/agents/{run['agent_id']}", lambda a: a["version_number"] == 2)

    assert agent["enabled"]
    told = person.wait(
        f"/api/v1/conversations/{id}",
        lambda c: any("바로 켰어요" in str(m["data"].get("text")) for m in c["messages"]),
    )
    result = next(m["data"] for m in reversed(told["messages"]) if m["kind"] == "result")
    before, after = result["mended"]["before"], result["mended"]["after"]
    assert "캐시미어 니트" not in str(before["rows"])
    assert "캐시미어 니트" in str(after["rows"])
    assert before["rows"][0]["header"] == ["name"]
    assert "repaired" in [n["kind"] for n in person.call("GET", "/api/v1/notices")["items"]]
    assert person.runs(run["agent_id"])["outcome"] == "delivered"
    asked = "\n".join(str(r.body["messages"]) for r in claude.requests if not r.path.endswith("count_tokens"))
    assert 'untrusted source="broken run"' in asked
    assert 'untrusted source="good run"' in asked


@pytest.mark.deployed
def test_a_fix_that_is_content_with_nothing_is_refused_where_the_live_version_was_not(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    """It makes up a row where nothing can be read: no row of another day, so only the comparison tells."""
    person = talking.person()
    run, code = broken_overnight(person, shops, claude)
    content = code.replace(OLD, BOTH + ' or ["준비 중"]')
    claude.enqueue(tried(content), Reply((Say("이번에는 고치지 못했어요."),)))

    id = person.call("POST", f"/api/v1/runs/{run['id']}/repair", {})["conversation_id"]
    over = person.wait(
        f"/api/v1/conversations/{id}", lambda c: c["state"] in ("asking", "ready") and not claude.left_over
    )

    assert over["state"] == "asking"
    steps = [m["data"]["text"] for m in over["messages"] if m["kind"] == "progress"]
    assert any("지금 켜져 있는 버전이라면" in text for text in steps)
    assert any("페이지가 비었거나 오류인데도 잘됐다고 해요" in text for text in steps)
