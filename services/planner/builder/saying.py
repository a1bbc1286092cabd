"""What the model is told next: results of its calls, what the person said, and at the very beginning where it is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.planner.builder.looking import PRACTICE_HOST
from services.planner.builder.quoting import quoted
from services.planner.builder.tools import ASK, LOOK, PLAN, TEST
from services.planner.model import Build, Done, Work
from services.planner.ports import Message, Text, ToolResult
from shared.agentfile import toml
from shared.agentfile.model import AgentFile
from shared.records.planner import Plan

_LANGUAGES = {"ko": "Korean", "en": "English"}
_INTERRUPTED = {
    LOOK: "Not read: the person spoke meanwhile.",
    TEST: "The test was not waited for: the person spoke meanwhile.",
}


def opening(build: Build, now: datetime, existing: AgentFile | None) -> str:
    """The facts a conversation begins with. existing: the agent this conversation changes, as it stands."""
    local = now.astimezone(ZoneInfo(build.timezone))
    where = (
        f"(From the platform. It is {local:%A, %Y-%m-%d %H:%M} in {build.timezone}. The person's page is in "
        f"{_LANGUAGES[build.language]}. Reports can go to the app's inbox, which needs nothing, or to Slack through "
        f"an incoming webhook. Practice shops without any account: https://{PRACTICE_HOST}/shop-a, /shop-b, /shop-c."
    )
    lines = [where]
    if build.secret_names:
        lines.append(f"In the person's vault, by name only: {', '.join(build.secret_names)}.")
    if existing is not None:
        lines.append(
            "The person has this agent already and wants it changed. Propose the whole changed plan; keep what they "
            "did not mention. Its files can be read with read_file. Its agent.toml:"
        )
        lines.append(quoted("agent.toml", toml.dump(existing), 12_000))
    return "\n".join(lines) + ")"


def next_message(build: Build, work: Work, first: str) -> tuple[Message, ...]:
    """Nothing when the model only wants to go on. first: `opening` in the first turn, "" later. Results go first:
    the API refuses anything else."""
    blocks: list[ToolResult | Text] = [ToolResult(d.call_id, d.text, d.failed) for d in work.results]
    texts = [first] if first else []
    if work.nudge:
        texts.append(f"({work.nudge})")
    blocks += [Text(text) for text in (*texts, *build.messages[work.heard :]) if text]
    return (Message("user", tuple(blocks)),) if blocks else ()


def interrupted(work: Work, text: str, answers: dict[str, str], messages: int) -> Work:
    """The person spoke: every call that waited for something has its result now, or will never have one. messages:
    how many the person has written in all, this one included."""
    results = []
    for pending in work.pending:
        if pending.tool == ASK:
            lines = [f"{id}: {value}" for id, value in answers.items()]
            lines += [text] if text else []
            results.append(Done(call_id=pending.call_id, text="\n".join(lines) or "(no answer)"))
        elif pending.tool == PLAN:
            said = f"The person has not decided yet and said: {text or answers}"
            results.append(Done(call_id=pending.call_id, text=said))
        else:
            why = _INTERRUPTED.get(pending.tool, "Not done: the person spoke meanwhile.")
            results.append(Done(call_id=pending.call_id, text=why))
    said_in_result = any(pending.tool in (ASK, PLAN) for pending in work.pending)
    heard = messages if said_in_result and text else work.heard
    return work.done(*results).but(held=None, look_key=None, look_problem="", heard=heard)


def allowed(plan: Plan) -> str:
    return (
        "The person allowed the plan as it stands below (they may have changed schedule, caps or promises). Write the "
        f"files now, then test.\n{toml.dump(plan.agent_file)}"
    )


REPAIR = (
    "The person asks you to mend their live agent. How its last run went follows. The plan stays as it "
    "is allowed: change the code only (read_file has its files, look the pages it reads), so that it "
    "works for today's pages and still for those of earlier days, which it will be tried on too. It is also tried on "
    "copies of these pages with other titles and numbers, without content, and answering 503: read everything from "
    "the page, fail when it cannot be read, and never fall back on rows that are written down or remembered. Then "
    "run_test"
)
REJECTED = "The person did not allow this plan. Wait for what they say, or ask what should be different."
SAME_PLAN = "This plan allows nothing but what the person has allowed already. Go on."
GO_ON = "Your answer was cut off at its longest. Go on, in smaller pieces."
SAY_SOMETHING = "You answered nothing. Take the next step, or tell the person what is in the way."
