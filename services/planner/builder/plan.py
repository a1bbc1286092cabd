"""From the model's plan to an agent file that keeps every rule, or sentences that tell the model what to mend. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import ValidationError

from services.planner.builder.inputs import ChannelInput, PlanInput
from shared.agentfile.contract import DAY_S, is_vacuous
from shared.agentfile.contract_changes import weakened
from shared.agentfile.model import AgentFile, AgentMeta, Channel, Language, Manifest, TokenCaps
from shared.agentfile.rules import check_agent_file
from shared.agentfile.schedule import next_firings
from shared.errors import BadRequest
from shared.records.planner import Plan

_MAX_PER_DAY = 10
_ANY_DAY = datetime(2026, 1, 5, tzinfo=UTC)


def agent_file(said: PlanInput, language: Language) -> AgentFile:
    """Raises BadRequest with every broken rule, in English, for the model: an invalid plan never reaches the person."""
    try:
        file = AgentFile(
            agent=AgentMeta(
                name=said.name,
                summary=said.summary,
                language=language,
                packages=tuple(package.name for package in said.packages),
            ),
            schedule=said.schedule,
            manifest=Manifest(
                hosts=said.hosts,
                secrets=said.secrets,
                channels=tuple(_channel(kind) for kind in said.channels),
                state=said.state,
                tokens=_caps(said),
                limits=said.limits,
            ),
            contract=said.contract,
        )
        check_agent_file(file, "en")
    except BadRequest as error:
        wrong = [f"{key}: {text}" for key, text in error.fields.items()] or [error.detail]
        raise BadRequest(_mend(wrong), code="bad_plan") from error
    except ValidationError as error:
        wrong = [f"{e['loc']}: {e['msg']}" for e in error.errors(include_url=False)[:12]]
        raise BadRequest(_mend(wrong), code="bad_plan") from error
    problems = [*_lacks(file, said)]
    if vacuous := proves_nothing(file, "en", expects_news=said.news_expected):
        problems.append(f"contract: {vacuous}")
    if problems:
        raise BadRequest(_mend(problems), code="bad_plan")
    return file


def proves_nothing(file: AgentFile, language: Language, *, expects_news: bool = False) -> str | None:
    """Why the contract is kept by a run that brought nothing, for what this agent is; None when it is not."""
    firings = next_firings(file.schedule, _ANY_DAY, 8) if file.schedule is not None else []
    gaps = [int((later - earlier).total_seconds()) for earlier, later in pairwise(firings)]
    return is_vacuous(
        file.contract,
        language,
        reads_sources=bool(file.manifest.hosts),
        own_words=(file.agent.name, file.agent.summary),
        expects_news=expects_news,
        news_every_s=min(gaps, default=DAY_S),
        keeps_state=file.manifest.state,
    )


def package_name(entry: str) -> str:
    """The canonical name of a package entry such as `Requests>=2.31`."""
    return str(canonicalize_name(Requirement(entry).name))


def weaker_than(before: Plan | None, file: AgentFile, language: Language) -> tuple[str, ...]:
    """One sentence for each promise that an allowed plan made and this one does not."""
    return weakened(before.agent_file.contract, file.contract, language) if before is not None else ()


def _mend(problems: list[str]) -> str:
    return "The plan was not shown. Mend these and propose again:\n- " + "\n- ".join(problems)


def _channel(said: ChannelInput) -> Channel:
    return Channel.model_validate(said.model_dump(exclude_none=True))


def _caps(said: PlanInput) -> TokenCaps:
    """A cap per run without one per day would hold nothing back: ten runs a day, then."""
    caps = said.tokens
    if caps.per_run and not caps.per_day:
        return caps.model_copy(update={"per_day": caps.per_run * _MAX_PER_DAY})
    return caps


def _lacks(file: AgentFile, said: PlanInput) -> list[str]:
    """What the shape allows and a person should not be shown."""
    problems = []
    for index, rule in enumerate(said.hosts):
        if not rule.why:
            problems.append(f"hosts.{index}.why: say in one sentence for the person why it is needed.")
    for index, secret in enumerate(said.secrets):
        if not any(rule.host == secret.host for rule in said.hosts):
            problems.append(f"secrets.{index}.host: {secret.host} is not among the hosts.")
    kinds = {channel.kind for channel in file.manifest.channels}
    delivered = [check for check in file.contract if check.check == "delivered"]
    if not delivered:
        problems.append("contract: add a `delivered` check, or nobody would notice that nothing was sent.")
    absent = sorted({kind for check in delivered for kind in check.contains} - kinds)
    if absent:
        problems.append(f"contract: `delivered` names channels the plan does not have: {', '.join(absent)}.")
    if "email" in kinds:
        problems.append("channels: e-mail cannot be sent by this installation yet; offer inbox or slack.")
    if file.manifest.tokens.per_run > file.manifest.tokens.per_day:
        problems.append("tokens: per_day is below per_run.")
    return problems
