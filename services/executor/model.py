"""The run as a state machine, and what an ended attempt means. Pure: no store, no clock.

`MOVES` is the whole table (also in docs/architecture.md): from a status, which statuses may follow.
Anything else is a late or repeated fact and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.agentfile.model import Language
from shared.errors import Conflict
from shared.records.executor import (
    CheckOutcome,
    HostContact,
    OutsideRequest,
    QueuedDelivery,
    Reason,
    Run,
    RunStatus,
    RunUsage,
)

MOVES: Mapping[RunStatus, frozenset[RunStatus]] = {
    "queued": frozenset({"running", "failed", "cancelled", "timed_out", "refused"}),
    "running": frozenset({"queued", "parked", "succeeded", "failed", "cancelled", "timed_out"}),
    "parked": frozenset({"queued", "cancelled", "refused"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "timed_out": frozenset(),
    "refused": frozenset(),
}
FINISHED: frozenset[RunStatus] = frozenset(status for status, after in MOVES.items() if not after)
PARKS_PER_DAY = 3  # design, section 6
RETRIES_AFTER_LOSS = 3  # decision: a machine that dies four times under one run is not going to finish it


def may_move(run: Run, to: RunStatus) -> bool:
    return to in MOVES[run.status]


def attempt_of(run: Run) -> str:
    """The id of the attempt under way. Raises Conflict for a run that has none."""
    if run.attempt_id is None:
        raise Conflict(f"run {run.id} has no attempt under way")
    return run.attempt_id


class Refusal(BaseModel):
    """An exchange the gateway refused, as the run remembers it. askable: a person could allow it. mentioned: the
    code had read the host's name in an answer before."""

    model_config = ConfigDict(frozen=True)

    askable: bool = True
    scheme: str = ""
    host: str
    port: int
    method: str
    path: str
    reason: str
    mentioned: bool = False


class AttemptResult(BaseModel):
    """What the trusted side wrote down when an attempt ended; the document `attempts/{attempt_id}`.

    state_key/state_sha256: the candidate state's blob, absent when the agent keeps none. files: outputs by
    name -> size. decoy: where which one was seen ("stdout: BACKUP_ADMIN_PASSWORD"), empty when none was.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    run_id: str
    workspace_id: str
    number: int
    reason: str
    exit_code: int | None
    detail: str = ""
    error_lines: tuple[str, ...] = ()
    usage: RunUsage = RunUsage()
    deliveries: tuple[QueuedDelivery, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    would_send: tuple[dict[str, Any], ...] = ()
    hosts: tuple[HostContact, ...] = ()
    wrote: bool = False
    files: dict[str, int] = {}
    problems: tuple[str, ...] = ()
    decoy: str = ""
    state_key: str | None = None
    state_sha256: str = ""
    state_size: int = 0
    tape: Literal["full", "headers", "off", "none"] = "none"
    requests: tuple[OutsideRequest, ...] = ()
    begun_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True)
class Ending:
    """What a run becomes after an attempt. `again`: start another attempt from the same base state."""

    status: RunStatus
    outcome: Literal["pending", "delivered", "doubtful", "not_delivered"]
    reason: Reason | None = None
    again: bool = False
    park: Refusal | None = None
    promote: bool = False


_TEXT: dict[str, tuple[str, str]] = {
    "wall": ("정해진 시간 안에 끝나지 않았어요.", "It did not finish within its time limit."),
    "cpu": ("계산 시간을 다 썼어요.", "It used up its computing time."),
    "memory": ("메모리를 정해진 만큼 다 썼어요.", "It used more memory than allowed."),
    "processes": ("프로그램을 너무 많이 동시에 띄웠어요.", "It started too many processes."),
    "disk": ("저장 공간을 다 썼어요.", "It used up its disk space."),
    "inodes": ("파일을 너무 많이 만들었어요.", "It made too many files."),
    "files": ("파일을 너무 많이 열었어요.", "It opened too many files."),
    "output": ("출력이 너무 많았어요.", "It printed too much."),
    "stopped": ("중지했어요.", "It was stopped."),
    "lost": ("실행하던 컴퓨터가 꺼졌어요.", "The machine it ran on went away."),
    "unstartable": ("실행을 시작하지 못했어요.", "It could not be started."),
    "crashed": ("코드가 오류로 멈췄어요.", "The code stopped with an error."),
    "contract": (
        "결과가 확인 조건에 맞지 않아 보내지 않았어요.",
        "The result did not meet its conditions, so nothing was sent.",
    ),
    "wrote_then_lost": (
        "바깥에 쓰기를 한 뒤 끊겼어요. 두 번 쓰지 않도록 다시 시작하지 않았어요.",
        "It was cut off after writing to another site, so it was not started again by itself.",
    ),
    "not_allowed": (
        "허락하지 않은 곳에 접속하려고 했어요.",
        "It tried to reach a place you have not allowed.",
    ),
    "too_many_parks": (
        "오늘 허락을 이미 여러 번 여쭤봐서 더 묻지 않고 멈췄어요.",
        "It has asked for permission too often today, so it stopped.",
    ),
    "decoy": (
        "코드가 함정으로 놓아둔 가짜 비밀을 빼내려고 했어요. 아무것도 내보내지 않았고, 에이전트를 격리했어요.",
        "Its code tried to pass on a secret that was a trap. Nothing was let out, and the agent is quarantined.",
    ),
    "bad_output": ("남긴 파일을 안전하게 읽을 수 없었어요.", "Its files could not be read safely."),
}


# Where an attempt's decoy was seen (attempts/decoys.py); what is not here is told as it is.
_PLACES = {
    "stdout": "표준 출력",
    "stderr": "표준 오류",
    "file": "남긴 파일",
    "file name": "남긴 파일의 이름",
    "state": "기억",
    "state name": "기억의 파일 이름",
    "deliver": "보낼 메시지",
    "step": "단계 알림",
}


def sentence(code: str, language: Language) -> str:
    korean, english = _TEXT[code]
    return korean if language == "ko" else english


def _seen_in(decoy: str, language: Language) -> str:
    """`where: which decoy` in the reader's language; names of hosts, files and variables stay as they are."""
    where, colon, which = decoy.rpartition(": ")
    host = where.removeprefix("request to ")
    if language == "ko" and colon:
        where = f"{host}에 보낸 요청" if host != where else _PLACES.get(where, where)
    return f"{where}{colon}{which}"


def after_attempt(
    run: Run,
    result: AttemptResult,
    checks: Sequence[CheckOutcome],
    parks_today: int,
    language: Language,
) -> Ending:
    """Decides the run from its attempt. Order: cut off, asked for more, limit or crash, contract."""

    def failed(code: str, status: RunStatus = "failed", more: str = "") -> Ending:
        text = sentence(code, language) + (f" {more}" if more else "")
        return Ending(status, "not_delivered", Reason(code=code, text=text))

    if result.decoy:
        return failed("decoy", more=f"({_seen_in(result.decoy, language)})")
    if result.reason == "stopped":
        return failed("stopped", "cancelled")
    if result.reason == "lost":
        if result.wrote:
            return failed("wrote_then_lost", more=writes_made(run))
        again = run.attempt < RETRIES_AFTER_LOSS
        return Ending("queued", "pending", again=True) if again else failed("lost")
    if result.refusals:
        return _asked_for_more(run, result, parks_today, language)
    if result.reason == "wall":
        return failed("wall", "timed_out")
    if result.reason != "exited":
        return failed(result.reason if result.reason in _TEXT else "crashed", more=result.detail)
    if result.exit_code != 0:
        return failed(
            "crashed", more=(result.error_lines[-1] if result.error_lines else f"(exit {result.exit_code})")
        )
    if result.problems:
        return failed("bad_output", more=result.problems[0])
    broken = [check for check in checks if not check.held]
    if broken:
        seen = broken[0].text.partition(" (outputs/")[0]  # what was seen; the rule stands with the check
        text = f"{sentence('contract', language)} 「{broken[0].says}」: {seen}"
        return Ending("succeeded", "not_delivered", Reason(code="contract", text=text))
    live = run.kind not in ("test", "replay")
    waiting = live and bool(result.deliveries)
    return Ending("succeeded", "pending" if waiting or not live else "delivered", promote=live)


def writes_made(run: Run) -> str:
    """The first of them, for a reason's text; the run's document lists more."""
    shown = "; ".join(f"{made.method} {made.url[:200]} {made.at[:19]}Z" for made in run.writes[:3])
    return f"({shown}{'; …' if len(run.writes) > 3 else ''})" if shown else ""


def _asked_for_more(run: Run, result: AttemptResult, parks_today: int, language: Language) -> Ending:
    refusal = result.refusals[0]
    place = f"{refusal.host}:{refusal.port}" if refusal.port not in (0, 80, 443) else refusal.host
    more = f"({refusal.method} {place}{refusal.path})" if refusal.method else f"({place})"
    reason = Reason(code="not_allowed", text=f"{sentence('not_allowed', language)} {more}")
    if not refusal.askable or (result.wrote and run.kind not in ("test", "replay")):
        return Ending("failed", "not_delivered", reason)
    if run.permission_request_id is not None or run.kind in ("test", "replay"):
        return Ending("failed", "not_delivered", reason)
    if parks_today >= PARKS_PER_DAY:
        text = f"{sentence('too_many_parks', language)} {more}"
        return Ending("failed", "not_delivered", Reason(code="not_allowed", text=text))
    return Ending("parked", "pending", reason, park=refusal)


def settled_outcome(run: Run) -> Literal["delivered", "doubtful", "not_delivered"] | None:
    """The final outcome once every requested delivery has an end; None while one is still on its way."""
    states = [delivery.status for delivery in run.deliveries]
    if any(state == "requested" for state in states):
        return None
    if all(state == "sent" for state in states):
        return "delivered"
    if any(state in ("sent", "unknown") for state in states):
        return "doubtful"
    return "not_delivered"


def permission_sentence(refusal: Refusal, agent_name: str, language: Language) -> str:
    place = refusal.host if refusal.port in (80, 443) else f"{refusal.host}:{refusal.port}"
    what = f"{refusal.method} {refusal.path.partition('?')[0][:200]}" if refusal.method else ""
    if language == "ko":
        only = f" 허락하면 이 주소의 {what} 만 열려요." if what else ""
        return (
            f"「{agent_name}」 에이전트가 {place} 에 접속해도 될까요? "
            f"지금까지 허락한 일에는 없던 곳이에요.{only}"
        )
    only = f" A yes opens {what} there and nothing else." if what else ""
    return f'May "{agent_name}" reach {place}? It is not among the places you have allowed.{only}'


def permission_warning(refusal: Refusal, language: Language) -> str:
    """Empty when there is nothing to warn of."""
    if not refusal.mentioned:
        return ""
    if language == "ko":
        return "이 주소는 에이전트가 읽은 내용에 적혀 있던 거예요. 누가 일부러 적어 둔 것일 수 있어요."
    return "This address stood in something the agent had read. Somebody may have put it there on purpose."
