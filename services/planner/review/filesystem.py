"""Which files code touches. Its own bundle, outputs/, state/ and temporary files are nobody's business."""

from __future__ import annotations

import ast
import posixpath
import re

from services.planner.review.values import HOLE, plain
from services.planner.review.world import Scope, World

_OWN = ("outputs", "state", "tmp")
_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/null", "/dev/stdout", "/dev/stderr")  # noqa: S108
# What libraries and honest code read on any machine: fonts, time zones, certificates, types.
_OF_THE_MACHINE = (
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
    "/usr/local/share/fonts",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ssl/certs",
    "/etc/mime.types",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
# Another process's memory, variables or files; keys of the machine or of a cloud; what starts containers; decoys.
_OF_THE_PLATFORM = re.compile(
    r"/proc/[^/]+/(environ|mem|maps|root|fd|cwd|cmdline|task)\b|/proc/kcore|docker\.sock|containerd\.sock"
    r"|/run/secrets|/var/run/secrets|(^|/)\.(ssh|aws|kube|docker|gnupg|netrc)(/|$)|\.config/gcloud"
    r"|/etc/shadow|(^|/)\.private(/|$)|application_default_credentials"
)


def used(world: World, scope: Scope, node: ast.AST, path: str, *, writes: bool) -> None:
    """Notes a file that is read or written, unless it is one of the agent's own."""
    path = plain(path).replace("\\", "/")
    if _OF_THE_PLATFORM.search(path):
        world.found(node, scope, "file", shown(path), about="platform")
        return
    start = path.partition(HOLE)[0]
    if not start:
        about = "write" if writes else "read"
        world.found(node, scope, "file", "", certain=False, about=about)
        return
    if path.startswith(_TEMPORARY) or path in ("/tmp", "/var/tmp"):  # noqa: S108
        return
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:/", path) or _climbs(path):
        if writes or not path.startswith(_OF_THE_MACHINE):
            world.found(node, scope, "file", shown(path), about="write" if writes else "read")
    elif writes and not _is_own(path):
        world.found(node, scope, "file", shown(path), about="write")


def _climbs(path: str) -> bool:
    return posixpath.normpath(path).startswith("..")


def _is_own(path: str) -> bool:
    first = posixpath.normpath(path).split("/")[0]
    return first in _OWN or first.partition(HOLE)[0] in _OWN


def shown(path: str) -> str:
    return path.replace(HOLE, "…")
