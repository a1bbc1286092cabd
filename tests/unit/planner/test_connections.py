"""Connecting a model: one tiny call with the new key, and one word about it; the key is nowhere but in the seal."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from services.planner.adapters.keys import ConnectedKeys
from services.planner.adapters.llms import OpenLlms
from services.planner.ports import LlmRequest, Message, ModelKey, Text
from services.planner.trouble import model_trouble
from shared.clock import SystemClock
from shared.errors import DecodeError, NotYet
from shared.events.connection import ConnectionTested, ConnectionTyped
from shared.records.gateway import Connection
from shared.runtime.settings import Settings
from shared.vault.connections import ConnectionKeys
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyfile import KeyfileKeyring, load_keyring
from tests.fakes.llm import ScriptedLlm
from tests.fakes.llm_script import Do, Refuse, Reply, Say
from tests.unit.desk import WORKSPACE
from tests.unit.planner.conftest import PlannerDesk

KEY = "sk-ant-a-key-that-nobody-may-see"
TYPED = ModelKey(KEY, "", "model-1", own=True)
ID = f"{WORKSPACE}-claude"
HELLO = LlmRequest("model-1", (Message("user", (Text("hello"),)),), 16, 5)


def test_a_key_that_answers_is_said_to_work_with_what_it_took(desk: PlannerDesk) -> None:
    desk.keys.waiting = TYPED
    desk.llm.enqueue(Reply((Say("hello"),)))

    desk.hears(ConnectionTyped(connection_id=ID, version=3))
    desk.works()

    (tested,) = desk.said(ConnectionTested)
    assert (tested.ok, tested.version, tested.model, tested.problem) == (True, 3, "model-1", {})
    assert tested.tokens > 0
    (asked,) = desk.llm.requests
    assert asked.max_output_tokens <= 16


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refuse(401, "authentication_error", "invalid x-api-key"), "key_refused"),
        (Refuse(400, "invalid_request_error", "Your credit balance is too low"), "no_credit"),
        (Refuse(404, "not_found_error", "model: model-1"), "model_unknown"),
        (Refuse(529, "overloaded_error", "Overloaded"), "overloaded"),
    ],
)
def test_each_trouble_has_its_sentence_and_is_met_once(desk: PlannerDesk, refusal: Refuse, code: str) -> None:
    desk.keys.waiting = TYPED
    desk.llm.enqueue(refusal)

    desk.hears(ConnectionTyped(connection_id=ID, version=1))
    desk.works()

    (tested,) = desk.said(ConnectionTested)
    assert (tested.ok, tested.code) == (False, code)
    assert tested.problem == {"ko": model_trouble(code, "ko"), "en": model_trouble(code, "en")}
    assert len(desk.llm.requests) == 1


def test_a_key_that_was_replaced_meanwhile_is_not_tried(desk: PlannerDesk) -> None:
    desk.hears(ConnectionTyped(connection_id=ID, version=1))
    desk.works()

    assert desk.llm.requests == []
    assert desk.said(ConnectionTested) == []


def test_the_key_is_in_no_document_and_no_event(desk: PlannerDesk) -> None:
    desk.keys.waiting = TYPED
    desk.llm.enqueue(Refuse(401, "authentication_error", f"invalid key {KEY}"))

    desk.hears(ConnectionTyped(connection_id=ID, version=1))
    held = json.dumps(desk.documents("_claims"))
    desk.works()

    assert KEY not in held
    assert KEY not in json.dumps([envelope.data for envelope in desk.outgoing()])
    assert KEY not in repr(TYPED)


@pytest.fixture
def keyring(tmp_path: Path) -> KeyfileKeyring:
    return load_keyring(tmp_path / "ring")


def connection(keyring: KeyfileKeyring, **changes: object) -> Connection:
    sealed = ConnectionKeys(keyring).seal(KEY, Place(WORKSPACE, ID, 1))
    return Connection(
        id=ID,
        workspace_id=WORKSPACE,
        kind="claude",
        state="working",
        sealed=sealed,
        hint="-see",
        model="model-1",
        typed_at="2026-11-26T00:00:00.000000Z",
        tested_at="2026-11-26T00:00:01.000000Z",
    ).but(**changes)


def keys(
    desk: PlannerDesk, keyring: KeyfileKeyring, found: Connection | None, **settings: object
) -> ConnectedKeys:
    if found is not None:
        desk.put("gateway", "connections", found.id, found.to_doc())
    return ConnectedKeys(
        desk.databases.read("gateway"), ConnectionKeys(keyring), Settings.model_validate(settings)
    )


def test_a_working_connection_comes_before_the_operators_key(
    desk: PlannerDesk, keyring: KeyfileKeyring
) -> None:
    found = keys(desk, keyring, connection(keyring), anthropic_api_key="operator")

    assert found.key_for(WORKSPACE) == TYPED
    assert found.builder_key_for(WORKSPACE) == TYPED


@pytest.mark.parametrize(
    "changes",
    [{"state": "failed"}, {"state": "testing", "tested_at": None}, {"deleted_at": "2026", "sealed": ""}],
)
def test_without_one_builds_use_the_operators_key_and_agents_none(
    desk: PlannerDesk, keyring: KeyfileKeyring, changes: dict[str, object]
) -> None:
    found = keys(desk, keyring, connection(keyring, **changes), anthropic_api_key="operator", model="m")

    assert found.key_for(WORKSPACE) is None
    assert found.builder_key_for(WORKSPACE) == ModelKey("operator", "", "m", own=False)


def test_where_workspaces_share_an_installation_each_pays_for_itself(
    desk: PlannerDesk, keyring: KeyfileKeyring
) -> None:
    found = keys(desk, keyring, None, anthropic_api_key="operator", profile="gcp", gcp_project="p")

    assert found.builder_key_for(WORKSPACE) is None


def test_while_a_new_key_is_tested_builds_go_on_with_it(desk: PlannerDesk, keyring: KeyfileKeyring) -> None:
    found = keys(desk, keyring, connection(keyring, state="testing"))

    assert found.key_for(WORKSPACE) == TYPED


def test_another_workspaces_connection_is_not_there(desk: PlannerDesk, keyring: KeyfileKeyring) -> None:
    moved = connection(keyring).but(id="wsp_other-claude")
    found = keys(desk, keyring, moved)

    assert found.key_for("wsp_other") is None
    stolen = keys(desk, keyring, moved.but(workspace_id="wsp_other"))
    with pytest.raises(DecodeError):
        stolen.key_for("wsp_other")


def test_only_the_number_that_was_announced_is_tested(desk: PlannerDesk, keyring: KeyfileKeyring) -> None:
    found = keys(desk, keyring, connection(keyring, state="testing", tested_at=None))

    assert found.typed(WORKSPACE, 1) == TYPED
    assert keys(desk, keyring, connection(keyring, version=2, sealed="")).typed(WORKSPACE, 1) is None
    with pytest.raises(NotYet):
        found.typed(WORKSPACE, 3)


def test_secrets_and_connections_do_not_open_as_each_other(keyring: KeyfileKeyring) -> None:
    place = Place(WORKSPACE, ID, 1)
    secret = seal("a secret", place, keyring)
    typed = connection(keyring)

    assert ConnectionKeys(keyring).open(typed) == KEY
    with pytest.raises(DecodeError):
        ConnectionKeys(keyring).open(typed.but(sealed=secret))
    with pytest.raises(DecodeError):
        open_sealed(typed.sealed, place, keyring)
    # also when the name of the key is made to fit
    _, _, *rest = typed.sealed.split(".")
    with pytest.raises(DecodeError):
        open_sealed(".".join(("v1", keyring.current.id, *rest)), place, keyring)


class Closed(ScriptedLlm):
    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_one_model_is_kept_open_until_its_key_changes() -> None:
    made: list[Closed] = []

    def make(key: ModelKey) -> Closed:
        made.append(Closed())
        return made[-1]

    llms = OpenLlms(SystemClock(), make)
    first = llms.llm_for("wsp_a", TYPED)
    assert llms.llm_for("wsp_a", replace(TYPED, model="other")) is first
    assert llms.llm_for("wsp_b", TYPED) is not first
    llms.llm_for("wsp_a", replace(TYPED, key="another"))

    assert [llm.closed.is_set() for llm in made] == [True, False, False]
    llms.close()
    assert all(llm.closed.is_set() for llm in made)


def test_a_key_that_changes_does_not_cut_the_answer_under_way() -> None:
    llm, other = Closed(), Closed()
    llms = OpenLlms(SystemClock(), lambda key: llm if key.key == KEY else other)
    still_open: list[bool] = []

    def change() -> None:
        llms.llm_for("wsp_a", replace(TYPED, key="another"))
        still_open.append(not llm.closed.is_set())

    llm.enqueue(Reply((Do(change), Say("hello"))))
    events = list(llms.llm_for("wsp_a", TYPED).stream(HELLO))

    assert still_open == [True]
    assert events
    assert llm.closed.is_set()
