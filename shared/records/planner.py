"""Owned by planner: conversations, their feed, plans and versions."""

from __future__ import annotations

from typing import Any, Literal

from shared.agentfile.model import AgentFile
from shared.records import Record, Shape

ConversationState = Literal[
    "thinking", "asking", "proposed", "building", "testing", "ready", "active", "stopped", "failed"
]


class Tokens(Shape):
    """Spent so far in this conversation; cost in micro-dollars, 0 when no model was asked. priced: False when a
    price is not known, so that the cost says too little."""

    input: int = 0
    output: int = 0
    cost_usd_micros: int = 0
    priced: bool = True


class Conversation(Record):
    """One chat. `plan_id` is the newest plan; `test_run_id` the rehearsal last started."""

    title: str
    language: Literal["ko", "en"]
    timezone: str
    state: ConversationState
    engine: Literal["recipes", "claude"] = "recipes"
    agent_id: str | None = None
    plan_id: str | None = None
    version_id: str | None = None
    test_run_id: str | None = None
    problem: str | None = None
    tokens: Tokens = Tokens()
    next_seq: int = 1
    created_at: str
    updated_at: str


class ConversationEntry(Record):
    """One thing said or shown, id `<conversation>-<seq:08d>`. `seq` starts at 1 and has no gaps.

    data by kind: text {text} · question {questions: [{id, text, kind, choices: [{value, label}], why}],
    answered: {id: value} | None} · plan {plan_id} · progress {step, text, done, total?} ·
    result {text, run_id?, state, mended?: {unsure: [sentence], before?, after?: {run_id, rows: [Rows]}}}: before is
    of the good day that a repair was held against, after of today's rehearsal.
    """

    conversation_id: str
    seq: int
    kind: Literal["text", "question", "plan", "progress", "result"]
    author: Literal["person", "builder"]
    at: str
    data: dict[str, Any]


class LiveBlock(Shape):
    """What the model has written of one block so far. name: of the tool whose input `text` is, as JSON that may
    still be open; "" for text and thinking."""

    kind: Literal["text", "thinking", "tool"]
    name: str = ""
    text: str = ""


class ConversationLive(Record):
    """The turn the model is writing, for pages to watch; id = conversation id. Blocks only grow within a turn.

    turn counts the conversation's model turns from 1. done: the turn is over, what it came to stands in the
    conversation's entries, and nothing more is written here until the next one.
    """

    turn: int
    blocks: tuple[LiveBlock, ...] = ()
    done: bool = False
    updated_at: str


class PackageWish(Shape):
    name: str
    why: str = ""


class Estimate(Shape):
    """What a run is expected to take. Tokens 0: ordinary code, no model asked while running.

    tokens_build, cost_usd_micros_build  of the whole conversation until the agent is ready, about
    tokens_per_month, cost_usd_micros_per_month  at most, of all runs the schedule makes in thirty days
    priced  False: nobody knows the model's price, so that the costs are 0 and mean nothing
    """

    seconds_per_run: float = 0
    tokens_per_run: int = 0
    tokens_build: int = 0
    cost_usd_micros_per_month: int = 0
    cost_usd_micros_build: int = 0
    tokens_per_month: int = 0
    priced: bool = True


class Plan(Record):
    """What is put before the person. `manifest_hash` is what a decision must name.

    found: sentences about what looking showed. wont: what it will not do. author_words: what an imported
    file says about itself, shown as quoted. new_rows: sheet rows (their text keys) not in the last
    approved version; None when there was none.
    """

    conversation_id: str
    agent_id: str
    version_id: str
    status: Literal["proposed", "approved", "rejected", "superseded"]
    agent_file: AgentFile
    manifest_hash: str
    summary: str
    steps: tuple[str, ...]
    packages: tuple[PackageWish, ...] = ()
    schedule_words: str | None = None
    next_firings: tuple[str, ...] = ()
    estimate: Estimate = Estimate()
    found: tuple[str, ...] = ()
    wont: tuple[str, ...] = ()
    author_words: str | None = None
    findings: tuple[str, ...] = ()
    new_rows: tuple[str, ...] | None = None
    created_at: str


class Version(Record):
    """Immutable code + lock + manifest + contract. `number` is None until a rehearsal passed.

    bundle_key: blob with the zip (agent.toml, main.py …). lock: requirements text with hashes; None
    until resolved when it has packages. prompt: hash of the instructions a model wrote it under; "" when none did.
    """

    agent_id: str
    conversation_id: str
    status: Literal["candidate", "promoted", "failed"]
    number: int | None = None
    manifest_hash: str
    agent_file: AgentFile
    bundle_key: str
    bundle_sha256: str
    files: tuple[str, ...] = ()
    lock: str | None = None
    rehearsal_run_id: str | None = None
    prompt: str = ""
    created_at: str


class Reservation(Shape):
    """Tokens set aside for one call. turn: what it is for; a second reservation for the same means that the first
    died on its way. until: when the call is over in any case; one still open long after has died."""

    call_id: str
    turn: str
    model: str
    tokens: int
    until: str = ""


class Meter(Record):
    """What is left of a lease, id = lease id, kept by its holder. What was spent and all that is open never pass
    `tokens`, unless a server reports more than a call was given; then nothing is left.

    settled  ids of the calls counted last, so that none is counted twice
    priced   False: some of it is in no cost, because nobody knows the price
    closing  no more calls; closed with the last that is still under way
    """

    agent_id: str | None = None
    conversation_id: str | None = None
    run_id: str | None = None
    tokens: int
    expires_at: str
    spent: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd_micros: int = 0
    priced: bool = True
    open: tuple[Reservation, ...] = ()
    settled: tuple[str, ...] = ()
    closing: bool = False
    closed: bool = False

    def held(self, call_id: str) -> Reservation | None:
        return next((held for held in self.open if held.call_id == call_id), None)

    @property
    def reserved(self) -> int:
        return sum(held.tokens for held in self.open)

    @property
    def left(self) -> int:
        return max(0, self.tokens - self.spent - self.reserved)
