"""Where tests look for an emulator: its variable, this machine, containers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulators import NotHere, Start, address, choose
from tests.google import named

HERE = ["java", "-jar", "emulator.jar"]


def found(port: int, work: Path) -> list[str]:
    return HERE


def missing(port: int, work: Path) -> list[str]:
    raise NotHere("The emulator", "install it")


def is_container(command: list[str]) -> bool:
    return command[1].endswith("emulator_containers.py")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """Something that listens where Docker would."""
    place = tmp_path / "d"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        yield f"unix://{place}"


def chosen(command: Callable[[int, Path], list[str]], folder: Path, engine: str, asked: str = "") -> Start:
    with named(DOCKER_HOST=engine, TEST_EMULATORS=asked):
        return choose("pubsub", command, 4321, folder)


def test_a_variable_names_the_emulator() -> None:
    with named(PUBSUB_EMULATOR_HOST="somewhere:1"):
        assert address("pubsub") == "somewhere:1"


def test_what_this_machine_holds_comes_before_a_container(tmp_path: Path, engine: str) -> None:
    assert chosen(found, tmp_path, engine).command == HERE


def test_a_container_comes_where_docker_is(tmp_path: Path, engine: str) -> None:
    start = chosen(missing, tmp_path, engine)
    assert is_container(start.command)
    assert start.command[2:] == ["pubsub", "4321"]
    assert start.missing is not None  # skipped, or failed in CI, when the image cannot be had


def test_without_both_the_cure_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotHere, match="install it"):
        chosen(missing, tmp_path, f"unix://{tmp_path}/none")


def test_containers_can_be_asked_for(tmp_path: Path, engine: str) -> None:
    assert is_container(chosen(found, tmp_path, engine, asked="docker").command)
