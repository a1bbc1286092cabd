"""Facts about workspaces."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class WorkspaceDeleted(Event):
    """Somebody wants everything of a workspace gone: agents, secrets and tapes, with the key to them. What was
    delivered and the books stay.

    Emitted by: gateway
    Handled by: executor
    """

    fact: ClassVar[str] = "workspace.deleted.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "workspace_id"

    workspace_id: str
    at: str
