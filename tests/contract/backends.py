"""Every backend of the sandbox port by name, for the suites that hold on all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.contained import ContainedSandbox
from services.executor.adapters.docker import DockerEngine
from services.executor.adapters.gvisor import GvisorEngine
from services.executor.ports import Sandbox
from tests.contract.remote_sandbox import RemoteHouse
from tests.needs import unavailable

ISOLATING = ("bubblewrap", "docker", "gvisor", "cloud_run")


def made(name: str, folder: Path, request: pytest.FixtureRequest) -> Sandbox:
    """Not asked yet whether it works. Docker gets the session's own daemon, cloud_run a stand-in for Google."""
    if name == "cloud_run":
        house = RemoteHouse(folder)
        request.addfinalizer(house.close)
        return house.sandbox
    if name == "docker":
        return ContainedSandbox(folder, DockerEngine(request.getfixturevalue("docker_daemon")))
    return ContainedSandbox(folder, GvisorEngine()) if name == "gvisor" else BubblewrapSandbox(folder)


def opened(name: str, folder: Path, request: pytest.FixtureRequest) -> Sandbox:
    """One that works; skipped, or failed in CI, where it cannot."""
    sandbox = made(name, folder, request)
    missing = sandbox.enforcement().missing
    if "all" in missing:
        sandbox.close()
        unavailable(f"the {name} sandbox", missing["all"])
    return sandbox
