"""From an engine's proposal to a plan and a candidate version that a person can decide about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.planner import repository
from services.planner.builder.trials import Repair
from services.planner.bundles import Draft, stored
from services.planner.deps import Deps
from services.planner.model import Build, say, sheet_rows
from services.planner.prices.estimates import estimate
from services.planner.recipes.talk import Propose
from services.planner.repository import Entry
from shared.agentfile import toml
from shared.agentfile.canonical import manifest_hash
from shared.agentfile.describe import describe
from shared.agentfile.model import AgentFile
from shared.agentfile.schedule import next_firings
from shared.blobs.port import Blobs
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.plan import VersionReady
from shared.records.gateway import Agent, Grant
from shared.records.planner import Conversation, PackageWish, Plan, Tokens, Version
from shared.store.port import Reader, Tx

_FIRINGS = 5


def draft(step: Propose, build: Build, blobs: Blobs) -> Draft:
    files = {
        **step.files,
        "agent.toml": toml.dump(step.agent_file).encode(),
        "requirements.lock": step.requirements_lock,
    }
    key, digest = stored(files, blobs)
    return Draft(
        agent_file=step.agent_file,
        bundle_key=key,
        bundle_sha256=digest,
        files=tuple(sorted(files)),
        lock=step.requirements_lock.decode() if step.agent_file.agent.packages else None,
        summary=step.summary,
        steps=step.steps,
        packages=tuple(PackageWish(name=p.name, why=p.why) for p in step.packages),
        found=(*step.found, *step.assumed),
        wont=step.wont,
        seconds=step.estimate.seconds,
        said=say("planned", build.language),
    )


def candidate(made: Draft, conversation: Conversation, deps: Deps, prompt: str = "") -> Version:
    """prompt: hash of the instructions a model wrote it under."""
    return Version(
        id=deps.ids.new("ver"),
        workspace_id=conversation.workspace_id,
        agent_id=conversation.agent_id or deps.ids.new("agent"),
        conversation_id=conversation.id,
        status="candidate",
        manifest_hash=manifest_hash(made.agent_file),
        agent_file=made.agent_file,
        bundle_key=made.bundle_key,
        bundle_sha256=made.bundle_sha256,
        files=made.files,
        lock=made.lock,
        prompt=prompt,
        created_at=deps.now(),
    )


def record(
    tx: Tx,
    conversation: Conversation,
    made: Draft,
    deps: Deps,
    before: Sequence[Entry] = (),
    spent: Tokens | None = None,
) -> None:
    """The newest plan replaces the one before it; its version is a candidate until a rehearsal passed. before:
    entries that come first. spent: what the conversation has cost; None: as it says."""
    now = deps.now()
    version = candidate(made, conversation, deps)
    plan = _plan(conversation.but(tokens=spent or conversation.tokens), version, made, deps)
    old = repository.find_plan(tx, conversation.plan_id) if conversation.plan_id else None
    if old is not None and old.status == "proposed":
        repository.save_plan(tx, old.but(status="superseded"))
    repository.save_version(tx, version)
    repository.save_plan(tx, plan)
    entries = [*before]
    if made.said:
        entries.append(("text", "builder", {"text": made.said}))
    entries.append(("plan", "builder", {"plan_id": plan.id}))
    repository.save(
        tx,
        conversation.but(
            state="proposed", agent_id=version.agent_id, plan_id=plan.id, version_id=version.id, problem=None
        ),
        entries,
        now,
    )


def promote(
    tx: Tx,
    conversation: Conversation,
    deps: Deps,
    before: Sequence[Entry] = (),
    mended: Repair | None = None,
) -> None:
    """The version whose rehearsal passed can be switched on, numbered from 1. before: entries that come first.
    mended: of a repair, how sure it is and what the person is shown beside it."""
    version = repository.find_version(tx, conversation.version_id or "")
    run_id = conversation.test_run_id
    if version is None or run_id is None or version.status == "promoted":
        raise NotYet("The version is not known yet.")
    number = 1 + max((v.number or 0 for v in repository.versions_of(tx, version.agent_id)), default=0)
    repository.save_version(tx, version.but(status="promoted", number=number, rehearsal_run_id=run_id))
    text = say("ready", conversation.language)
    result: dict[str, Any] = {"text": text, "run_id": run_id, "state": "ready", "version": number}
    if mended is not None and mended.shown:
        result["mended"] = mended.shown
    entries = [*before, ("result", "builder", result)]
    repository.save(tx, conversation.but(state="ready", problem=None), entries, deps.now())
    tx.emit(
        VersionReady(
            version_id=version.id,
            agent_id=version.agent_id,
            conversation_id=conversation.id,
            number=number,
            run_id=run_id,
            repair=mended.sure if mended is not None else "",
        )
    )


def _plan(conversation: Conversation, version: Version, made: Draft, deps: Deps) -> Plan:
    file = made.agent_file
    firings = next_firings(file.schedule, deps.clock.now(), _FIRINGS) if file.schedule else []
    key = deps.bench.keys.builder_key_for(conversation.workspace_id)
    return Plan(
        id=deps.ids.new("plan"),
        workspace_id=conversation.workspace_id,
        conversation_id=conversation.id,
        agent_id=version.agent_id,
        version_id=version.id,
        status="proposed",
        agent_file=file,
        manifest_hash=version.manifest_hash,
        summary=made.summary,
        steps=made.steps,
        packages=made.packages,
        schedule_words=describe(file.schedule, conversation.language) if file.schedule else None,
        next_firings=tuple(stamp(moment) for moment in firings),
        estimate=estimate(
            file,
            seconds=made.seconds,
            so_far=conversation.tokens,
            model=key.model if key is not None else None,
            now=deps.clock.now(),
        ),
        found=made.found,
        wont=made.wont,
        author_words=made.author_words,
        findings=made.findings,
        new_rows=_new_rows(version.agent_id, file, deps.gateway),
        created_at=deps.now(),
    )


def _new_rows(agent_id: str, file: AgentFile, gateway: Reader) -> tuple[str, ...] | None:
    """Rows of the sheet that the last approval did not have; None when nothing was ever approved."""
    agent_doc = gateway.get("agents", agent_id)
    agent = Agent.from_doc(agent_doc.data) if agent_doc else None
    grant_doc = gateway.get("grants", agent.grant_id) if agent and agent.grant_id else None
    if grant_doc is None:
        return None
    before = set(sheet_rows(Grant.from_doc(grant_doc.data).agent_file))
    return tuple(row for row in sheet_rows(file) if row not in before)
