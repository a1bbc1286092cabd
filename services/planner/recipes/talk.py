"""What goes into the engine and what comes out of it, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from shared.agentfile.model import AgentFile

Problem = (
    str  # robots · login · needs_browser · http_NNN · timeout · refused · blocked · moved · not_html · …
)


@dataclass(frozen=True)
class LookFound:
    """What was seen at one address. The text comes from the page: shown as data, never obeyed.

    kind           how the entries were found; "none" with none
    feed           address of the linked feed the entries come from; "" when they are on the page
    problem        "" when entries were found
    final_address  where the page was; with problem "moved", where it went
    """

    address: str
    ok: bool
    kind: Literal["json-ld", "feed", "table", "blocks", "none"] = "none"
    count: int = 0
    samples: tuple[str, ...] = ()
    problem: Problem = ""
    final_address: str = ""
    feed: str = ""


@dataclass(frozen=True)
class TalkState:
    """A conversation so far.

    language   of the page; the person's own messages win when they are clearly in the other one
    messages   all texts of the person, oldest first; secrets are already replaced by vault names
    answers    question id -> what was chosen (a choice's value) or typed
    looks      address -> what was found there, for every address already looked at
    practice   the person wants the practice shops without having named them
    secrets    names the workspace's vault holds
    """

    language: Literal["ko", "en"] = "ko"
    messages: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    looks: Mapping[str, LookFound] = field(default_factory=dict)
    timezone: str = "Asia/Seoul"
    practice: bool = False
    secrets: frozenset[str] = frozenset()
    today: date = date(2026, 1, 1)


@dataclass(frozen=True)
class Choice:
    """`value` is what comes back as the answer, `label` what is shown."""

    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """`choices` may be offered beside free typing; a "choice" question takes nothing else."""

    id: Literal["addresses", "schedule", "channel", "unreadable"]
    text: str
    kind: Literal["choice", "text", "url", "secret"]
    choices: tuple[Choice, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Ask:
    """Only what is missing. `note` says something that must be known before answering; often empty."""

    questions: tuple[Question, ...]
    note: str = ""


@dataclass(frozen=True)
class Look:
    """Addresses to look at before a plan can be made, five at most."""

    addresses: tuple[str, ...]


@dataclass(frozen=True)
class PackageUse:
    name: str
    why: str


@dataclass(frozen=True)
class SecretNeed:
    """`host` is the usual one; the vault binds the name to the host of the value that is typed."""

    name: str
    host: str
    why: str
    known: bool = False


@dataclass(frozen=True)
class Estimate:
    """Of one run."""

    seconds: int
    tokens: int = 0


@dataclass(frozen=True)
class Propose:
    """A plan. `files` lack agent.toml and requirements.lock: the caller writes them from `agent_file` and
    `requirements_lock`. `assumed`: what was read into the words about time; shown beside the schedule."""

    agent_file: AgentFile
    files: Mapping[str, bytes]
    requirements_lock: bytes
    summary: str
    steps: tuple[str, ...]
    packages: tuple[PackageUse, ...]
    found: tuple[str, ...]
    wont: tuple[str, ...]
    estimate: Estimate
    secrets: tuple[SecretNeed, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refuse:
    """`suggestions`: the two nearest requests that would work, ready to be sent as they are."""

    text: str
    suggestions: tuple[str, ...]


Step = Ask | Look | Propose | Refuse
