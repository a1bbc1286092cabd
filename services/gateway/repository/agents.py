"""Agents with what their card shows, gathered from the databases that own the parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS, GRANTS, NOTICES
from shared.agentfile.describe import describe
from shared.agentfile.model import Schedule
from shared.agentfile.schedule import next_firings
from shared.clock import moment, stamp
from shared.records.executor import PermissionRequest, Run
from shared.records.gateway import Agent, Grant, Notice
from shared.records.ledger import AgentMonth
from shared.records.planner import Conversation, Version
from shared.records.scheduler import ScheduleRecord
from shared.store.port import Reader, Where

_AGENTS = 1000  # of one workspace
_FIRINGS = 5


@dataclass(frozen=True)
class CardFacts:
    """What a card shows beside the agent itself. waiting: (kind, text, about) of what needs the person."""

    schedule_words: str | None
    next_at: str | None
    next_firings: tuple[str, ...]
    last_run: Run | None
    tokens_month: int
    waiting: tuple[tuple[str, str, str], ...]


@lru_cache(maxsize=1000)
def _firings_from(first: str | None, schedule: Schedule | None) -> tuple[str, ...]:
    """The next firing and those after it; empty when nothing is due. Remembered: pages ask again and again, and going
    through a calendar takes longer than all else of a card."""
    if first is None or schedule is None:
        return ()
    return (first, *(stamp(at) for at in next_firings(schedule, moment(first), _FIRINGS - 1)))


class AgentRepository:
    def __init__(self, scope: Scope, store: Reader, readers: Mapping[str, Reader]) -> None:
        self._scope = scope
        self._store = store
        self._readers = readers

    def all(self) -> list[Agent]:
        """Newest first, without the deleted."""
        found = self._scope.all(self._store, AGENTS, Agent, order_by="created_at", limit=_AGENTS)
        return [agent for agent in found if agent.deleted_at is None]

    def facts(self, agents: list[Agent], now: str) -> dict[str, CardFacts]:
        """By agent id."""
        tokens = self._tokens_month(now)
        waiting = self._waiting()
        return {agent.id: self._facts(agent, now, tokens, waiting) for agent in agents}

    def _facts(
        self, agent: Agent, now: str, tokens: dict[str, int], waiting: dict[str, list[tuple[str, str, str]]]
    ) -> CardFacts:
        schedule = agent.agent_file.schedule
        return CardFacts(
            schedule_words=describe(schedule, agent.language) if schedule else None,
            next_at=(next_at := self._next_at(agent, now)),
            next_firings=_firings_from(next_at, schedule),
            last_run=self._last_run(agent.id),
            tokens_month=tokens.get(agent.id, 0),
            waiting=tuple(waiting.get(agent.id, ())),
        )

    def versions(self, agent_id: str) -> list[Version]:
        """Newest first."""
        where = Where("agent_id", "==", agent_id)
        return self._scope.all(self._readers["planner"], "versions", Version, where, order_by="created_at")

    def last_shown(self, agent: Agent) -> str | None:
        """The version whose rehearsal the person saw last. The conversation shows it the moment it passed,
        which may be before the fact has arrived here."""
        planner = self._readers["planner"]
        talk = self._scope.find(planner, "conversations", agent.conversation_id, Conversation)
        if talk is None or talk.version_id is None:
            return agent.shown_version_id
        version = self._scope.find(planner, "versions", talk.version_id, Version)
        return version.id if version is not None and version.status == "promoted" else agent.shown_version_id

    def grants(self, agent_id: str) -> list[Grant]:
        """Newest first."""
        where = Where("agent_id", "==", agent_id)
        return self._scope.all(self._store, GRANTS, Grant, where, order_by="at")

    def grant_for(self, version: Version) -> Grant | None:
        """The newest yes given for this very version, else the newest for the same manifest."""
        grants = self.grants(version.agent_id)
        own = next((grant for grant in grants if grant.version_id == version.id), None)
        return own or next((grant for grant in grants if grant.manifest_hash == version.manifest_hash), None)

    def _next_at(self, agent: Agent, now: str) -> str | None:
        schedule = agent.agent_file.schedule
        if not agent.enabled or schedule is None:
            return None
        record = self._scope.find(self._readers["scheduler"], "schedules", agent.id, ScheduleRecord)
        if record is not None and record.revision >= agent.updated_at:
            return record.next_at
        # The scheduler has not seen the last change yet: what it will say.
        coming = next_firings(schedule, moment(now), 1)
        return stamp(coming[0]) if coming else None

    def _last_run(self, agent_id: str) -> Run | None:
        where = Where("agent_id", "==", agent_id)
        return self._scope.newest(
            self._readers["executor"],
            "runs",
            Run,
            where,
            order_by="requested_at",
            wanted=lambda run: run.kind not in ("test", "replay"),
        )

    def _tokens_month(self, now: str) -> dict[str, int]:
        this_month = Where("period", "==", now[:7])
        months = self._scope.all(
            self._readers["ledger"],
            "agent_months",
            AgentMonth,
            this_month,
            order_by="agent_id",
            limit=_AGENTS,
        )
        return {month.agent_id: month.tokens for month in months}

    def _waiting(self) -> dict[str, list[tuple[str, str, str]]]:
        waiting: dict[str, list[tuple[str, str, str]]] = {}
        is_open = Where("status", "==", "open")
        for request in self._scope.all(
            self._readers["executor"], "permission_requests", PermissionRequest, is_open, order_by="at"
        ):
            waiting.setdefault(request.agent_id, []).append(("parked", request.sentence, request.id))
        for notice in self._scope.all(self._store, NOTICES, Notice, order_by="at"):
            # Parked runs and packages wait as their permission request above, until that is answered.
            if (
                notice.needs_decision
                and notice.read_at is None
                and notice.kind not in ("parked", "packages")
                and notice.agent_id
            ):
                waiting.setdefault(notice.agent_id, []).append((notice.kind, notice.text, notice.about))
        return waiting
