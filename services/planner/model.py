"""A build as values: what was said, answered and seen, and which conversation states may follow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.planner.recipes.talk import LookFound, TalkState
from shared.agentfile.model import AgentFile
from shared.records.planner import ConversationState

Language = Literal["ko", "en"]

# In these states the builder is at work; a person's message waits for its lease first.
BUSY: frozenset[ConversationState] = frozenset({"thinking", "building", "testing"})


class Build(BaseModel):
    """The private memory of one conversation; id = conversation id. `looking`: the look
    awaited, if any, at the addresses `awaited`; `grant_id`: what the newest approval wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    workspace_id: str
    language: Language
    timezone: str
    messages: tuple[str, ...] = ()
    answers: dict[str, str] = {}
    looks: dict[str, dict[str, object]] = {}
    secret_names: tuple[str, ...] = ()
    import_key: str | None = None
    lease_id: str | None = None
    message_id: str | None = None
    looking: str | None = None
    awaited: tuple[str, ...] = ()
    grant_id: str | None = None
    stopped: bool = False


def talk_state(build: Build, today: date) -> TalkState:
    return TalkState(
        language=build.language,
        messages=build.messages,
        answers=build.answers,
        looks={address: LookFound(**seen) for address, seen in build.looks.items()},  # type: ignore[arg-type]
        timezone=build.timezone,
        secrets=frozenset(build.secret_names),
        today=today,
    )


def title_of(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def sheet_rows(file: AgentFile) -> tuple[str, ...]:
    """One key per row of the permission sheet, so that growth can be named row by row."""
    manifest = file.manifest
    rows = [f"host:{r.scheme}://{r.host}:{r.port}{r.path}:{r.effect}" for r in manifest.hosts]
    rows += [f"channel:{c.kind}:{c.to or c.secret or ''}" for c in manifest.channels]
    rows += [f"secret:{s.name}@{s.host}" for s in manifest.secrets]
    rows += [f"package:{name}" for name in file.agent.packages]
    if manifest.state:
        rows.append("state")
    rows.append(f"tokens:{manifest.tokens.per_run}/{manifest.tokens.per_day}")
    if file.schedule:
        rows.append(f"schedule:{file.schedule.cron}@{file.schedule.timezone}")
    return tuple(rows)


def edited(file: AgentFile, changes: Mapping[str, object]) -> AgentFile:
    """The agent file with a person's own changes to schedule, caps or contract. Raises pydantic's
    ValidationError for values that do not fit."""
    data = file.model_dump()
    if "schedule" in changes:
        data["schedule"] = changes["schedule"]
    if "caps" in changes:
        data["manifest"]["tokens"] = changes["caps"]
    if "contract" in changes:
        data["contract"] = changes["contract"]
    return AgentFile.model_validate(data)


SAY: dict[str, tuple[str, str]] = {
    "looking": ("{n}곳을 먼저 읽어 볼게요.", "Let me read {n} page(s) first."),
    "planned": (
        "이렇게 해 볼게요. 허락하시면 연습 실행부터 해 볼게요.",
        "Here is the plan. Once you allow it, I will rehearse.",
    ),
    "building": ("허락해 주셔서 준비를 시작해요.", "Thank you. Getting it ready."),
    "environment": ("준비물을 갖췄어요.", "Everything it needs is installed."),
    "rehearsal": ("연습 실행을 하고 있어요. 아무것도 보내지 않아요.", "Rehearsing. Nothing is sent."),
    "ready": (
        "연습이 잘 끝났어요. 켜면 예정대로 스스로 일해요.",
        "The rehearsal went well. Switch it on and it works by itself.",
    ),
    "not_ready": ("연습이 확인 조건을 지키지 못했어요.", "The rehearsal did not meet its conditions."),
    "rejected": (
        "알겠어요. 바꾸고 싶은 점을 말해 주시면 다시 짜 볼게요.",
        "All right. Tell me what to change and I will plan again.",
    ),
    "stopped": ("멈췄어요. 지금까지 한 것은 그대로예요.", "Stopped. Everything so far is kept."),
    "look_failed": ("페이지를 읽어 보지 못했어요.", "The pages could not be read."),
    "imported": (
        "가져온 에이전트예요. 아래 설명은 만든 사람의 말이에요.",
        "An imported agent. The description is its author's words.",
    ),
    "broken": (
        "여기서 문제가 생겨 더 나아가지 못했어요. 다시 말씀해 주세요.",
        "Something went wrong here and it could not go on. Please say it again.",
    ),
    "overdue": (
        "시간이 너무 오래 걸려 멈췄어요. 다시 말씀해 주세요.",
        "It took too long and was stopped. Please say it again.",
    ),
}


def say(key: str, language: Language, **values: object) -> str:
    return SAY[key][0 if language == "ko" else 1].format(**values)
