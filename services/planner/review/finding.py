"""What a review says: findings one by one, and the sentences made of them. Read next: `reviewer.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "host",
    "secret",
    "file",
    "subprocess",
    "dynamic_code",
    "mail",
    "socket",
    "native",
    "state",
    "channel",
    "model",
    "package",
]


@dataclass(frozen=True)
class Finding:
    """One capability the code has, or may have.

    what     "shop.example.com", "SLACK_TOKEN", "os.system", "exec", "/etc/passwd", "slack", "pandas"; "" when it
             cannot be told
    line     starts at 1; 0 for what is known from the list of packages alone (`file` is then agent.toml)
    certain  False: "cannot tell". A host with a name that is not certain: the address begins so and ends in data
    """

    kind: Kind
    what: str
    file: str
    line: int
    certain: bool


@dataclass(frozen=True)
class Review:
    """
    capabilities  everything found, in file and line order
    differences   for a person: what the code does that the plan does not say
    doubts        for a person: what cannot be told from the code
    refusals      for a person: why this code is not run at all; empty: may run
    for_model     differences, doubts that code can cure, and refusals in English, each with file:line and what to
                  change; "" when nothing is wrong
    """

    capabilities: tuple[Finding, ...]
    differences: tuple[str, ...]
    doubts: tuple[str, ...]
    refusals: tuple[str, ...]
    for_model: str


@dataclass(frozen=True)
class Call:
    """How a host is reached. `path` may hold holes (`values.HOLE`); None: no request, or not known which.

    secrets   names of the secrets that travel with the call
    insecure  the server's certificate is not checked
    linked    the address comes from a link on a page whose own address is known
    """

    scheme: str = ""
    port: int | None = None
    path: str | None = None
    method: str = ""
    secrets: frozenset[str] = frozenset()
    insecure: bool = False
    linked: bool = False


@dataclass(frozen=True)
class Trace:
    """A finding with what the comparison needs beside it. `about` picks the sentence within a kind ("write",
    "platform", "environment", "missing", "refused"); "" is the usual one."""

    finding: Finding
    about: str = ""
    call: Call = Call()
