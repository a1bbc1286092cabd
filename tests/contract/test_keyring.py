"""What every keyring promises, on the keyfile and on Cloud KMS; and what is KMS's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import DecodeError, Misconfigured, Unavailable
from shared.runtime.profiles.google import kms_client
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyfile import load_keyring
from shared.vault.keyring import Keys, Ring
from shared.vault.kms import KmsKeys, key_ring
from tests.fakes.kms import FakeKms

RINGS: tuple[Ring, ...] = ("secrets", "connections", "tapes", "doors")
HERE = Place("wsp_one", "sec_1", 1)


@pytest.fixture
def kms() -> Iterator[FakeKms]:
    with FakeKms() as made:
        yield made


def of_kms(kms: FakeKms, patience_s: float = 60) -> KmsKeys:
    return KmsKeys(kms_client(kms.address), key_ring("p", "here"), patience_s)


@pytest.fixture(params=["keyfile", "kms"])
def keys(request: pytest.FixtureRequest, kms: FakeKms, tmp_path: Path) -> Keys:
    return load_keyring(tmp_path / "vault.key") if request.param == "keyfile" else of_kms(kms)


@pytest.mark.parametrize("ring", RINGS)
def test_what_was_wrapped_is_unwrapped_in_its_place(keys: Keys, ring: Ring) -> None:
    keyring = keys.ring(ring)
    key_id, wrapped = keyring.wrap(bytes(range(32)), b"here")

    assert keyring.unwrap(key_id, wrapped, b"here") == bytes(range(32))
    assert "." not in key_id
    assert keyring.wrap(bytes(range(32)), b"here")[1] != wrapped
    assert bytes(range(32)) not in wrapped


@pytest.mark.parametrize("change", ["place", "text", "cut", "empty", "key"])
def test_anything_else_stays_shut(keys: Keys, change: str) -> None:
    keyring = keys.ring("secrets")
    key_id, wrapped = keyring.wrap(bytes(32), b"here")
    place = b"there" if change == "place" else b"here"
    key_id = "kother" if change == "key" else key_id
    other = {"text": wrapped[:-1] + bytes([wrapped[-1] ^ 1]), "cut": wrapped[:-4], "empty": b""}

    with pytest.raises(DecodeError):
        keyring.unwrap(key_id, other.get(change, wrapped), place)


@pytest.mark.parametrize("other", ["connections", "doors"])
def test_rings_do_not_open_what_is_anothers(keys: Keys, other: Ring) -> None:
    sealed = seal("value", HERE, keys.ring("secrets"))

    assert open_sealed(sealed, HERE, keys.ring("secrets")) == "value"
    with pytest.raises(DecodeError):
        open_sealed(sealed, HERE, keys.ring(other))


def test_derived_keys_are_the_same_again_and_others_for_other_purposes(keys: Keys) -> None:
    purposes = ["run tokens", "attempt tokens", "fingerprints", "signed links"]

    assert [keys.derive(purpose) for purpose in purposes] == [keys.derive(purpose) for purpose in purposes]
    assert len({keys.derive(purpose) for purpose in purposes}) == 4
    assert {len(keys.derive(purpose)) for purpose in purposes} == {32}


def test_every_process_derives_the_same(kms: FakeKms) -> None:
    assert of_kms(kms).derive("run tokens") == of_kms(kms).derive("run tokens")


def test_what_an_older_version_wrapped_still_opens(kms: FakeKms) -> None:
    keyring = of_kms(kms).ring("secrets")
    old = seal("old", HERE, keyring)
    kms.rotate("secrets")
    new = seal("new", HERE, keyring)

    assert [open_sealed(sealed, HERE, keyring) for sealed in (old, new)] == ["old", "new"]


def test_who_may_not_is_told_which_key_it_was(kms: FakeKms) -> None:
    kms.refused.add("secrets")
    keys = of_kms(kms)

    with pytest.raises(Misconfigured, match="cryptoKeys/secrets"):
        keys.ring("secrets").wrap(bytes(32), b"here")
    assert keys.ring("connections").wrap(bytes(32), b"here")


def test_a_key_service_that_is_away_for_a_moment_is_asked_again_and_one_that_stays_away_is_unavailable(
    kms: FakeKms,
) -> None:
    keyring = of_kms(kms).ring("secrets")
    kms.failing = 1
    key_id, wrapped = keyring.wrap(bytes(32), b"here")
    assert keyring.unwrap(key_id, wrapped, b"here") == bytes(32)

    kms.failing = 1000
    with pytest.raises(Unavailable) as away:
        of_kms(kms, patience_s=1).ring("secrets").wrap(bytes(32), b"here")
    assert away.value.code == "kms_unavailable"


def test_what_is_damaged_on_its_way_is_noticed(kms: FakeKms) -> None:
    keys = of_kms(kms)
    key_id, wrapped = keys.ring("secrets").wrap(bytes(32), b"here")
    kms.damaged = True

    for work in (
        lambda: keys.ring("secrets").wrap(bytes(32), b"here"),
        lambda: keys.ring("secrets").unwrap(key_id, wrapped, b"here"),
        lambda: keys.derive("run tokens"),
    ):
        with pytest.raises(Unavailable) as noticed:
            work()
        assert noticed.value.code == "kms_damaged"


def test_a_key_is_derived_once_and_each_secret_costs_one_request(kms: FakeKms) -> None:
    keys = of_kms(kms)
    for _ in range(3):
        keys.derive("run tokens")
    sealed = seal("value", HERE, keys.ring("secrets"))
    open_sealed(sealed, HERE, keys.ring("secrets"))

    assert kms.asked == ["MacSign", "Encrypt", "Decrypt"]
