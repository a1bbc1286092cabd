"""A build as values: what was said, answered and seen, and which conversation states may follow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.planner.recipes.talk import LookFound, TalkState
from shared.agentfile.model import AgentFile
from shared.events.conversation import SeenExchange
from shared.records.executor import Rows, Variation
from shared.records.planner import ConversationState

Language = Literal["ko", "en"]

# In these states the builder is at work; a person's message waits for its lease first.
BUSY: frozenset[ConversationState] = frozenset({"thinking", "building", "testing"})


class Done(BaseModel):
    """The result of a tool call, waiting to be read by the model in its next turn."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call_id: str
    text: str
    failed: bool = False


class Pending(BaseModel):
    """A tool call whose result comes later, from a person or another service. ref: what it waits for (a look, a
    run, a plan); "" for answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call_id: str
    tool: str
    ref: str = ""


class Trial(BaseModel):
    """One replay that a mended agent has to stand.

    of      the run whose recording it is given; today: that is the rehearsal, else a run that went well
    live    it is the version before the repair that is tried, for comparison
    beside  as the run's
    sample  what came out of that run
    end     "" awaited · kept: it came to a good end · broken: it did not · gone: there is no such recording
    same    as the run's (shared/records/executor.py). told: its differences and reason, as sentences
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    of: str
    variation: Variation = ""
    today: bool = False
    live: bool = False
    beside: str | None = None
    end: Literal["", "kept", "broken", "gone"] = ""
    same: bool | None = None
    told: tuple[str, ...] = ()
    sample: tuple[Rows, ...] = ()


class Held(BaseModel):
    """A plan that waits for the index to say whether its packages exist. draft: a proposals.Draft as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call_id: str
    draft: dict[str, object]


class Work(BaseModel):
    """Where the engine with a model stands in one conversation.

    phase       "code" once a plan was allowed: files may be written and tested
    turns       model turns ever begun and recorded; the next one's number
    messages    documents of the transcript so far
    heard       how many of the person's messages the model has read
    since       model turns since a person last said or decided something
    failures    of the turn under way, in a row; trouble: the code of the last of them
    files       path -> blob key of the agent's files as they stand
    tested      digest of the files whose last test kept every promise; "" when none did
    packages    package name -> what the index said of it: "" fine, else a sentence for the model
    recent      signatures of the last actions, oldest first; for noticing that nothing moves
    asks        rounds of questions before the first plan; failed_tests: rehearsals in a row that did not pass
    nudge       a sentence of the platform's own for the model's next turn
    repairs     a run that did not go well and is being mended; "" otherwise. trials: the replays that a passed
                rehearsal has to stand, as far as they were asked for. unsure: what they could not tell, for the person
    exchanges   what the broken run and a good one read, until the model has read it
    test_input  what the rehearsal under way is given
    look_key, look_problem  what looking brought, until the model has read it
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    phase: Literal["plan", "code"] = "plan"
    turns: int = 0
    messages: int = 0
    heard: int = 0
    since: int = 0
    failures: int = 0
    trouble: str = ""
    results: tuple[Done, ...] = ()
    pending: tuple[Pending, ...] = ()
    held: Held | None = None
    files: dict[str, str] = {}
    tested: str = ""
    packages: dict[str, str] = {}
    recent: tuple[str, ...] = ()
    asks: int = 0
    failed_tests: int = 0
    nudge: str = ""
    repairs: str = ""
    trials: tuple[Trial, ...] = ()
    unsure: tuple[str, ...] = ()
    exchanges: tuple[SeenExchange, ...] = ()
    test_input: Any = None
    look_key: str | None = None
    look_problem: str = ""

    def but(self, **changes: object) -> Work:
        return self.model_copy(update=changes)

    def done(self, *results: Done) -> Work:
        """With these results, and nothing pending under their calls any more."""
        ids = {result.call_id for result in results}
        return self.but(
            results=(*self.results, *results), pending=tuple(p for p in self.pending if p.call_id not in ids)
        )

    def waiting(self, tool: str) -> Pending | None:
        return next((p for p in self.pending if p.tool == tool), None)


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
    known_messages: tuple[str, ...] = ()
    looking: str | None = None
    awaited: tuple[str, ...] = ()
    grant_id: str | None = None
    stopped: bool = False
    work: Work = Work()

    def knows(self, message_id: str) -> bool:
        """Whether that message was heard; one that was not is still on its way."""
        return message_id == self.message_id or message_id in self.known_messages


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
    "waiting": (
        "Claude가 지금 답하기 어려워요. {n}초 뒤에 스스로 다시 해 볼게요.",
        "Claude cannot answer right now. It tries again by itself in {n} s.",
    ),
    "replaying": (
        "마지막으로 잘됐던 날의 기록으로도 해 볼게요.",
        "Trying it on the recording of the last good day as well.",
    ),
    "altering": (
        "페이지에 다른 값이 적혀 있으면 그 값이 나오는지 해 볼게요.",
        "Trying whether other values come out when the page has other values.",
    ),
    "emptying": (
        "페이지가 비었거나 오류일 때 알아차리는지 해 볼게요.",
        "Trying whether it notices an empty page and an error.",
    ),
    "comparing": (
        "지금 켜져 있는 버전이라면 어떻게 했을지 견주어 볼게요.",
        "Comparing with what the version before it would have done.",
    ),
    "stood": (
        "오늘 페이지와 잘됐던 날의 기록에서 모두 맞게 나왔어요.",
        "It came out right on today's pages and on the recordings of good days.",
    ),
    "not_the_same": (
        "잘됐던 날의 기록으로는 결과가 달라졌어요. 다시 고쳐 볼게요.",
        "On the recording of a good day it came out differently. Mending again.",
    ),
    "not_from_page": (
        "오늘 페이지에서 읽은 값이 아니라 미리 적어 두거나 기억한 값이 나왔어요. 다시 고쳐 볼게요.",
        "What came out was written down or remembered, not read from today's page. Mending again.",
    ),
    "not_noticed": (
        "페이지가 비었거나 오류인데도 잘됐다고 해요. 다시 고쳐 볼게요.",
        "With an empty page or an error it says that all is well. Mending again.",
    ),
    "fails_on_others": (
        "페이지에 다른 값이 적혀 있으면 제대로 끝나지 않아요. 다시 고쳐 볼게요.",
        "When the page has other values it does not come to a good end. Mending again.",
    ),
    "not_all_of_it": (
        "잘됐던 날과 달리 페이지의 일부만 읽었거나, 옆에 있는 다른 값을 읽었어요. 다시 고쳐 볼게요.",
        "Unlike on a good day it left out part of the page, or read the value beside the right one. Mending again.",
    ),
    "not_covered": (
        "빠진 줄이 없는지, 맞는 값을 읽었는지는 확인하지 못했어요.",
        "Whether rows are missing, or the right values were read, could not be checked.",
    ),
    "no_good_day": (
        "잘됐던 날의 기록이 없어서, 오늘 페이지로만 확인했어요.",
        "There is no recording of a good day, so only today's pages were tried.",
    ),
    "no_recording": (
        "녹화가 남아 있지 않아 확인하지 못한 것이 있어요.",
        "Some of it could not be tried, because the recording is no longer there.",
    ),
    "not_compared": (
        "페이지가 비어 있어도 잘됐다고 하는데, 앞선 버전도 그랬는지는 확인하지 못했어요.",
        "It says that all is well on an empty page; whether the version before it did could not be checked.",
    ),
    "tested": (
        "시험이 잘 끝났어요. 결과를 살펴보고 있어요.",
        "The test went well. Looking at what came out.",
    ),
    "testing": ("코드를 다 썼어요. 시험해 볼게요.", "The code is written. Trying it now."),
    "writing": ("허락해 주셔서 코드를 쓰기 시작해요.", "Thank you. Writing the code now."),
    "rehearsal": ("연습 실행을 하고 있어요. 아무것도 보내지 않아요.", "Rehearsing. Nothing is sent."),
    "ready": (
        "연습이 잘 끝났어요. 켜면 예정대로 스스로 일해요.",
        "The rehearsal went well. Switch it on and it works by itself.",
    ),
    "went_live": (
        "설정해 두신 대로 고친 버전을 바로 켰어요. 허락하신 내용은 그대로이고, 앞선 버전으로 언제든 되돌릴 수 있어요.",
        "As you have set, the mended version is live. What it may do is the same, and one click goes back.",
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
