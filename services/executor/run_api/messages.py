"""The Run API as values: what is asked for, what is answered, under which paths. Pure.

Every request carries the attempt's token, so no path names an attempt. `instance`: a name the asking process made up
for itself, since two of them may hold the same token. A job outlives an update of the executor: messages only grow, by
fields with a default, and unknown ones are ignored.
"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.executor.ports import Ended, EndReason, Order, RunLimits, Usage

PREFIX = "/run-api/v1"
WORK, FOLDERS, REPORTS, BOX, ENDING = (
    f"{PREFIX}/{name}" for name in ("work", "folders", "reports", "box", "ending")
)
# Of one request: Cloud Run takes 32 MiB at most over HTTP/1. Source: cloud.google.com/run/quotas
PART_BYTES = 4 << 20
REPORTS_BYTES = 1 << 20
# Variables of an execution; the names are the contract between image and executor.
PROOF, INSTALLED, PACKAGES = "proof.json", "installed.json", "packages.tar"
# Codes of refusals: what was handed in so far is not here, so all of it again; nothing more is asked of the attempt.
PART_MISSING, ATTEMPT_OVER = "part_missing", "attempt_over"
ADDRESS, TOKEN, ATTEMPT = "AB_RUN_API_URL", "AB_ATTEMPT_TOKEN", "AB_ATTEMPT"


class Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="null"
    )


class WorkAsked(Message):
    """version: of the code that makes sandboxes, in the asking image."""

    instance: str = Field(min_length=8, max_length=100)
    version: str = Field(max_length=100)


class Parcel(Message):
    """A folder of the order, as a tar, or one file: then `file` is its name. place: where it belongs: "code", "site",
    or a mount's path in the sandbox.
    url: relative to the Run API, asked for with the token; absolute: without. sha256: of the tar; "": unknown, and
    then the connection is trusted."""

    place: str
    url: str
    sha256: str = ""
    file: str = ""


class WayOut(Message):
    """url: what carries the code's connections to the egress gateway."""

    url: str
    ca_pem: str


class Upload(Message):
    """Where one file may be put, once, with these headers."""

    url: str
    headers: dict[str, str]


class Install(Message):
    """A `Wish`, and where the packages go as one file; upload None: into what is handed in, as outputs/PACKAGES."""

    packages: tuple[str, ...]
    workspace_id: str
    lock: str
    approved: tuple[str, ...]
    language: Literal["ko", "en"]
    upload: Upload | None


class InstallTold(Message):
    """What came of an `Install`, handed in as outputs/INSTALLED: with a lock its packages are where they should be;
    else `packages` need a yes for `reasons`, or it failed for a `problem`. file_bytes, sha256: of the file."""

    lock: str = Field(default="", max_length=4 << 20)
    size_bytes: int = Field(default=0, ge=0)
    file_bytes: int = Field(default=0, ge=0)
    sha256: str = Field(default="", max_length=64)
    packages: tuple[str, ...] = Field(default=(), max_length=1000)
    reasons: tuple[str, ...] = Field(default=(), max_length=1000)
    problem: str = Field(default="", max_length=4000)
    code: str = Field(default="", max_length=100)
    again: bool = False
    fields: dict[str, str] = Field(default_factory=dict)


class Work(Message):
    """An order without what lies on the executor's disk. doctor: no run; the attacks are tried on the sandbox there
    and what was found is handed in as outputs/PROOF. install: no run; packages are installed."""

    id: str
    doctor: bool = False
    install: Install | None = None
    entry: str
    input: JsonValue
    state: bytes | None
    env: dict[str, str]
    mode: Literal["live", "rehearsal"]
    now: str
    timezone: str
    limits: dict[str, float]
    files: dict[str, bytes]
    seed: bytes
    clock: float | None
    parcels: tuple[Parcel, ...]
    way_out: WayOut | None


class JobProof(Message):
    """What `doctor` found in a job. version: of the code that made the sandbox there; enforced, missing: as
    `Enforcement` of it; escaped, open: ids of cases."""

    version: str
    at: str
    enforced: tuple[str, ...]
    missing: dict[str, str]
    held: int
    total: int
    escaped: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class Report(Message):
    """number: counts up from 1 over the attempt, so that what comes twice is heard once."""

    number: int = Field(ge=1)
    kind: Literal["first_line", "stdout", "stderr", "entry"]
    data: bytes = b""
    entry: dict[str, JsonValue] = Field(default_factory=dict)


class Reports(Message):
    """None at all is a sign of life."""

    instance: str
    reports: tuple[Report, ...] = ()


class Heard(Message):
    """stop: end it, for that reason."""

    stop: EndReason | None = None


class Known(Message):
    """known: the attempt's end is written down. Else it is to be told again, and nothing of it let go of."""

    known: bool


class EndingTold(Message):
    """box_bytes: of the tar that was handed in; None when nothing was left."""

    instance: str
    reason: EndReason
    exit_code: int | None
    wall_ms: int = 0
    cpu_ms: int = 0
    memory_peak_bytes: int = 0
    output_bytes: int = 0
    detail: str = Field("", max_length=2000)
    box_bytes: int | None = None
    box_sha256: str = ""

    @property
    def usage(self) -> Usage:
        return Usage(self.wall_ms, self.cpu_ms, self.memory_peak_bytes, self.output_bytes)


def work_of(
    order: Order,
    parcels: tuple[Parcel, ...],
    way_out: WayOut | None,
    *,
    doctor: bool = False,
    install: Install | None = None,
) -> Work:
    return Work(
        id=order.id,
        doctor=doctor,
        install=install,
        entry=order.entry,
        input=cast("JsonValue", order.input),
        state=order.state,
        env=dict(order.env),
        mode=order.mode,
        now=order.now,
        timezone=order.timezone,
        limits=vars(order.limits),
        files=dict(order.files),
        seed=order.seed,
        clock=order.clock,
        parcels=parcels,
        way_out=way_out,
    )


def limits_of(work: Work) -> RunLimits:
    whole = {
        name: int(value) if isinstance(getattr(RunLimits(), name), int) else value
        for name, value in work.limits.items()
    }
    return RunLimits(**whole)  # type: ignore[arg-type]  # each is int or float as the default is


def ending_of(instance: str, ended: Ended, box_bytes: int | None, box_sha256: str) -> EndingTold:
    return EndingTold(
        instance=instance,
        reason=ended.reason,
        exit_code=ended.exit_code,
        **vars(ended.usage),
        detail=ended.detail[:2000],
        box_bytes=box_bytes,
        box_sha256=box_sha256,
    )
