"""What the package index says of names: a result for the model, or the last word on a plan that waited for it."""

from __future__ import annotations

from services.planner import meter as meters
from services.planner import repository
from services.planner.builder.tools import SEARCH
from services.planner.bundles import Draft
from services.planner.deps import Deps
from services.planner.handlers import modelled
from services.planner.model import Build, Done, Held, Work
from shared.errors import NotYet
from shared.events.conversation import PackagesFound
from shared.records.planner import Conversation
from shared.store.port import Tx


def on_packages_found(event: PackagesFound, tx: Tx, deps: Deps) -> None:
    build = repository.find_build(tx, event.conversation_id)
    conversation = repository.find_conversation(tx, event.conversation_id)
    if build is None or conversation is None:
        raise NotYet("The conversation is not known yet.")
    work = build.work
    if build.stopped or (work.held is None and work.waiting(SEARCH) is None):
        return
    known = {**work.packages, **dict.fromkeys(event.found, ""), **event.missing}
    work = work.but(packages=known).done(*_told(work, event))
    build = build.model_copy(update={"work": work})
    if work.held is not None:
        _decided(tx, conversation, build, work.held, event, deps)
    elif modelled.unfinished(work):
        repository.save_build(tx, build)
    else:
        modelled.resume(tx, build, deps, conversation.language)


def _told(work: Work, event: PackagesFound) -> list[Done]:
    results = []
    for pending in work.pending:
        if pending.tool == SEARCH:
            names = pending.ref.split("\n")
            lines = [
                event.found.get(name) or event.missing.get(name) or f"{name}: no answer." for name in names
            ]
            text = event.problem or "\n".join(lines)
            results.append(Done(call_id=pending.call_id, text=text, failed=bool(event.problem)))
    return results


def _decided(
    tx: Tx, conversation: Conversation, build: Build, held: Held, event: PackagesFound, deps: Deps
) -> None:
    """The plan is shown when every package exists; else the model hears which do not. An index that does not
    answer holds nothing up: installing will say."""
    work = build.work
    draft = Draft.model_validate(held.draft)
    if not event.missing:
        meter = meters.find_meter(tx, build.lease_id) if build.lease_id else None
        scene = modelled.Scene(tx, deps, conversation, build, meter)
        modelled.propose(scene, draft, held.call_id)
        return
    text = "The plan was not shown. Mend these and propose again:\n- " + "\n- ".join(event.missing.values())
    work = work.but(held=None).done(Done(call_id=held.call_id, text=text, failed=True))
    modelled.resume(tx, build.model_copy(update={"work": work}), deps, conversation.language)
