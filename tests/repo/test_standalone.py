"""What runs where none of our packages are: inside a sandbox, before setup, in an exported agent."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest

from tests.repo.tree import Source, under

# Folder -> what it may import besides the standard library.
ALONE = {
    # time_machine is lent to replays alone, which cannot do without it
    "services/executor/runner": ("services.executor.runner", "services.executor.launcher", "time_machine"),
    "services/executor/launcher": ("services.executor.launcher", "services.executor.runner"),
    "sdk/agent": ("agent",),
    # only `make docs` and the writer of the page's types look there, and both run inside the environment
    "scripts": ("scripts", "shared", "services.gateway.routes"),
}


def foreign(sources: Iterable[Source], own: tuple[str, ...]) -> list[str]:
    return sorted(
        f"{source.name}: {name}"
        for source in sources
        for name in source.imports()
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(f"{name}.".startswith(f"{one}.") or f"{one}.".startswith(f"{name}.") for one in own)
    )


@pytest.mark.parametrize("folder", ALONE)
def test_folder_needs_no_package(folder: str) -> None:
    assert foreign(under(folder), ALONE[folder]) == []


def test_rule_notices_a_package() -> None:
    bad = Source("sdk/agent/x.py", "import requests\nimport json\nfrom agent.state import State\n")

    assert foreign([bad], ("agent",)) == ["sdk/agent/x.py: requests"]
