"""Which package index to ask when no setting names one: the one the installed tool uses by itself."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

from uv import find_uv_bin

from shared.errors import Misconfigured

_DEFAULT = re.compile(r"by default:\s*<(https://[^>\s]+)>")
_ASK_S = 20


def index_of(setting: str, tool: str) -> str:
    """`setting`, or the address in `uv`'s own help. Raises Misconfigured when there is none."""
    if setting:
        return setting
    try:
        said = subprocess.run(
            [tool, "pip", "compile", "--help"],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            env={},
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Misconfigured("uv does not answer; install it again or set AB_PACKAGE_INDEX.") from error
    found = _DEFAULT.search(" ".join(said.split()))
    if found is None:
        raise Misconfigured("No package index is known; set AB_PACKAGE_INDEX.")
    return found[1]


def installer(setting: str) -> tuple[str, Callable[[], str]]:
    """The program that makes locks, and what says which index to ask; it is asked when first needed."""
    tool = find_uv_bin()
    return tool, lambda: index_of(setting, tool)
