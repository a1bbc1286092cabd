"""A process as if it had a machine of its own: what it mounts is gone with it, however it ends."""

from __future__ import annotations

import os
from collections.abc import Sequence

# Its program stays the one process that is started: it becomes `command`.
_OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private", "--")


def own_mounts(command: Sequence[str]) -> list[str]:
    """As it is for an ordinary user, whose sandboxes mount in namespaces of their own."""
    return [*_OWN_MOUNTS, *command] if os.geteuid() == 0 else [*command]
