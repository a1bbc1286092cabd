"""The collections of this service's database and every query it makes, here and in others' databases."""

from __future__ import annotations

from shared.store.port import Query, Where

USERS = "users"
WORKSPACES = "workspaces"
SESSIONS = "sessions"
LINKS = "links"
AGENTS = "agents"
GRANTS = "grants"
REQUESTS = "requests"
SECRETS = "secrets"
SECRET_USES = "secret_uses"  # noqa: S105 - the name of a collection
CONNECTIONS = "connections"
DELIVERIES = "deliveries"
NOTICES = "notices"
PRACTICE = "practice"
CHANGES = "changes"
CHANGE_FEEDS = "change_feeds"
CHOICES = "plan_choices"
REMEMBERED = "idempotency"

COLLECTIONS = (
    USERS,
    WORKSPACES,
    SESSIONS,
    LINKS,
    AGENTS,
    GRANTS,
    REQUESTS,
    SECRETS,
    SECRET_USES,
    CONNECTIONS,
    DELIVERIES,
    NOTICES,
    PRACTICE,
    CHANGES,
    CHANGE_FEEDS,
    CHOICES,
    REMEMBERED,
)


def _by(collection: str, *equal: str, order: str | None, descending: bool = True) -> Query:
    return Query(collection, tuple(Where(f, "==", "") for f in equal), order_by=order, descending=descending)


QUERIES = (
    _by(AGENTS, "workspace_id", order="created_at"),
    _by(GRANTS, "workspace_id", "agent_id", order="at"),
    _by(REQUESTS, "workspace_id", "kind", order="at"),
    _by(SECRETS, "workspace_id", order="created_at"),
    _by(SECRETS, "workspace_id", "fingerprint", order="created_at"),
    _by(DELIVERIES, "workspace_id", order="at"),
    _by(DELIVERIES, "workspace_id", "channel", order="at"),
    _by(DELIVERIES, "workspace_id", "run_id", order="at", descending=False),
    _by(NOTICES, "workspace_id", order="at"),
    _by(NOTICES, "workspace_id", "about", order="at"),
    Query(SESSIONS, (Where("seen_at", "<", ""),), order_by="seen_at"),
    Query(LINKS, (Where("expires_at", "<", ""),), order_by="expires_at"),
    Query(REMEMBERED, (Where("at", "<", ""),), order_by="at"),
)

# Times that no query asks by; every one of them rises.
TIMES = {
    REQUESTS: ("deadline_at",),
    DELIVERIES: ("settled_at", "read_at"),
    NOTICES: ("read_at",),
    CHANGES: ("at",),
    SECRET_USES: ("at",),
    AGENTS: ("updated_at",),
    SECRETS: ("last_used_at",),
}
