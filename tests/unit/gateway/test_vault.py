"""The vault: a row moved elsewhere stays shut, keys rotate, others may not read the keyfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.access import OWNER_WORKSPACE
from shared.errors import DecodeError, Misconfigured, NotAllowed, NotFound
from shared.records.gateway import Secret
from shared.store.port import Query
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyfile import KeyfileKeyring, load_keyring, new_key_line
from shared.vault.reveal import reveal
from tests.unit.gateway.conftest import World
from tests.unit.gateway.test_conversations import HOOK, files_with

HERE = Place("wsp_a", "sec_1", 1)


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> KeyfileKeyring:
    return load_keyring(tmp_path_factory.mktemp("keys") / "vault.key")


@given(value=st.text(max_size=200))
def test_what_is_sealed_opens_in_its_place(keyring: KeyfileKeyring, value: str) -> None:
    sealed = seal(value, HERE, keyring)

    assert open_sealed(sealed, HERE, keyring) == value
    assert sealed != seal(value, HERE, keyring)


@pytest.mark.parametrize(
    "place",
    [
        Place("wsp_b", "sec_1", 1),
        Place("wsp_a", "sec_2", 1),
        Place("wsp_a", "sec_1", 2),
        Place("wsp_a|sec_1", "", 1),
    ],
)
def test_a_row_moved_elsewhere_stays_shut(keyring: KeyfileKeyring, place: Place) -> None:
    with pytest.raises(DecodeError):
        open_sealed(seal("v", HERE, keyring), place, keyring)


def test_a_changed_text_stays_shut(keyring: KeyfileKeyring) -> None:
    sealed = seal("value", HERE, keyring)
    other = seal("value", HERE, keyring)
    head, body = sealed.rsplit(".", 1)

    for changed in (
        f"{head}.{other.rsplit('.', 1)[1]}",
        f"{head}.{body[:-6]}AAAA==",
        f"{head}.",
        "v1.x",
        "",
        "v2" + sealed[2:],
    ):
        with pytest.raises(DecodeError):
            open_sealed(changed, HERE, keyring)


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    before = load_keyring(path)
    old = seal("v", HERE, before)
    with path.open("a") as file:
        file.write(new_key_line())

    after = load_keyring(path)

    assert open_sealed(old, HERE, after) == "v"
    assert seal("v", HERE, after).split(".")[1] == after.current.id != before.current.id
    assert after.derive("downloads") == before.derive("downloads")
    with pytest.raises(DecodeError):
        open_sealed(seal("v", HERE, after), HERE, before)


def test_the_keyfile_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"

    first, second = load_keyring(path), load_keyring(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert first == second
    assert [p.name for p in tmp_path.iterdir()] == ["vault.key"]
    assert "key=" not in repr(first.current).replace("key='k", "")


@pytest.mark.parametrize("spoil", ["readable", "empty", "garbage", "changed"])
def test_a_keyfile_that_cannot_be_trusted_stops_the_start(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "vault.key"
    load_keyring(path)
    if spoil == "readable":
        path.chmod(0o640)
    elif spoil == "changed":
        path.write_text("k000000000000" + path.read_text()[13:])
    else:
        path.write_text("" if spoil == "empty" else "k1 nonsense\n")

    with pytest.raises(Misconfigured, match=r"vault\.key"):
        load_keyring(path)


def secret(world: World) -> Secret:
    world.call("PUT", "/api/v1/secrets/API_KEY", json={"value": "clear-1", "host": "api.example.com"})
    (found,) = world.deps.store.query(Query("secrets", limit=5))
    return Secret.from_doc(found.data)


def test_a_stolen_row_does_not_open_in_another_workspace(world: World) -> None:
    row = secret(world)
    world.put("gateway", "secrets", row.but(workspace_id="wsp_charlie"))
    keyring = load_keyring(world.data / "vault.key")

    with pytest.raises(DecodeError):
        reveal(world.deps.store, keyring, "wsp_charlie", row.id, "api.example.com")


def test_revealing_needs_workspace_and_host(world: World) -> None:
    row = secret(world)
    keyring = load_keyring(world.data / "vault.key")

    assert reveal(world.deps.store, keyring, OWNER_WORKSPACE, row.id, "api.example.com") == "clear-1"
    for workspace, host, error in (
        (OWNER_WORKSPACE, "evil.example.com", NotAllowed),
        (OWNER_WORKSPACE, "", NotAllowed),
        ("wsp_charlie", "api.example.com", NotFound),
    ):
        with pytest.raises(error):
            reveal(world.deps.store, keyring, workspace, row.id, host)


def test_a_new_value_replaces_the_old_under_the_same_entry(world: World) -> None:
    row = secret(world)

    assert (
        world.call(
            "PUT", "/api/v1/secrets/API_KEY", json={"value": "clear-2", "host": "api.example.com"}
        ).status_code
        == 204
    )

    vault = world.deps.vault
    assert vault.reveal(world.deps.store, OWNER_WORKSPACE, row.id, "api.example.com") == "clear-2"
    assert len(world.call("GET", "/api/v1/secrets").json["items"]) == 1
    world.call("PUT", "/api/v1/secrets/API_KEY", json={"value": "clear-3", "host": "other.example.com"})
    assert vault.reveal(world.deps.store, OWNER_WORKSPACE, row.id, "api.example.com") == "clear-2"


def test_values_are_never_given_back_and_never_stand_in_a_file(world: World) -> None:
    secret(world)
    world.call("PUT", "/api/v1/secrets/SLACK_WEBHOOK_URL", json={"value": HOOK})

    listed = world.call("GET", "/api/v1/secrets")

    assert "clear-1" not in listed.text
    assert listed.json["items"][0].keys() == {"name", "host", "created_at", "last_used_at"}
    assert not files_with(world.data, "clear-1")
    assert not files_with(world.data, HOOK[-14:])


def test_a_stranger_sees_and_deletes_no_secret(world: World) -> None:
    row = secret(world)

    assert world.as_charlie("GET", "/api/v1/secrets").json["items"] == []
    assert world.as_charlie("DELETE", "/api/v1/secrets/API_KEY").status_code == 404
    world.as_charlie("PUT", "/api/v1/secrets/API_KEY", json={"value": "hers", "host": "api.example.com"})

    reveal_it = world.deps.vault.reveal
    assert reveal_it(world.deps.store, OWNER_WORKSPACE, row.id, "api.example.com") == "clear-1"


def test_a_deleted_secret_is_gone_for_good(world: World) -> None:
    row = secret(world)

    assert world.call("DELETE", "/api/v1/secrets/API_KEY").status_code == 204
    assert world.call("DELETE", "/api/v1/secrets/API_KEY").status_code == 404

    with pytest.raises(NotFound):
        world.deps.vault.reveal(world.deps.store, OWNER_WORKSPACE, row.id, "api.example.com")
    found = world.deps.store.get("secrets", row.id)
    assert found is not None
    assert found.data["sealed"] == ""


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("lower", {"value": "v", "host": "h.example.com"}),
        ("API_KEY", {"value": "", "host": "h.example.com"}),
        ("API_KEY", {"value": "   ", "host": "h.example.com"}),
        ("API_KEY", {"value": "v"}),
        ("API_KEY", {"value": "v" * 8001, "host": "h.example.com"}),
        ("API_KEY", {"host": "h.example.com"}),
    ],
)
def test_a_bad_secret_is_told_what_to_do_and_not_echoed(
    world: World, name: str, body: dict[str, Any]
) -> None:
    answer = world.call("PUT", f"/api/v1/secrets/{name}", json=body)

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert world.call("GET", "/api/v1/secrets").json["items"] == []
