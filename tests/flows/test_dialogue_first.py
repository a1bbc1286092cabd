"""A sentence becomes an agent through a model: questions, a look, a plan, code, a rehearsal, a delivered report."""

from __future__ import annotations

import pytest

from tests.fakes.llm_script import Call, Reply, Say
from tests.fakes.messages_server import MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.house import House
from tests.flows.shops import Shops

MAIN = """import re
import urllib.request

import agent

agent.step("가격 수집")
page = urllib.request.urlopen("{address}").read().decode()
titles = re.findall(r'"name": "([^"]+)"', page)
rows = ["name"] + [title.strip().replace(",", " ") for title in titles]
agent.output("items.csv").write_text("\\n".join(rows) + "\\n", encoding="utf-8")
agent.deliver("inbox", "오늘의 상품 " + str(len(titles)) + "개\\n" + "\\n".join(titles[:5]))
"""


def plan(shops: Shops, **more: object) -> dict[str, object]:
    return {
        "name": "새 상품 봇",
        "summary": "가게의 상품을 아침마다 알려요",
        "steps": ["가게를 읽어요", "목록을 만들어요", "받은 보고서로 보내요"],
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
        "hosts": [{"host": "127.0.0.1", "port": shops.port, "scheme": "http", "why": "상품 목록을 읽어요"}],
        "channels": [{"kind": "inbox", "why": "보고"}],
        "contract": [
            {"check": "rows", "path": "outputs/items.csv", "min": 1, "says": "상품이 하나 이상"},
            {"check": "delivered", "contains": ["inbox"], "says": "보고서를 보냈어요"},
        ],
        "seconds_per_run": 3,
        **more,
    }


@pytest.mark.deployed
def test_a_sentence_becomes_an_agent_that_delivers(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    address = shops.address("a")
    question = {"id": "place", "text": "어느 가게를 볼까요?", "kind": "url"}
    code = {"path": "main.py", "content": MAIN.replace("{address}", address)}
    claude.enqueue(
        Reply((Say("좋아요. 하나만 여쭐게요."), Call("ask_user", {"questions": [question]}))),
        Reply((Call("look", {"addresses": [address]}),)),
        Reply((Say("이렇게 해 볼게요."), Call("propose_plan", plan(shops)))),
        Reply((Call("write_file", code, id="toolu_1"), Call("run_test", {}, id="toolu_2"))),
        Reply((Call("finish", {"summary": "아침마다 알려 드릴게요."}),)),
    )
    person = talking.person()
    asked = person.says("매일 아침 9시에 가게의 새 상품을 알려 줘")
    assert (asked["state"], asked["engine"]) == ("asking", "claude"), asked["problem"]
    person.call("POST", f"/api/v1/conversations/{asked['id']}/messages", {"answers": {"place": address}})
    proposed = person.conversation(asked["id"], "proposed", "failed")
    assert proposed["state"] == "proposed", "\n=====\n".join(results(claude))
    ready = person.allows(proposed)
    assert ready["state"] == "ready", "\n=====\n".join(results(claude))
    person.switches(ready["agent_id"], True)
    run = person.runs(ready["agent_id"])
    assert run["outcome"] == "delivered", run["reason"]
    assert "리넨 셔츠 화이트" in run["deliveries"][0]["text"]


def results(claude: MessagesServer) -> list[str]:
    """What the model was told, call after call."""
    asked = [r.body["messages"][-1] for r in claude.requests if not r.path.endswith("count_tokens")]
    return [str(b.get("content") or b.get("text"))[:1500] for message in asked for b in message["content"]]


@pytest.mark.deployed
def test_code_that_fails_is_mended_and_an_agent_is_changed_by_talking(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    address = shops.address("a")
    code = MAIN.replace("{address}", address)
    broken = code.replace('r\'"name": "([^"]+)"\'', "r'no such thing'")
    assert broken != code
    weekdays = plan(shops, schedule={"cron": "0 9 * * 1,2,4,5", "timezone": "Asia/Seoul"})
    claude.enqueue(
        Reply((Call("propose_plan", plan(shops)),)),
        Reply(
            (
                Call("write_file", {"path": "main.py", "content": broken}, id="toolu_1"),
                Call("run_test", {}, id="t2"),
            )
        ),
        Reply(
            (
                Call("write_file", {"path": "main.py", "content": code}, id="toolu_1"),
                Call("run_test", {}, id="t2"),
            )
        ),
        Reply((Say("고쳤어요. 잘 나와요."),)),
    )
    person = talking.person()
    proposed = person.says(f"매일 아침 9시에 {address} 상품을 알려 줘")
    assert proposed["state"] == "proposed", "\n=====\n".join(results(claude))
    ready = person.allows(proposed)
    assert ready["state"] == "ready", "\n=====\n".join(results(claude))
    failed = next(told for told in results(claude) if "did not pass" in told)
    assert "BROKEN: 상품이 하나 이상" in failed
    person.switches(ready["agent_id"], True)

    claude.enqueue(
        Reply((Say("수요일은 뺄게요."), Call("propose_plan", weekdays))),
        Reply((Call("read_file", {"path": "main.py"}),)),
        Reply((Call("run_test", {}),)),
        Reply((Call("finish", {"summary": "수요일은 쉬어요."}),)),
    )
    person.call("POST", f"/api/v1/conversations/{ready['id']}/messages", {"text": "수요일은 빼 줘"})
    again = person.conversation(ready["id"], "proposed", "failed")
    assert again["state"] == "proposed", "\n=====\n".join(results(claude))
    assert any("schedule" in row for row in again["plan"]["new_rows"])
    changed = person.allows(again)
    assert changed["state"] == "ready", "\n=====\n".join(results(claude))
    versions = person.call("GET", f"/api/v1/agents/{ready['agent_id']}/versions")["items"]
    assert sorted(v["number"] for v in versions if v["number"]) == [1, 2]
    agent = person.switches(ready["agent_id"], True)
    assert agent["version_number"] == 2
    assert agent["agent_file"]["schedule"]["cron"] == "0 9 * * 1,2,4,5"
    assert person.runs(ready["agent_id"])["outcome"] == "delivered"


@pytest.mark.deployed
def test_the_second_turn_reads_what_the_first_left_ready(
    talking: House, shops: Shops, claude: MessagesServer
) -> None:
    claude.enqueue(
        Reply((Call("look", {"addresses": [shops.address("a")]}),)),
        Reply((Call("propose_plan", plan(shops)),)),
    )
    person = talking.person()
    proposed = person.says(f"매일 아침 9시에 {shops.address('a')} 상품을 알려 줘")
    assert proposed["state"] == "proposed"
    asked = [r.body for r in claude.requests if not r.path.endswith("count_tokens")]
    cache = PromptCache()
    first, second = (cache.usage(body, 0) for body in asked)
    assert first.cache_read == 0
    assert second.cache_read == first.cache_write_5m > 0
    assert second.cache_read > second.cache_write_5m, "most of it was there already"
