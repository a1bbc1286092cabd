"""What agents remember: promoted, set aside, kept for a look, rewound, and let go when its time is over.

docs/decisions/0007-state-promotion.md says what a person may rely on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Literal

from services.executor import repository
from services.executor.deps import Deps
from services.executor.model import AttemptResult
from shared.clock import stamp
from shared.events.agent import StateRewindRefused, StateRewindRequested, StateRewound
from shared.records.executor import Run, StateVersion
from shared.store.port import Cause, Tx

# Decisions: 0007. A candidate is there for whoever looks after a weekend; of promoted versions the last fifty
# stay, and of the older ones the last of each day for a month.
_CANDIDATE_STAYS = timedelta(days=7)
_FIRST_LOOK = timedelta(hours=1)
_LOOK_EVERY = timedelta(days=1)
_NEWEST_STAY = 50
_DAILY_STAY = timedelta(days=30)
_AT_ONCE = 20


def keep_state(
    tx: Tx, run: Run, result: AttemptResult, standing: Literal["promoted", "candidate"], deps: Deps
) -> Run:
    """The attempt's state as the agent's next version. It counts only while what the run began with still
    does: a person who rewound in between has had the later word."""
    if result.state_key is None:
        return run
    head = repository.head_of(tx, run.agent_id, run.workspace_id)
    number = head.newest + 1
    current = number
    kept: Literal["promoted", "aside", "candidate"] = standing
    if standing == "candidate":
        current = head.current
    elif head.current != (run.state_base or 0):
        kept, current = "aside", head.current
    stays = _CANDIDATE_STAYS if standing == "candidate" else _FIRST_LOOK
    state = StateVersion(
        id=repository.state_id(run.agent_id, number),
        workspace_id=run.workspace_id,
        agent_id=run.agent_id,
        number=number,
        run_id=run.id,
        blob_key=result.state_key,
        sha256=result.state_sha256,
        size=result.state_size,
        at=deps.now(),
        standing=kept,
        review_at=stamp(deps.clock.now() + stays),
    )
    repository.save_state(tx, state, head.but(current=current, newest=number))
    return run.but(state_new=number)


def on_state_rewind_requested(event: StateRewindRequested, tx: Tx, deps: Deps) -> None:
    """A new version with the old content, at once: a run under way ends as it began, and what it then leaves
    is set aside. Nothing is ever taken away by it."""
    target = repository.state_of(tx, event.agent_id, event.number)
    if target is None or target.workspace_id != tx.cause.workspace_id:
        _refuse(tx, event, "gone")
        return
    if target.standing == "candidate":
        _refuse(tx, event, "candidate")
        return
    head = repository.head_of(tx, event.agent_id, target.workspace_id)
    current = repository.state_of(tx, event.agent_id, head.current)
    number = head.current
    if current is None or current.blob_key != target.blob_key:
        number = head.newest + 1
        state = target.but(
            id=repository.state_id(event.agent_id, number),
            number=number,
            at=deps.now(),
            rewound_from=event.number,
            standing="promoted",
            review_at=stamp(deps.clock.now() + _FIRST_LOOK),
        )
        repository.save_state(tx, state, head.but(current=number, newest=number))
    tx.emit(
        StateRewound(
            agent_id=event.agent_id, rewind_id=event.rewind_id, number=number, rewound_from=event.number
        )
    )


def _refuse(tx: Tx, event: StateRewindRequested, reason: Literal["gone", "candidate"]) -> None:
    tx.emit(
        StateRewindRefused(
            agent_id=event.agent_id, rewind_id=event.rewind_id, number=event.number, reason=reason
        )
    )


def review_states(deps: Deps) -> None:
    """Look at some versions whose time has come, and delete the bytes nothing points to any more. Own
    commits; may be called at any time."""
    cause = Cause("", "service:executor")
    for id in repository.states_to_review(deps.store, deps.now(), _AT_ONCE):
        deps.store.transact(partial(_review, id=id, deps=deps), cause=cause)
    for key in repository.leftovers(deps.store, _AT_ONCE):
        deps.blobs.delete(key)
        deps.store.transact(partial(repository.forget_leftover, blob_key=key), cause=cause)


def _review(tx: Tx, id: str, deps: Deps) -> None:
    state = repository.state_by_id(tx, id)
    now = deps.clock.now()
    if state is None or state.review_at > stamp(now):
        return
    head = repository.head_of(tx, state.agent_id, state.workspace_id)
    others = [other for other in repository.states_of(tx, state.agent_id) if other.id != state.id]
    in_use = {run.state_base for run in repository.Runs(tx).unfinished_of_agent(state.agent_id)}
    if state.number in {head.current, *in_use} or may_stay(state, others, stamp(now - _DAILY_STAY)):
        tx.put(repository.STATES, state.id, state.but(review_at=stamp(now + _LOOK_EVERY)).to_doc())
        return
    tx.delete(repository.STATES, state.id)
    # A rewind at this moment may want it: it writes the head as well, so one of the two runs again.
    repository.save_head(tx, head)
    if all(other.blob_key != state.blob_key for other in others):
        repository.leave(tx, state.blob_key, stamp(now))
    if all(other.run_id != state.run_id for other in others):
        repository.leave(tx, repository.facts_key(state.agent_id, state.run_id), stamp(now))


def may_stay(state: StateVersion, others: Sequence[StateVersion], since: str) -> bool:
    """Whether it is one of the newest, or the last of its (UTC) day and that day is not before `since`."""
    if state.standing == "candidate":
        return False
    newer = [other for other in others if other.standing != "candidate" and other.number > state.number]
    if len(newer) < _NEWEST_STAY:
        return True
    return state.at >= since and all(other.at[:10] != state.at[:10] for other in newer)
