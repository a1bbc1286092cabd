"""Owned by gateway: agents, grants, deliveries, notices, the practice switch, secrets and connections."""

from __future__ import annotations

from typing import Literal

from shared.agentfile.model import AgentFile
from shared.records import Record, Shape


class Quarantine(Shape):
    """Why an agent may not run until a person says otherwise: in that run it used a secret that was a trap."""

    at: str
    run_id: str
    text: str


class Agent(Record):
    """What the person owns. `version_id` is the live one (None: never switched on); `enabled` the switch.

    `shown_version_id` is the newest version whose rehearsal passed and was shown. `repairs_go_live`: a repair that
    allows and promises nothing else, and stood every trial, becomes the live one by itself; the person is told.
    """

    name: str
    summary: str
    language: Literal["ko", "en"]
    enabled: bool = False
    conversation_id: str
    version_id: str | None = None
    version_number: int | None = None
    shown_version_id: str | None = None
    grant_id: str | None = None
    agent_file: AgentFile
    repairs_go_live: bool = False
    quarantine: Quarantine | None = None
    created_at: str
    updated_at: str
    deleted_at: str | None = None


class Grant(Record):
    """What was approved, by whom, when. `secrets` maps a secret's name in the plan to the vault entry bound to it."""

    agent_id: str
    plan_id: str
    version_id: str
    manifest_hash: str
    agent_file: AgentFile
    secrets: dict[str, str] = {}
    by: str
    at: str


class Delivery(Record):
    """One message out, id follows from run and position. status `unknown`: cut between sending and recording."""

    run_id: str
    agent_id: str
    channel: Literal["inbox", "slack", "email"]
    secret_id: str | None = None
    title: str
    text: str
    files: tuple[str, ...] = ()
    status: Literal["requested", "sending", "sent", "failed", "unknown"]
    detail: str = ""
    receipt: dict[str, str] = {}
    read_at: str | None = None
    at: str
    settled_at: str | None = None


class Notice(Record):
    """Something a person should know or decide. `about` is the id of the run, delivery, agent or, of kind
    `packages`, permission request."""

    kind: Literal[
        "parked",
        "packages",
        "failed",
        "not_delivered",
        "doubtful",
        "unknown_delivery",
        "quarantine",
        "budget",
        "repaired",
    ]
    agent_id: str | None
    about: str
    text: str
    needs_decision: bool = False
    at: str
    read_at: str | None = None


class Practice(Record):
    """The practice shops' switches; id = workspace id."""

    day: int = 1
    broken: bool = False


class Secret(Record):
    """A vault entry; the value is only in `sealed` (see shared/vault). `host` is the one place it may go,
    `host` or `host:port` when the port is not 443; "" until a person's approval names it. `channel`: a
    channel's address, never offered to code. `conversation_id`: the chat it was found in, if it was.
    """

    name: str
    host: str
    channel: bool = False
    version: int = 1
    sealed: str
    fingerprint: str
    conversation_id: str | None = None
    created_at: str
    last_used_at: str | None = None
    deleted_at: str | None = None


class Connection(Record):
    """A workspace's own access to a model; id `<workspace>-<kind>`. The key is only in `sealed` (see
    shared/vault/connections); "" once it was taken away. hint: the key's last four characters.

    problem: why the last test failed, one sentence by language; empty otherwise. tokens and cost are that
    test's; cost None: the model's price is not known. tested_at while `testing`: the key before this one
    worked then, so builds go on with this one meanwhile.
    """

    kind: Literal["claude"]
    state: Literal["testing", "working", "failed"]
    version: int = 1
    sealed: str
    hint: str
    model: str
    code: str = ""
    problem: dict[str, str] = {}
    tokens: int = 0
    cost_usd_micros: int | None = None
    typed_at: str
    tested_at: str | None = None
    deleted_at: str | None = None

    @property
    def usable(self) -> bool:
        return self.deleted_at is None and self.state != "failed" and self.tested_at is not None
