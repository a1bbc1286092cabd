"""What the egress gateway is told about a run and what it reports back, as values. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from services.executor.egress.decoys import Decoy
from services.executor.ports import LocalSite
from shared.agentfile.model import HostRule
from shared.net.url import authority

if TYPE_CHECKING:
    from services.executor.egress.authority import RunAuthority
    from services.executor.egress.model_host import ModelDoor
    from services.executor.egress.replaying import Replay
    from services.executor.egress.taping import Tape

Effect = Literal["read", "write"]
Verdict = Literal["sent", "refused", "would_send", "practice", "failed", "replayed"]


@dataclass(frozen=True)
class SecretBinding:
    """A secret the code may use without seeing it: wherever `placeholder` stands in a header value of a
    request to `host`, the real value is sent. Everywhere else the placeholder stays as it is.

    Placeholders must be unguessable enough never to occur by chance (12 characters or more) and not parts
    of one another.
    """

    name: str
    host: str
    placeholder: str


@dataclass(frozen=True)
class Pace:
    """Politeness towards one host. A request over the rate waits; it is never an error. 0: no limit."""

    requests_per_s: float = 2.0
    burst: int = 2
    connections: int = 4


@dataclass(frozen=True)
class Caps:
    """Bounds of what one run may move. Over a cap the code sees 413 or 429, or a cut answer."""

    request_bytes: int = 32 << 20
    answer_bytes: int = 256 << 20
    run_bytes: int = 2 << 30
    run_requests: int = 10_000
    client_connections: int = 64
    connect_s: float = 10
    # Time without a single byte from the other side, in either direction.
    silence_s: float = 300
    preview_bytes: int = 64 << 10


@dataclass(frozen=True)
class PracticeSetting:
    """What the practice host shows. `day` starts at 1; `broken` changes the shops as if overnight."""

    day: int = 1
    broken: bool = False


@dataclass(frozen=True)
class Exchange:
    """One request of the code, after it ended one way or another.

    verdict    sent: upstream answered (its status in `status`) · refused: outside the manifest or
               malformed, nothing left · would_send: a write in a rehearsal, answered by the gateway ·
               practice: answered from files · replayed: answered from a tape · failed: upstream or the
               run broke off; `reason` says how
    method, path   empty when unknown: a refused CONNECT names host and port only. `path` has the query
    host       of what never became an address: as the code wrote it, cut to 100 characters, with port 0
    bytes_*    body and header bytes towards and from upstream; 0 out means that no byte left
    reason     stable code such as `undeclared_host`; empty for sent, would_send and practice
    body_preview   of would_send only: the first 64 KiB of the body with placeholders, not secrets, and
               `body_bytes` its full length; `write_id` names the whole request (see writes.py)
    decoy      where the decoy stands that this request carried; then nothing of the request left
    mentioned  of an undeclared host: an answer that this run read before holds its name
    """

    run_id: str
    at_ms: int
    scheme: str
    host: str
    port: int
    method: str
    path: str
    status: int
    bytes_out: int
    bytes_in: int
    duration_ms: int
    effect: Effect
    verdict: Verdict
    reason: str = ""
    body_preview: bytes = b""
    body_bytes: int = 0
    content_type: str = ""
    write_id: str = ""
    decoy: str = ""
    mentioned: bool = False

    @property
    def url(self) -> str:
        return f"{self.scheme}://{authority(self.scheme, self.host, self.port)}{self.path}"

    @property
    def undeclared(self) -> bool:
        """Refused for want of a rule: the person could allow it, so the run may be parked with a request.
        Other refusals nobody can allow."""
        return self.verdict == "refused" and self.reason.startswith("undeclared_")

    @property
    def off_limits(self) -> bool:
        """Refused because nobody may go there, whatever was allowed: this machine and its network."""
        return self.verdict == "refused" and self.reason in ("not_a_name", "address_refused")

    @property
    def wrote(self) -> bool:
        """A write that took or may have taken effect outside: bytes of it left."""
        return self.effect == "write" and self.verdict in ("sent", "failed") and self.bytes_out > 0


Recorder = Callable[[Exchange], None]
"""Called once per exchange from the gateway's thread, in the order they end. Must return quickly (put the
value on a queue): every run waits behind it. What it raises is counted in the report, nothing more."""


@dataclass(frozen=True)
class EgressRun:
    """What one attempt may reach, fixed for its whole life.

    mode          in "rehearsal" no write leaves; it is answered 202 and recorded as would_send
    reveal        name -> real value; called at most once per secret, off the loop, may block. What it
                  raises becomes a 502 for the code. Needed only when `secrets` is not empty
    before_write  called off the loop, and waited for, before the first byte of a live write leaves, with
                  "POST https://host/path"; when it raises, nothing is sent and the code sees a 503
    tape          records what the code sends and gets; None: nothing is recorded
    replay        every allowed request is answered from it and none leaves
    site          a host answered by the platform itself, for builder sandboxes
    decoys        a request that carries one is refused, and so is everything after it
    allowed_writes  in a rehearsal: ids of writes a person lets through, each once
    model         where the model host leads; None: there is no endpoint to lead to
    authority     whose certificates the code trusts; None: one of its own is made
    """

    id: str
    hosts: tuple[HostRule, ...]
    record: Recorder
    mode: Literal["live", "rehearsal"] = "live"
    secrets: tuple[SecretBinding, ...] = ()
    reveal: Callable[[str], str] | None = None
    before_write: Callable[[str], None] | None = None
    decoys: tuple[Decoy, ...] = ()
    allowed_writes: frozenset[str] = frozenset()
    practice: PracticeSetting = PracticeSetting()
    pace: Pace = Pace()
    caps: Caps = Caps()
    site: LocalSite | None = None
    tape: Tape | None = None
    replay: Replay | None = None
    model: ModelDoor | None = None
    authority: RunAuthority | None = None


@dataclass(frozen=True)
class HostUsage:
    """Totals of one host within a run; refused requests count in `refused` only."""

    host: str
    requests: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    refused: int = 0
    would_send: int = 0


@dataclass(frozen=True)
class EgressReport:
    """Totals of a closed run. `wrote`: some live write may have taken effect. `lost_records`: how often
    the recorder raised."""

    run_id: str
    hosts: tuple[HostUsage, ...] = ()
    wrote: bool = False
    lost_records: int = 0

    @property
    def requests(self) -> int:
        return sum(usage.requests for usage in self.hosts)
