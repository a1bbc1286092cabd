"""What is not enforced here is told in the reader's language, in the terminal and on the page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from services.executor import limits
from services.executor.launcher.cgroups import NoGroups
from services.executor.ports import Enforcement
from services.executor.siege.doctor import tell_enforcement

ROOT = Path(__file__).parents[4] / "services" / "executor"
KOREAN = re.compile("[가-힣]")


def test_every_reason_a_backend_gives_has_two_sentences_when_a_limit_is_not_enforced() -> None:
    docker = ast.walk(ast.parse((ROOT / "adapters" / "docker.py").read_text()))
    words = {node.value for node in docker if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    codes = {word for word in words if re.fullmatch(r"docker_[a-z]+|[a-z]+_measured", word)}

    assert codes == {"disk_measured", "docker_memory", "docker_processes"}
    for code in codes | set(NoGroups().missing.values()):
        korean, english = limits.told(code, "ko"), limits.told(code, "en")
        assert KOREAN.search(korean), code
        assert " " in english, code
        assert not KOREAN.search(english), code


def test_the_terminal_shows_sentences_and_no_codes() -> None:
    lines: list[str] = []

    tell_enforcement(Enforcement("docker", frozenset(), NoGroups().missing, "bubblewrap", "no"), lines.append)

    assert lines[1] == "  bubblewrap does not work here, so docker is used: no"
    assert [line.partition(";")[0] for line in lines[2:]] == [
        f"  not enforced  {name}: no control group of this machine can be written by this user"
        for name in ("cpu", "memory")
    ]


def test_a_cure_is_told_as_it_is() -> None:
    assert limits.told("Allow them with: sudo sysctl -w x=0", "ko") == "Allow them with: sudo sysctl -w x=0"
