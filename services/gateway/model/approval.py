"""What saying yes to a plan needs, and what it writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.agentfile.canonical import manifest_hash
from shared.agentfile.model import AgentFile, HostRule
from shared.ids import derived
from shared.records.executor import PermissionRequest
from shared.records.gateway import Agent, Grant
from shared.records.planner import Plan


@dataclass(frozen=True)
class Needed:
    """One secret of the sheet. host "" for a channel: its address is its own host."""

    name: str
    host: str
    channel: bool


def needed(agent_file: AgentFile) -> list[Needed]:
    """Channels first; a name that is both is a channel's: such a value is never offered to code."""
    wanted = {
        channel.secret: Needed(channel.secret, "", channel=True)
        for channel in agent_file.manifest.channels
        if channel.kind == "slack" and channel.secret
    }
    for use in agent_file.manifest.secrets:
        wanted.setdefault(use.name, Needed(use.name, use.host, channel=False))
    return list(wanted.values())


def is_what_was_shown(plan: Plan, shown_hash: str) -> bool:
    """The decision names the hash of what stands in the plan now, computed here and not taken on trust."""
    return shown_hash == plan.manifest_hash == manifest_hash(plan.agent_file)


def grant_id(plan_id: str, approved_hash: str) -> str:
    return derived("grant", plan_id, approved_hash)


def granted(plan: Plan, secrets: dict[str, str], by: str, at: str) -> Grant:
    return Grant(
        id=grant_id(plan.id, plan.manifest_hash),
        workspace_id=plan.workspace_id,
        agent_id=plan.agent_id,
        plan_id=plan.id,
        version_id=plan.version_id,
        manifest_hash=plan.manifest_hash,
        agent_file=plan.agent_file,
        secrets=secrets,
        by=by,
        at=at,
    )


def regranted(grant: Grant, agent_file: AgentFile, version_id: str, by: str, at: str) -> Grant:
    """The same yes for another version inside it, or a person's own edit of schedule or caps."""
    approved_hash = manifest_hash(agent_file)
    return grant.but(
        id=derived("grant", grant.plan_id, version_id, approved_hash, at),
        version_id=version_id,
        manifest_hash=approved_hash,
        agent_file=agent_file,
        by=by,
        at=at,
    )


def with_place(agent_file: AgentFile, asked: PermissionRequest) -> AgentFile:
    """The file with the one place more that a parked run asked for, nothing wider: scheme, host, port, path
    and method. Of a refused CONNECT only the host is known: reading at it."""
    reads = asked.method in ("", "GET", "HEAD", "OPTIONS")
    rule = HostRule(
        host=asked.host,
        port=asked.port,
        scheme="http" if asked.scheme == "http" or (not asked.scheme and asked.port == 80) else "https",
        path=asked.path.partition("?")[0],
        exact=bool(asked.method),
        methods=(asked.method,) if asked.method else (),
        effect="read" if reads else "write",
        why=asked.sentence[:400],
    )
    manifest = agent_file.manifest
    return agent_file.model_copy(
        update={"manifest": manifest.model_copy(update={"hosts": (*manifest.hosts, rule)})}
    )


def new_agent(plan: Plan, at: str) -> Agent:
    """Not enabled; no version is live until a rehearsal passed and the person switches it on."""
    meta = plan.agent_file.agent
    return Agent(
        id=plan.agent_id,
        workspace_id=plan.workspace_id,
        name=meta.name,
        summary=meta.summary,
        language=meta.language,
        conversation_id=plan.conversation_id,
        agent_file=plan.agent_file,
        created_at=at,
        updated_at=at,
    )
