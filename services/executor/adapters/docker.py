"""Docker as an engine of sandboxes: one container each, of an image that holds nothing but links.

The machine's own /usr and interpreter are bound into it, as bubblewrap does, so no registry is ever asked.
"""

from __future__ import annotations

import io
import math
import os
import select
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.executor.adapters.contained import SYSTEM
from services.executor.adapters.containers import Container, Figures, Plan, figures
from services.executor.launcher import cgroups
from shared.errors import Unavailable

_IMAGE, _TAG = "agentbuilder-empty", "1"
_LABEL, _ATTEMPT = "agentbuilder.sandbox", "agentbuilder.attempt"
_PATIENCE_S = 60
_INSTALL = "sudo apt-get install docker.io"
_RUNTIME = "runsc"
_FIRST_PROCESS = 1  # ours, on top of what the code may start
_NO_GROUPS = "the control groups of Docker's containers are not seen from here"


class DockerEngine:
    """address: "" for the socket of this machine's own daemon."""

    name = "docker"
    first_uid = 21000

    def __init__(self, address: str = "") -> None:
        self._address = address or "unix:///var/run/docker.sock"
        self._client: Any = None
        self._owner = ""
        self._runtime = ""
        self.by_rights = True
        self.roles = "life,stdout,stderr,report,job"
        self.enforced = frozenset({"wall", "cpu", "memory", "processes", "disk", "inodes", "files", "output"})
        self.missing: dict[str, str] = {}

    def open(self, runtime: Path, folder: Path) -> None:
        import docker
        from docker.errors import DockerException

        try:
            self._client = docker.DockerClient(base_url=self._address, timeout=_PATIENCE_S)
            about = self._client.info()
            if not self._client.images.list(f"{_IMAGE}:{_TAG}"):
                self._client.api.import_image_from_data(_links(), repository=_IMAGE, tag=_TAG)
        except (DockerException, OSError) as error:
            raise Unavailable(f"Docker does not answer ({error}). Install or start it: {_INSTALL}") from error
        self._owner = f"{folder.stat().st_ino:x}"
        if _RUNTIME in about.get("Runtimes", {}):
            self._runtime, self.by_rights, self.name = _RUNTIME, False, "docker with gVisor"
        if os.geteuid() != 0:
            self.missing |= {"disk": "disk_measured", "inodes": "disk_measured"}
        if not about.get("MemoryLimit", True):
            self.missing["memory"] = "docker_memory"
        if not about.get("PidsLimit", True):
            self.missing["processes"] = "docker_processes"
        self.enforced -= set(self.missing)

    def run(self, plan: Plan) -> Container:
        made = self._client.containers.create(
            f"{_IMAGE}:{_TAG}",
            list(plan.command),
            user=f"{plan.uid}:{plan.uid}",
            environment=plan.env,
            working_dir="/box",
            hostname="sandbox",
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=plan.limits.memory_bytes,
            memswap_limit=plan.limits.memory_bytes,
            pids_limit=plan.limits.processes + _FIRST_PROCESS,
            ulimits=_bounds(plan),
            mounts=_mounts(plan),
            log_config={"type": "json-file", "config": {"max-size": "16k"}},
            labels={_LABEL: self._owner, _ATTEMPT: plan.id},
            runtime=self._runtime or None,
        )
        container = _Container(made)
        try:
            made.start()
            container.meet()
        except Exception:
            container.remove()
            raise
        return container

    def sweep(self, known: Iterable[str]) -> None:
        held = set(known)
        with suppress(Exception):  # a daemon that is gone has ended its containers or will be swept when back
            for left in self._client.containers.list(all=True, filters={"label": f"{_LABEL}={self._owner}"}):
                if left.labels.get(_ATTEMPT) not in held:
                    left.remove(force=True, v=True)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


class _Container:
    stdio: tuple[int, int] | None = None

    def __init__(self, made: Any) -> None:
        self._made = made
        self._pidfd = -1
        self._group: cgroups.Group | None = None
        self._status: int | None = None
        self._last = Figures()

    def meet(self) -> None:
        """The process and control groups behind it, while they are there."""
        pid = self._made.client.api.inspect_container(self._made.id)["State"]["Pid"]
        with suppress(OSError):
            self._pidfd = os.pidfd_open(pid)
            self._group = cgroups.of_process(
                Path("/proc/self/mountinfo").read_text(), Path(f"/proc/{pid}/cgroup").read_text()
            )

    def wait(self, timeout_s: float) -> int | None:
        if self._status is None:
            if self._pidfd >= 0 and not select.select([self._pidfd], [], [], timeout_s)[0]:
                return None
            self._look()  # before Docker has taken the groups away
            self._status = int(self._made.wait()["StatusCode"])
        return self._status

    def figures(self) -> Figures:
        if self._status is None:
            self._look()
        return self._last

    def _look(self) -> None:
        """Counters never fall; a group that is gone reads as zero."""
        if self._group is None:
            return
        seen = figures(self._group)
        self._last = Figures(
            max(seen.cpu_ms, self._last.cpu_ms),
            max(seen.memory_peak_bytes, self._last.memory_peak_bytes),
            seen.out_of_memory or self._last.out_of_memory,
            seen.refused_forks or self._last.refused_forks,
        )

    def kill(self) -> None:
        with suppress(Exception):  # it ended by itself
            self._made.kill()

    def remove(self) -> None:
        with suppress(Exception):
            self._made.remove(force=True, v=True)
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def said(self) -> str:
        words = []
        with suppress(Exception):
            words.append(self._made.logs(tail=5).decode(errors="replace").strip()[-400:])
        with suppress(Exception):
            self._made.reload()
            words.append(str(self._made.attrs["State"].get("Error", "")))
        return " ".join(word for word in words if word)


def _links() -> bytes:
    """The whole image: the machine's links into /usr."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path in SYSTEM:
            if path.is_symlink():
                link = tarfile.TarInfo(path.name)
                link.type, link.linkname = tarfile.SYMTYPE, str(path.readlink())
                tar.addfile(link)
    return out.getvalue()


def _mounts(plan: Plan) -> list[Any]:
    from docker.types import Mount

    return [Mount(one.inside, one.host, type="bind", read_only=not one.writable) for one in plan.binds]


def _bounds(plan: Plan) -> list[Any]:
    from docker.types import Ulimit

    bounds = {
        "nofile": plan.limits.open_files,
        "fsize": plan.limits.disk_bytes,
        "cpu": math.ceil(plan.limits.cpu_s) + 1,
        "core": 0,
        "memlock": 64 << 10,
        "msgqueue": 0,
        "sigpending": 256,
    }
    return [Ulimit(name=name, soft=bound, hard=bound) for name, bound in bounds.items()]
