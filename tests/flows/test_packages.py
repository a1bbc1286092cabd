"""A package that needs a yes: the question stands in the conversation, and only the answer moves the build on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.fakes.index import FakeIndex
from tests.flows.house import House, new_house
from tests.flows.imports import agent_zip, imported
from tests.flows.person import Answered, Json, Person

MAIN = "import agent, reqeusts\nagent.deliver('inbox', f'v{reqeusts.HERE}')\n"


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    made.add_old("reqeusts")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, index: FakeIndex) -> Iterator[House]:
    made = new_house(tmp_path_factory.mktemp("packages"))
    made.environment["AB_PACKAGE_INDEX"] = index.url
    made.open()
    yield made
    made.close()


@pytest.fixture
def person(house: House) -> Person:
    return house.person(patience_s=40)


def asked(person: Person) -> tuple[Json, Json]:
    """(conversation, the open question) of a new agent that wants the package."""
    conversation = imported(person, agent_zip(MAIN, packages=["reqeusts"]))
    plan = conversation["plan"]
    body = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
    person.call("POST", f"/api/v1/plans/{plan['id']}/decision", body)
    shown = person.wait(f"/api/v1/conversations/{conversation['id']}", lambda c: question_in(c) is not None)
    stands = question_in(shown)
    assert stands is not None
    found = person.call("GET", "/api/v1/permission-requests")["items"]
    request = next(one for one in found if one["id"] == stands["permission_request_id"])
    return shown, request


def question_in(conversation: Json) -> Json | None:
    for message in reversed(conversation["messages"]):
        data: Json = message.get("data", message)
        if data.get("step") == "packages":
            return data
    return None


@pytest.mark.deployed
def test_the_build_waits_for_a_yes_and_goes_on_with_it(person: Person) -> None:
    conversation, request = asked(person)
    assert conversation["state"] == "building"
    assert request["kind"] == "package"
    assert request["packages"] == ["reqeusts==1.0"]
    assert "requests" in request["sentence"]
    assert "한 글자" in request["sentence"]
    person.call("POST", f"/api/v1/permission-requests/{request['id']}/decision", {"decision": "allow"})
    ready = person.conversation(conversation["id"], "ready", "failed")
    assert ready["state"] == "ready", ready["problem"]
    again = person.call(
        "POST", f"/api/v1/permission-requests/{request['id']}/decision", {"decision": "allow"}
    )
    assert again["id"] == request["id"], "said twice is said once"
    with pytest.raises(Answered) as refused:
        person.call("POST", f"/api/v1/permission-requests/{request['id']}/decision", {"decision": "deny"})
    assert refused.value.status == 409


@pytest.mark.deployed
def test_the_build_ends_with_a_sentence_when_the_answer_is_no_and_another_version_is_asked_for_itself(
    person: Person,
) -> None:
    conversation, request = asked(person)
    person.call("POST", f"/api/v1/permission-requests/{request['id']}/decision", {"decision": "deny"})
    ended = person.conversation(conversation["id"], "ready", "failed")
    assert ended["state"] == "failed"
    assert "reqeusts==1.0" in ended["problem"]
    status = person.call("GET", "/api/v1/permission-requests?status=denied")["items"]
    assert request["id"] in {one["id"] for one in status}


@pytest.mark.deployed
def test_the_build_ends_when_nobody_answers_for_three_days(house: House, person: Person) -> None:
    conversation, request = asked(person)
    house.clock.forward_to(house.clock.now() + timedelta(hours=73))
    ended = house.person(patience_s=40).conversation(conversation["id"], "ready", "failed")
    assert "사흘" in ended["problem"]
    expired = person.call("GET", "/api/v1/permission-requests?status=expired")["items"]
    assert request["id"] in {one["id"] for one in expired}


@pytest.mark.deployed
def test_an_invented_package_is_named_in_the_conversation(person: Person) -> None:
    conversation = imported(person, agent_zip("import agent\n", packages=["no-such-thing-at-all"]))
    ended = person.allows(conversation)
    assert ended["state"] == "failed"
    assert "no-such-thing-at-all" in ended["problem"]
