"""What the corpus found on this machine last: one small file in the data folder, read before a run starts."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import Unavailable

_PACKAGE = Path(__file__).parents[1]
_CODE = ("launcher", "runner", "adapters", "siege", "task", "run_api")  # a change there is another sandbox
NAME = "sandbox-proof.json"


class Proof(BaseModel):
    """escaped: ids of cases that got out. open: ids of others that were not held."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    backend: str
    kernel: str
    version: str
    held: int
    total: int
    at: str
    escaped: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    def concerns(self, backend: str) -> bool:
        """Whether it was found with this backend, kernel and code: with others nothing is known."""
        return (self.backend, self.kernel, self.version) == (backend, kernel(), version())


def kernel() -> str:
    return os.uname().release


@cache
def version() -> str:
    """Of the code that makes sandboxes: the same for the same files."""
    digest = hashlib.sha256()
    for folder in _CODE:
        for path in sorted((_PACKAGE / folder).rglob("*")):
            if path.suffix in (".py", ".toml", ".json"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write(folder: Path, proof: Proof) -> None:
    waiting = folder / f"{NAME}.new"
    waiting.write_text(proof.model_dump_json(), encoding="utf-8")
    waiting.replace(folder / NAME)


def read(folder: Path) -> Proof | None:
    """None when the corpus never ran here, or what was written cannot be read."""
    try:
        return Proof.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def refusal(proof: Proof) -> str:
    cases = ", ".join(proof.escaped[:3])
    return (
        f"The {proof.backend} sandbox of this machine let code out ({cases}), so nothing runs in it. "
        "Update the system or choose another with AB_SANDBOX, then clear this with: make doctor"
    )


def demand_clean(proof: Proof | None, backend: str) -> None:
    """Unavailable, with the cure, when a case got out of this very backend here."""
    if proof is not None and proof.escaped and proof.concerns(backend):
        raise Unavailable(refusal(proof))
