"""The cases: code that tries to get out, and what must come of it."""

from __future__ import annotations

import io
import json
import re
import tarfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_FOLDER = Path(__file__).parent / "attacks"
_DIFFERENCES = Path(__file__).parent / "differences.toml"

Verdict = Literal[
    "BLOCKED",  # the code says so: nothing was reached
    "KILLED",  # ended from outside, or it died of it
    "LIMITED",  # cut at the bound on output
    "WITHIN",  # it reached something of the sandbox's own kernel, known and named in advance
    "HARMLESS",  # it did what it wanted; what it left was judged by passing it on
    "ESCAPED",  # the code says so: it reached what it must not
    "CRASHED",  # the trusted side failed on what it left
]
Category = Literal[
    "env",
    "fs",
    "network",
    "proc",
    "process",
    "kernel",
    "privilege",
    "protocol",
    "resource",
    "supply",
    "artifact",
]


class Member(BaseModel):
    """One member of a hostile state archive. fill: bytes of content; claims: the size its header says instead."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["file", "link", "symlink", "fifo", "device", "folder"] = "file"
    link: str = ""
    mode: int = 0o644
    fill: int = 1
    claims: int | None = None


class Case(BaseModel):
    """expect: verdicts by which the case is held. instead: backend -> other verdicts; within: backend -> pattern of
    the words after ESCAPED that mean its own kernel only; because: why, one sentence.

    outside "ESCAPED": run without any sandbox the code says so, which a test tries (it does no harm there).
    state: the archive the run starts with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    category: Category
    code: str
    expect: frozenset[Verdict]
    instead: dict[str, frozenset[Verdict]] = Field(default_factory=dict)
    within: dict[str, str] = Field(default_factory=dict)
    because: str = ""
    outside: Literal["", "ESCAPED"] = ""
    state: tuple[Member, ...] = ()
    egress: bool = False

    def held_by(self, backend: str) -> frozenset[Verdict]:
        return self.instead.get(family(backend), self.expect)

    def is_within(self, backend: str, said: str) -> bool:
        """said: what was printed from ESCAPED on."""
        pattern = self.within.get(family(backend))
        return (
            pattern is not None
            and re.fullmatch(pattern, said.removeprefix("ESCAPED").strip(), re.DOTALL) is not None
        )

    def archive(self) -> bytes | None:
        """The state as a tar; None without one."""
        if not self.state:
            return None
        out = io.BytesIO()
        for member in self.state:
            out.write(_member(member))
        return out.getvalue() + bytes(1024)


def _member(member: Member) -> bytes:
    """Written by hand: the tarfile module would not lie about a size."""
    kinds = {
        "file": tarfile.REGTYPE,
        "link": tarfile.LNKTYPE,
        "symlink": tarfile.SYMTYPE,
        "fifo": tarfile.FIFOTYPE,
        "device": tarfile.CHRTYPE,
        "folder": tarfile.DIRTYPE,
    }
    info = tarfile.TarInfo(member.name)
    info.type, info.linkname, info.mode = kinds[member.kind], member.link, member.mode
    content = b"x" * member.fill if member.kind == "file" else b""
    info.size = len(content) if member.claims is None else member.claims
    head = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    return head + content + bytes(-len(content) % 512)


def family(backend: str) -> str:
    """gVisor is gVisor under Docker too."""
    return "gvisor" if "gvisor" in backend.lower() else backend


def _case(about: Mapping[str, Any]) -> Case:
    expect = about["expect"]
    verdicts = expect.split("|") if isinstance(expect, str) else expect
    instead = {name: value.split("|") for name, value in about.get("instead", {}).items()}
    known = {key: value for key, value in about.items() if key in Case.model_fields}
    return Case.model_validate(known | {"expect": verdicts, "instead": instead})


def read() -> tuple[Case, ...]:
    """All of them, in the order of the files. ValueError for two of one id."""
    found: list[Case] = []
    differing = tomllib.loads(_DIFFERENCES.read_text(encoding="utf-8"))
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix == ".json":
            given = json.loads(path.read_text(encoding="utf-8"))
            found += [_case(about | differing.get(about["id"], {})) for about in given]
        elif path.suffix == ".toml":
            cases = tomllib.loads(path.read_text(encoding="utf-8"))
            found += [_case({"id": id, "category": path.stem, **about}) for id, about in cases.items()]
    twice = {case.id for case in found if sum(other.id == case.id for other in found) > 1}
    if twice:
        raise ValueError(f"two cases are called {', '.join(sorted(twice))}")
    return tuple(found)
