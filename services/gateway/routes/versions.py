"""Two versions of an agent side by side."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.gateway.model.diff import Differences, differences
from services.gateway.routes.agents import live_agent, repository
from services.gateway.routes.answers import Answer, Api, deps, language, refusal
from services.gateway.routes.files import version_files
from shared.errors import NotFound
from shared.records.planner import Version

api = Api("version-differences")


class VersionRef(Answer):
    """prompt: hash of the instructions a model wrote it under; "" when no model did."""

    id: str
    number: int
    prompt: str
    created_at: str


class VersionDiff(Answer):
    older: VersionRef
    newer: VersionRef
    differences: Differences


class TwoVersions(BaseModel):
    id: str = Field(max_length=200)
    n: int = Field(ge=1, le=1_000_000)
    m: int = Field(ge=1, le=1_000_000)


@api.get("/agents/<string:id>/versions/<int:n>/diff/<int:m>", VersionDiff)
def get_version_diff(path: TwoVersions) -> VersionDiff:
    """What version m is that version n was not, in whichever order they were made."""
    agent = live_agent(deps().store, path.id)
    numbered = {version.number: version for version in repository().versions(agent.id) if version.number}
    if path.n not in numbered or path.m not in numbered:
        raise refusal(NotFound, "not_found")
    older, newer = numbered[path.n], numbered[path.m]
    found = differences(
        older.agent_file,
        newer.agent_file,
        version_files(older.id),
        version_files(newer.id),
        language(),
    )
    return VersionDiff(older=_ref(older), newer=_ref(newer), differences=found)


def _ref(version: Version) -> VersionRef:
    return VersionRef(
        id=version.id, number=version.number or 0, prompt=version.prompt, created_at=version.created_at
    )
