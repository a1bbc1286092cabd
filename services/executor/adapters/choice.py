"""From the setting AB_SANDBOX to the sandboxes to try, in order. Nothing of Docker or Google is loaded unless used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from services.executor.adapters import shapes
from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.claims import Claims
from services.executor.adapters.job_proof import JobProofs
from services.executor.adapters.packed import PackedSites
from services.executor.adapters.remote_attempt import Surroundings
from services.executor.ports import Sandbox
from shared.errors import Misconfigured
from shared.runtime.settings import Settings, variable_names
from shared.runtime.shell import Kit
from shared.vault.run_tokens import AttemptTokens

if TYPE_CHECKING:
    from services.executor.adapters.cloud_run import CloudRunSandbox


def makers(settings: Settings, root: Path) -> list[Callable[[], Sandbox]]:
    """Of this machine. auto: bubblewrap, and Docker where bubblewrap does not work. A name: that one and no other;
    cloud_run leaves the platform's own programs here."""

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
        "cloud_run": [bubblewrap],
        "auto": [bubblewrap, docker],
    }
    return [*chosen[settings.sandbox]]


def elsewhere(kit: Kit, version: str) -> CloudRunSandbox | None:
    """Where runs go when they do not stay on this machine; None: they stay. version: of the code that makes
    sandboxes. Raises Misconfigured naming what is not set."""
    settings = kit.settings
    if settings.sandbox != "cloud_run":
        return None
    from services.executor.adapters.cloud_run import CloudRunSandbox
    from services.executor.adapters.executions import GoogleExecutions

    for name in ("gcp_project", "gcp_region", "run_api_url", "run_shapes"):
        if not getattr(settings, name):
            raise Misconfigured(f"AB_SANDBOX=cloud_run needs {variable_names()[name]}.")
    folder = kit.data_dir / "runs-elsewhere"
    place = f"projects/{settings.gcp_project}/locations/{settings.gcp_region}"
    return CloudRunSandbox(
        GoogleExecutions(place, settings.cloud_run_host),
        Claims(kit.store, kit.clock),
        AttemptTokens(kit.keys, kit.clock),
        shapes.read(settings.run_shapes),
        settings.run_api_url,
        Surroundings(folder, version, settings.egress_url, kit.clock),
        JobProofs(kit.store, kit.clock, kit.ids, version, folder / "doctor"),
        PackedSites(kit.store, kit.blobs),
    )
