"""Answers the planner's question which names the package index has."""

from __future__ import annotations

from services.executor.deps import Deps
from shared.bus.dispatch import Failed, Job
from shared.events.conversation import PackagesFound, PackagesRequested
from shared.store.port import Tx


class LookupJob(Job):
    conversation_id: str
    lookup_id: str
    names: tuple[str, ...]


class LookedUp(Job):
    found: dict[str, str] = {}
    missing: dict[str, str] = {}


def claim_lookup(event: PackagesRequested, tx: Tx, deps: Deps) -> LookupJob:
    return LookupJob(conversation_id=event.conversation_id, lookup_id=event.lookup_id, names=event.names[:40])


def do_lookup(job: LookupJob, deps: Deps) -> LookedUp:
    """Sentences for the model, in English."""
    said = deps.builder.lookup(job.names)
    return LookedUp(
        found={name: text for name, (there, text) in said.items() if there},
        missing={name: text for name, (there, text) in said.items() if not there},
    )


def record_lookup(job: LookupJob, outcome: LookedUp | Failed, tx: Tx, deps: Deps) -> None:
    asked = {"conversation_id": job.conversation_id, "lookup_id": job.lookup_id}
    if isinstance(outcome, Failed):
        problem = f"The package index does not answer: {outcome.detail}"
        tx.emit(PackagesFound.model_validate({**asked, "problem": problem}))
        return
    tx.emit(PackagesFound.model_validate({**asked, "found": outcome.found, "missing": outcome.missing}))
