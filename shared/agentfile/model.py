"""The agent file as values: what `agent.toml` says, field by field. Pure; unknown keys are refused.

Read next: `toml.py` (text ⇄ model), `canonical.py` (the hash a person approves), `schedule.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["ko", "en"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class HostRule(Part):
    """One place the agent may reach.

    `host` is an exact DNS name, no wildcard. `path` is a prefix on a segment boundary; empty means any
    path. `exact`: that path alone and nothing below it. `methods` empty means the ones `effect` implies:
    read = GET, HEAD, OPTIONS; write = those and POST, PUT, PATCH, DELETE. A read rule may name POST; `why`
    must then say why it only reads.
    """

    host: str
    port: int = Field(default=443, ge=1, le=65535)
    scheme: Literal["https", "http"] = "https"
    path: str = ""
    # Left out where it says nothing: what was approved before it was there keeps its hash.
    exact: bool = Field(default=False, exclude_if=lambda exact: not exact)
    methods: tuple[str, ...] = ()
    effect: Literal["read", "write"] = "read"
    why: str = ""


class SecretUse(Part):
    """A secret by name, bound to the one host it may be sent to. The value is never part of the file."""

    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")
    host: str
    why: str = ""


class Channel(Part):
    """Where reports go. `inbox` needs nothing; `slack` names the secret that holds its webhook URL;
    `email` names an address."""

    kind: Literal["inbox", "slack", "email"]
    secret: str | None = None
    to: str | None = None
    why: str = ""


class TokenCaps(Part):
    per_run: int = Field(default=0, ge=0)
    per_day: int = Field(default=0, ge=0)


class Limits(Part):
    wall_s: int = Field(default=300, ge=1, le=3600)
    memory_mb: int = Field(default=512, ge=64, le=4096)
    disk_mb: int = Field(default=256, ge=16, le=4096)
    processes: int = Field(default=64, ge=4, le=256)


class Manifest(Part):
    """Everything the agent may touch. Empty lists mean nothing of that kind. `tape`: how much of what a run
    sends and gets is recorded, so that it can be replayed (headers: no bodies)."""

    hosts: tuple[HostRule, ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    channels: tuple[Channel, ...] = ()
    state: bool = False
    tape: Literal["full", "headers", "off"] = "full"
    tokens: TokenCaps = TokenCaps()
    limits: Limits = Limits()


class Schedule(Part):
    """When it fires. `cron` has five fields, read in `timezone` (an IANA name).

    `missed`: what happens to slots that passed while nobody could run them. `overlap`: what happens when the
    last run is still going. `holidays` names a calendar ("KR"); a slot on one of its days does what
    `on_holiday` says (absent: skip). `until` (inclusive) and `pause_until` (first day that fires again) are
    ISO dates or times, read in `timezone` when they carry no offset.
    """

    cron: str
    timezone: str = "UTC"
    missed: Literal["skip", "once", "all"] = "once"
    overlap: Literal["skip", "queue", "replace"] = "skip"
    holidays: str | None = None
    on_holiday: Literal["run", "skip", "next_workday"] | None = None
    until: str | None = None
    pause_until: str | None = None


def _unsaid(value: object) -> bool:
    return value is None


class Check(Part):
    """One condition on a run's outcome, with the sentence a person reads.

    Which of the optional fields count depends on `check`; see `contract.py`.
    `min` and `max` are finite; their unit depends on `check` (bytes, rows, characters, a factor).
    The last five are left out where they say nothing: what was approved before they were there keeps its hash.
    """

    check: Literal["file", "rows", "fields", "fresh", "change", "text", "delivered", "expr"]
    says: str
    path: str | None = None
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    fields: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    max_age_s: int | None = None
    expr: str | None = None
    unique: bool = Field(default=False, exclude_if=lambda unique: not unique)
    format: Literal["text", "number", "date", "url"] | None = Field(default=None, exclude_if=_unsaid)
    language: Language | None = Field(default=None, exclude_if=_unsaid)
    min_width: int | None = Field(default=None, ge=1, exclude_if=_unsaid)
    min_height: int | None = Field(default=None, ge=1, exclude_if=_unsaid)


class AgentMeta(Part):
    name: str = Field(min_length=1, max_length=80)
    summary: str = Field(default="", max_length=400)
    language: Language = "ko"
    packages: tuple[str, ...] = ()


class AgentFile(Part):
    """The whole of `agent.toml`. `schedule` absent: the agent runs only by hand or trigger."""

    agent: AgentMeta
    schedule: Schedule | None = None
    manifest: Manifest = Manifest()
    contract: Annotated[tuple[Check, ...], Field(max_length=40)] = ()
