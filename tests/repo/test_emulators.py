"""Where tests look for an emulator: its variable, this machine, containers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator_containers import CONTAINERS
from tests.emulators import NotHere, address, choose

HERE = ["java", "-jar", "emulator.jar"]


def found(port: int, work: Path) -> list[str]:
    return HERE


def missing(port: int, work: Path) -> list[str]:
    raise NotHere("The emulator", "install it")


def is_container(command: list[str]) -> bool:
    return command[1].endswith("emulator_containers.py")


@pytest.fixture(autouse=True)
def no_choice_of_whoever_runs_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_EMULATORS", raising=False)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that listens where Docker would."""
    place = tmp_path / "d"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")
        yield


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")


def test_a_variable_names_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "somewhere:1")
    assert address("pubsub") == "somewhere:1"


@pytest.mark.usefixtures("engine")
def test_what_this_machine_holds_comes_before_a_container(tmp_path: Path) -> None:
    assert choose("pubsub", found, 1, tmp_path).command == HERE


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("kind", sorted(CONTAINERS))
def test_a_container_comes_where_docker_is(kind: str, tmp_path: Path) -> None:
    chosen = choose(kind, missing, 4321, tmp_path)
    assert is_container(chosen.command)
    assert chosen.command[2:] == [kind, "4321"]
    assert chosen.missing is not None  # skipped, or failed in CI, when the image cannot be had


@pytest.mark.usefixtures("no_engine")
def test_without_both_the_cure_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotHere, match="install it"):
        choose("pubsub", missing, 1, tmp_path)


@pytest.mark.usefixtures("engine")
def test_containers_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_EMULATORS", "docker")
    assert is_container(choose("pubsub", found, 1, tmp_path).command)
