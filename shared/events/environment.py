"""Facts about environments: the installed packages of one lock, asked for by a version."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class EnvironmentProgressed(Event):
    """One sentence of progress, such as "requests 설치 중…".

    Emitted by: executor
    Handled by: planner
    """

    fact: ClassVar[str] = "environment.progressed.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    conversation_id: str
    text: str
    done: int = 0
    total: int = 0


class EnvironmentReady(Event):
    """The version's packages are installed (or it needs none).

    Emitted by: executor
    Handled by: executor, planner
    """

    fact: ClassVar[str] = "environment.ready.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    conversation_id: str
    environment_id: str
    seconds: float = 0


class EnvironmentFailed(Event):
    """The packages cannot be installed; the text says which and why.

    Emitted by: executor
    Handled by: planner
    """

    fact: ClassVar[str] = "environment.failed.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    conversation_id: str
    text: str


class EnvironmentAsked(Event):
    """Packages of the version need a person's yes before they are installed: `name==version` and a sentence
    for each. The question is the executor's permission request of that id.

    Emitted by: executor
    Handled by: gateway, planner
    """

    fact: ClassVar[str] = "environment.asked.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    conversation_id: str
    permission_request_id: str
    packages: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
