"""What the index says about names before anything is planned with them. Sentences for a model, in English."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from services.executor.environments.guard import Popular, judge, shipped
from services.executor.environments.pages import Project, project_name
from services.executor.environments.source import IndexSource


def looked_up(names: Collection[str], source: IndexSource, now: datetime) -> dict[str, tuple[bool, str]]:
    """By name as asked: whether it exists, and a sentence. Raises Unavailable when the index does not answer."""
    popular = shipped()
    return {name: _said(name, source, popular, now) for name in names}


def _said(name: str, source: IndexSource, popular: Popular, now: datetime) -> tuple[bool, str]:
    canonical = project_name(name)
    project = source.project(canonical) if canonical else None
    if canonical is None or project is None or not project.files:
        other = popular.taken_for(canonical) if canonical else ""
        hint = f" Did you mean {other}?" if other else ""
        return False, f"{name}: the index has no such package.{hint} Name one that exists, or do without."
    return True, f"{name}: {_facts(project)}{_doubt(canonical, project, popular, now)}"


def _facts(project: Project) -> str:
    newest = max((file.version for file in project.files if not file.yanked), default=None)
    if newest is None or newest.is_prerelease:
        newest = max((f.version for f in project.files if not f.version.is_prerelease), default=newest)
    wheel = any(file.wheel for file in project.files if file.version == newest)
    times = sorted(file.uploaded for file in project.files if file.uploaded is not None)
    age = f", first released {times[0]:%Y-%m}, last {times[-1]:%Y-%m}" if times else ""
    return f"newest {newest}, {'has a wheel' if wheel else 'no wheel: it would have to be built, which is asked'}{age}."


def _doubt(name: str, project: Project, popular: Popular, now: datetime) -> str:
    newest = max(file.version for file in project.files)
    doubt = judge(name, newest, project, now, popular)
    if doubt is None or doubt.kind == "new_version":
        return ""
    other = f" It could be taken for {doubt.other}; use that if you meant it." if doubt.other else ""
    return f" The person will be asked about it ({doubt.kind.replace('_', ' ')}).{other}"
