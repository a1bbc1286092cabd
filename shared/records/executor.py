"""Owned by executor: runs, their feed, artifacts, states, environments, permission requests."""

from __future__ import annotations

from typing import Any, Literal

from shared.records import Record, Shape

RunKind = Literal["test", "manual", "scheduled", "triggered", "replay"]
Variation = Literal["", "altered", "altered_numbers", "altered_pages", "forgotten", "emptied", "error"]
RunStatus = Literal["queued", "running", "parked", "succeeded", "failed", "cancelled", "timed_out", "refused"]
Outcome = Literal["pending", "delivered", "doubtful", "not_delivered"]


class Reason(Shape):
    """Why a run is where it is: `code` for programs, `text` for the person in the agent's language."""

    code: str
    text: str


class CheckOutcome(Shape):
    """One contract check after the run. `text` says what was found, in the agent's language."""

    check: str
    says: str
    held: bool
    text: str


class QueuedDelivery(Shape):
    """A message the code asked to send. status `shown`: a rehearsal, never sent."""

    id: str
    channel: str
    text: str
    files: tuple[str, ...] = ()
    status: Literal["shown", "held", "requested", "sent", "failed", "unknown"]
    detail: str = ""


class HostContact(Shape):
    """Totals per host and verdict: sent, refused, would_send, practice or failed."""

    host: str
    verdict: str
    requests: int
    bytes_in: int
    bytes_out: int


class OutsideRequest(Shape):
    """One request of the code, without what it asked for: where, when (its begin), how long, what became of it.
    status 0: nobody answered."""

    at: str
    ms: int
    method: str
    host: str
    status: int
    verdict: str


class RunUsage(Shape):
    """Tokens are those of the models the code asked. priced: False when a price is not known, so that the cost
    says too little."""

    wall_ms: int = 0
    cpu_ms: int = 0
    memory_peak_bytes: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd_micros: int = 0
    priced: bool = True


class WriteMade(Shape):
    """A write that was about to leave at that moment: it has arrived, or may have."""

    method: str
    url: str
    at: str


class Difference(Shape):
    """One thing a replay did otherwise than what was recorded. `text` is the sentence for the person, `before`
    and `after` what stands there, cut. name: the request, file or channel; "" where there is only one."""

    kind: Literal["request", "output", "delivery", "state", "end", "tape", "value"]
    name: str
    text: str
    before: str = ""
    after: str = ""


class Rows(Shape):
    """The beginning of one table or message, as text. header: () where there are lines only. more: rows left out."""

    name: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = 0


class Run(Record):
    """One firing of one agent; the state machine's document. `attempt` counts from 1, 0 before the first.

    `attempt_id` names the attempt whose facts count; `wrote` says that a live write left this machine.
    `writes` lists the first fifty. Each of `would_send` is {id, method, url, body}; `allowed_writes` are such
    ids of an earlier rehearsal, each let through once in this one. `grant_id` is absent for a rehearsal only
    while its grant is being written. `state_new` is the version the run left, whether it counts or not.
    `place`: how many wait before it plus one, while it waits for room. `traceparent`: of what asked for it; "" where
    nothing is traced. Of its last attempt: funded_at, begun_at (its sandbox is ordered), first_line_at, ended_at
    (its sandbox has ended), and `requests`, the first forty; `hosts` counts them all.

    tape      what was kept of its last attempt that ended (shared/records/tapes.py); none: nothing yet
    replay_of, same, differences  of a replay: what it plays again; whether all could be compared and was equal
              (None: not compared); otherwise what was not, or could not be
    variation  of a replay: the recording is not given as it is. altered: other values of the same form, in pages and
              memory · altered_numbers: of numbers only · altered_pages: in pages only · forgotten: the pages as
              they were, without memory · emptied: pages without content · error: pages that answer 503.
              `same` then says whether what came out followed (None: that cannot be told). sample: what came
              out of the run that was played again
    beside    of a forgotten one: a run of a good day, whose pages and results are the measure of this one's; None: it
              is such a measure itself, and nothing is said of it
    """

    agent_id: str
    version_id: str
    kind: RunKind
    status: RunStatus
    outcome: Outcome = "pending"
    reason: Reason | None = None
    conversation_id: str | None = None
    grant_id: str | None = None
    slot_at: str | None = None
    input: Any = None
    lease_id: str | None = None
    attempt: int = 0
    attempt_id: str | None = None
    wrote: bool = False
    checks: tuple[CheckOutcome, ...] = ()
    deliveries: tuple[QueuedDelivery, ...] = ()
    would_send: tuple[dict[str, Any], ...] = ()
    writes: tuple[WriteMade, ...] = ()
    allowed_writes: tuple[str, ...] = ()
    hosts: tuple[HostContact, ...] = ()
    requests: tuple[OutsideRequest, ...] = ()
    usage: RunUsage = RunUsage()
    state_base: int | None = None
    state_new: int | None = None
    permission_request_id: str | None = None
    last_step: str | None = None
    tape: Literal["full", "headers", "off", "none"] = "none"
    replay_of: str | None = None
    variation: Variation = ""
    beside: str | None = None
    sample: tuple[Rows, ...] = ()
    same: bool | None = None
    differences: tuple[Difference, ...] = ()
    requested_at: str
    deadline_at: str
    place: int | None = None
    traceparent: str = ""
    funded_at: str | None = None
    begun_at: str | None = None
    started_at: str | None = None
    first_line_at: str | None = None
    ended_at: str | None = None
    finished_at: str | None = None
    settled_at: str | None = None


class RunEntry(Record):
    """One entry of a run's feed, id `<run>-<seq:08d>`; `seq` starts at 1 and has no gaps.

    data by kind: status {status, reason?} · step {name} · log {stream, text} · file {artifact_id, name,
    size} · delivery {id, channel, text, status} · host {host, verdict, reason?} · check {says, held, text}.
    """

    run_id: str
    attempt: int
    seq: int
    kind: Literal["status", "step", "log", "file", "delivery", "host", "check"]
    at: str
    data: dict[str, Any]


class RunFeed(Record):
    """The counter behind a run's feed; id = run id. Separate from the run so that logs never contend with it."""

    next_seq: int = 1


class Artifact(Record):
    run_id: str
    agent_id: str
    name: str
    size: int
    media_type: str
    sha256: str
    blob_key: str
    at: str


class StateVersion(Record):
    """What an agent remembers, id `<agent>-<number:06d>`; numbers start at 1. `StateHead` says which is current.

    run_id    the run that made the content; of a rewound version the one of `rewound_from`
    standing  promoted: it was or is what the next run begins with · aside: of a run that ended well after
              somebody had rewound what it began with · candidate: of a run whose contract did not hold, kept
              for inspection, never begun with
    review_at when it is looked at whether it may go; "" in documents from before there was such a look
    """

    agent_id: str
    number: int
    run_id: str
    blob_key: str
    sha256: str
    size: int
    at: str
    rewound_from: int | None = None
    standing: Literal["promoted", "aside", "candidate"] = "promoted"
    review_at: str = ""


class StateHead(Record):
    """Where an agent's memory is; id = agent id. The next run begins with version `current`; 0: with nothing.
    newest is the highest number ever given."""

    current: int
    newest: int


class EnvironmentRecord(Record):
    """The installed packages of one lock; id follows from the lock's text."""

    status: Literal["building", "ready", "failed"]
    progress: str = ""
    packages: tuple[str, ...] = ()
    detail: str = ""
    size_bytes: int = 0
    seconds: float = 0
    at: str


class PermissionRequest(Record):
    """What only a person can decide. `sentence` is the platform's own.

    kind      host: a parked run met a place outside its grant · write: a rehearsal's or a cut attempt's write,
              asked for once · package: packages of a version that need a yes (no run: run_id, host, method and
              path are "", port is 0)
    scheme    "" in documents from before it was kept. method and path are empty when only the host is known:
              a refused CONNECT names nothing else
    version_id  what was asked by; a yes holds for no other version. "" in documents from before it was kept
    warning   a sentence when the address came from something the code read; shown with the sentence
    packages  name==version of each, kind package only; reasons: a sentence for each, in the same order
    """

    run_id: str
    agent_id: str
    kind: Literal["host", "write", "package"] = "host"
    version_id: str = ""
    packages: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    warning: str = ""
    status: Literal["open", "allowed", "denied", "expired"]
    sentence: str
    scheme: str = ""
    host: str
    port: int
    method: str
    path: str
    at: str
