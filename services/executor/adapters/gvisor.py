"""gVisor without Docker: one `runsc run` per sandbox, a child of ours, in control groups of ours.

The sandbox has a kernel of its own, written in Go; the machine's kernel sees only what that one asks for.
"""

from __future__ import annotations

import json
import math
import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from services.executor.adapters.contained import SYSTEM
from services.executor.adapters.containers import Bind, Container, Figures, Plan, figures
from services.executor.launcher import cgroups
from shared import processors
from shared.errors import Unavailable

_INSTALL = "sudo apt-get install runsc"
_RUNSC = ("/usr/bin/runsc", "/usr/local/bin/runsc")
_OVERHEAD = 96 << 20  # gVisor's kernel and file server, on top of what the code may use
_OWN_THREADS = 256  # theirs: a bound on processes of the machine, not of the code
_TRIES, _RETRY_S = 100, 0.02
# waits until it is in its control groups: once it is runsc it has children
_JOIN = 'read joined && exec "$@" </dev/null'
_NAMESPACES = ("pid", "ipc", "uts", "mount", "network")


class GvisorEngine:
    name = "gvisor"
    by_rights = False
    roles = "life,report,job"
    first_uid = 22000

    def __init__(self) -> None:
        self.enforced = frozenset({"wall", "cpu", "memory", "processes", "disk", "inodes", "files", "output"})
        self.missing: dict[str, str] = {}
        self._groups: cgroups.Groups = cgroups.NoGroups()
        self._program = ""
        self._platform = "ptrace"
        self._folder = Path()
        self._rootfs = Path()
        self._made = 0

    def open(self, runtime: Path, folder: Path) -> None:
        self._program = next((path for path in _RUNSC if os.access(path, os.X_OK)), "")
        if not self._program:
            raise Unavailable(f"runsc is not installed here. Install it with: {_INSTALL}")
        if os.geteuid() != 0:
            raise Unavailable(
                "gVisor sandboxes need root here. Start the platform as root, or choose another."
            )
        said = subprocess.run([self._program, "flags"], capture_output=True, text=True, env={}, check=False)
        known = said.stdout + said.stderr
        self._platform = "systrap" if re.search(r"\bsystrap\b", known) else "ptrace"
        self._folder = folder
        self._rootfs = rootfs(folder / "rootfs")
        name = f"agentbuilder-gvisor-{folder.stat().st_ino:x}"
        self._groups = cgroups.find(
            name, Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()
        )
        self._groups.sweep()
        self.missing = dict(self._groups.missing)
        self.enforced -= set(self.missing)

    def run(self, plan: Plan) -> Container:
        bundle = self._folder / plan.id
        shutil.rmtree(bundle, ignore_errors=True)
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(_bundle(plan, str(self._rootfs))))
        self._made += 1
        # one name space for the whole machine: runsc listens at a socket called after it
        name = f"agentbuilder-{self._folder.stat().st_ino:x}-{os.getpid()}-{self._made}"
        group = self._groups.make(f"{os.getpid()}-{self._made}")
        if group is not None:
            group.bound(plan.limits.memory_bytes + _OVERHEAD, plan.limits.processes * 4 + _OWN_THREADS)
        held, go = os.pipe()
        pairs = [os.pipe(), os.pipe()]
        said = bundle / "said"
        command = [self._program, "--root", str(self._folder / "state"), f"--platform={self._platform}"]
        command += ["--network=none", "--ignore-cgroups", "--host-uds=open", f"--log={said}"]
        command += ["run", "--bundle", str(bundle), name]
        with processors.on_all():
            process = subprocess.Popen(
                ["/bin/sh", "-c", _JOIN, "sh", *command],
                stdin=held,
                stdout=pairs[0][1],
                stderr=pairs[1][1],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                cwd="/",
                start_new_session=True,
            )
        for theirs in (held, pairs[0][1], pairs[1][1]):
            os.close(theirs)
        if group is not None:
            group.join(process.pid)
        os.write(go, b"joined\n")
        os.close(go)
        remove = [self._program, "--root", str(self._folder / "state"), "delete", "--force", name]
        return _Sandbox(process, group, (pairs[0][0], pairs[1][0]), bundle, remove)

    def sweep(self, known: Iterable[str]) -> None:
        """Processes of an earlier run went at `open`, with their control groups; here what lies about."""
        held = set(known)
        for left in self._folder.iterdir():
            if left.name not in held and left.name not in ("rootfs", "state"):
                shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        self._groups.sweep()
        self._groups.close()


class _Sandbox:
    def __init__(
        self,
        process: subprocess.Popen[bytes],
        group: cgroups.Group | None,
        stdio: tuple[int, int],
        bundle: Path,
        remove: list[str],
    ) -> None:
        self.stdio: tuple[int, int] | None = stdio
        self._process = process
        self._pidfd = os.pidfd_open(process.pid)
        self._group = group
        self._bundle = bundle
        self._remove = remove

    def wait(self, timeout_s: float) -> int | None:
        if self._process.returncode is None and select.select([self._pidfd], [], [], timeout_s)[0]:
            self._process.wait()
        status = self._process.returncode
        return status if status is None or status >= 0 else 128 - status

    def figures(self) -> Figures:
        return figures(self._group) if self._group is not None else Figures()

    def kill(self) -> None:
        """All of it at once: gVisor's kernel, its file server and what drives them."""
        for pid in self._group.pids() if self._group is not None else ():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def remove(self) -> None:
        self.kill()
        self._process.wait()
        subprocess.run(
            self._remove, capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, check=False
        )
        self._leave_groups()
        if self._pidfd >= 0:  # asked to twice, it must not close what has the number by then
            os.close(self._pidfd)
            self._pidfd = -1
        shutil.rmtree(self._bundle, ignore_errors=True)

    def _leave_groups(self) -> None:
        """The last of its processes may take a moment to be gone."""
        for _attempt in range(_TRIES):
            if self._group is None or self._group.remove():
                return
            self.kill()
            select.select([], [], [], _RETRY_S)

    def said(self) -> str:
        with suppress(OSError):
            lines = (self._bundle / "said").read_text(errors="replace").splitlines()
            return lines[-1][-400:] if lines else ""
        return ""


def rootfs(folder: Path) -> Path:
    """An empty root with the machine's links to /usr and a place for everything that is bound into it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in SYSTEM:
        if path.is_symlink():
            (folder / path.name).symlink_to(path.readlink())
    return folder


def _mount(bind: Bind) -> dict[str, object]:
    options = ["rbind", "rw" if bind.writable else "ro", "nosuid", "nodev"]
    return {"destination": bind.inside, "type": "bind", "source": bind.host, "options": options}


def _bundle(plan: Plan, root: str) -> dict[str, object]:
    """config.json of the OCI runtime specification."""
    limits = plan.limits
    bounds = {
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_FSIZE": limits.disk_bytes,
        "RLIMIT_CPU": math.ceil(limits.cpu_s) + 1,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 64 << 10,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_SIGPENDING": 256,
    }
    own = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    ]
    return {
        "ociVersion": "1.0.0",
        "process": {
            "user": {"uid": plan.uid, "gid": plan.uid},
            "args": list(plan.command),
            "env": [f"{name}={value}" for name, value in plan.env.items()],
            "cwd": "/box",
            "capabilities": {},
            "noNewPrivileges": True,
            "rlimits": [{"type": name, "hard": bound, "soft": bound} for name, bound in bounds.items()],
        },
        "root": {"path": root, "readonly": True},
        "hostname": "sandbox",
        "mounts": [*own, *(_mount(bind) for bind in plan.binds)],
        "linux": {"namespaces": [{"type": kind} for kind in _NAMESPACES]},
    }
