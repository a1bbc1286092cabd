"""From the setting AB_SANDBOX to the sandboxes to try, in order. Nothing of Docker is loaded unless it is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.ports import Sandbox
from shared.runtime.settings import Settings


def makers(settings: Settings, root: Path) -> list[Callable[[], Sandbox]]:
    """auto: bubblewrap, and Docker where bubblewrap does not work. A name: that one and no other."""

    def bubblewrap() -> Sandbox:
        return BubblewrapSandbox(root)

    def docker() -> Sandbox:
        from services.executor.adapters.contained import ContainedSandbox
        from services.executor.adapters.docker import DockerEngine

        return ContainedSandbox(root / "docker", DockerEngine(settings.docker_host))

    def gvisor() -> Sandbox:
        from services.executor.adapters.contained import ContainedSandbox
        from services.executor.adapters.gvisor import GvisorEngine

        return ContainedSandbox(root / "gvisor", GvisorEngine())

    chosen = {
        "bubblewrap": [bubblewrap],
        "docker": [docker],
        "gvisor": [gvisor],
        "auto": [bubblewrap, docker],
    }
    return [*chosen[settings.sandbox]]
