"""From what a machine says when it denies a sandbox to the one command that allows it."""

from __future__ import annotations

from pathlib import Path

# Each of these files stops user namespaces when it holds the value beside it.
_SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),  # Ubuntu 23.10 and later
    ("kernel/unprivileged_userns_clone", "0", "1"),  # Debian's own switch
    ("user/max_user_namespaces", "0", "15000"),
)
_CONTAINER = (
    "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined …"
)


def cure(said: str, root: Path = Path("/")) -> str:
    """`said` is bubblewrap's own line; the command comes from what this machine's switches show."""
    for name, stops, allows in _SWITCHES:
        path = root / "proc/sys" / name
        if path.is_file() and path.read_text().strip() == stops:
            command = f"sudo sysctl -w {name.replace('/', '.')}={allows}"
            return f"Runs need user namespaces, which this machine denies. Allow them with: {command}"
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return f"This container may not make sandboxes ({said}). Start it with: {_CONTAINER}"
    return f"A sandbox could not be started here: {said}"
