"""Which version an agent's switch makes live, and how two versions differ. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.agentfile.canonical import approved, manifest_hash
from shared.agentfile.model import AgentFile
from shared.clock import moment, stamp
from shared.errors import Conflict
from shared.events.agent import AgentChanged
from shared.records.gateway import Agent
from shared.records.planner import Version


def live_choice(shown: str | None, named: str | None, versions: list[Version]) -> Version:
    """The version to make live: the named one, else `shown`, the one whose rehearsal was last shown.

    Raises: Conflict `not_rehearsed` (nothing passed yet, or the named one did not), `newer_version` (a newer
    one passed that this person has not been shown; `different` says how it differs).
    """
    passed = {version.id: version for version in versions if version.status == "promoted"}
    chosen = passed.get(named or shown or "")
    if chosen is None:
        raise Conflict("no rehearsal has passed", code="not_rehearsed")
    newest = max(passed.values(), key=lambda version: version.number or 0)
    if named is None and (newest.number or 0) > (chosen.number or 0):
        raise Conflict("a newer version has not been shown", code="newer_version")
    return chosen


def different(old: AgentFile, new: AgentFile) -> dict[str, Any]:
    """What the new one may do otherwise: part -> {removed: [...], added: [...]}; {} when nothing changed."""
    before, after = _rows(old), _rows(new)
    parts = {}
    for part in before:
        removed = [row for row in before[part] if row not in after[part]]
        added = [row for row in after[part] if row not in before[part]]
        if removed or added:
            parts[part] = {"removed": removed, "added": added}
    return parts


def _rows(agent_file: AgentFile) -> dict[str, list[Any]]:
    shown = approved(agent_file)
    manifest = shown.pop("manifest")
    shown.pop("version", None)
    rows = {**manifest, **shown}
    return {key: value if isinstance(value, list) else [value] for key, value in rows.items()}


def next_revision(last: str, now: str) -> str:
    """Later than `last` as text, also when the clock stood still or went back."""
    if now > last:
        return now
    return stamp(moment(last) + timedelta(microseconds=1))


def goes_live(agent: Agent, version: Version) -> bool:
    """Whether a repair that stood every trial may replace the live version by itself: its person has set that, the
    agent is on, and it allows and promises exactly what is allowed now."""
    switched_on = agent.enabled and agent.deleted_at is None and agent.quarantine is None
    same = version.manifest_hash == manifest_hash(agent.agent_file)
    return agent.repairs_go_live and switched_on and same and agent.grant_id is not None


def changed(agent: Agent, *, by_repair: bool = False) -> AgentChanged:
    """The fact others keep time and books by; `updated_at` is the revision, so it must have risen."""
    return AgentChanged(
        agent_id=agent.id,
        conversation_id=agent.conversation_id,
        enabled=agent.enabled and agent.deleted_at is None,
        deleted=agent.deleted_at is not None,
        version_id=agent.version_id,
        grant_id=agent.grant_id,
        schedule=agent.agent_file.schedule,
        tokens_per_run=agent.agent_file.manifest.tokens.per_run,
        tokens_per_day=agent.agent_file.manifest.tokens.per_day,
        by_repair=by_repair,
        revision=agent.updated_at,
    )
