"""A funded run starts: claim an attempt, prepare it, hand it to the sandbox."""

from __future__ import annotations

from typing import Literal

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.finishing import finish
from services.executor.handlers.requests import language_of
from services.executor.handlers.variations import varied
from services.executor.model import FINISHED, Ending, sentence, writes_made
from shared.bus.dispatch import Failed, Job, add_claim
from shared.errors import Conflict, NotYet
from shared.events.run import RunFunded
from shared.events.usage import LeaseClosed
from shared.ids import derived
from shared.records.executor import Reason, Run
from shared.store.port import Cause, Tx

_SHOWN_PLACES = 50


class StartJob(Job):
    run_id: str
    attempt: int


def claim_run_funded(event: RunFunded, tx: Tx, deps: Deps) -> StartJob | None:
    run = repository.Runs(tx).find(event.run_id)
    if run is None or run.status == "parked":
        raise NotYet("The run is not ready for its money yet.")
    if run.status in FINISHED and run.lease_id != event.lease_id:
        tx.emit(LeaseClosed(lease_id=event.lease_id))  # cancelled while its money was on the way
    if run.status != "queued" or run.lease_id is not None:
        return None
    run = run.but(lease_id=event.lease_id, funded_at=deps.now())
    job = _next_attempt(tx, run, deps)
    if job is None:
        repository.save_run(tx, run)
    return job


def _next_attempt(tx: Tx, run: Run, deps: Deps) -> StartJob | None:
    """Number the attempt and fix its base state; None while something the run needs is still missing, and then
    nothing is written."""
    environment = repository.environment_of(tx, run.version_id)
    if environment is None or environment.status == "building" or _must_wait_its_turn(tx, run):
        return None
    if run.kind not in ("test", "replay"):
        repository.take_turn(tx, run)
    number = run.attempt + 1
    head = repository.head_of(tx, run.agent_id, run.workspace_id)
    run = run.but(
        attempt=number,
        attempt_id=repository.attempt_id(run.id, number),
        state_base=run.state_base if run.kind == "replay" else head.current or None,
        place=None,
    )
    repository.save_run(tx, run)
    return StartJob(run_id=run.id, attempt=number)


def _must_wait_its_turn(tx: Tx, run: Run) -> bool:
    """Live runs of one agent go one at a time, oldest first: they share its state."""
    if run.kind in ("test", "replay"):
        return False
    others = [
        other
        for other in repository.Runs(tx).unfinished_of_agent(run.agent_id)
        if other.id != run.id and other.kind not in ("test", "replay")
    ]
    if any(other.status == "running" or (other.status == "queued" and other.attempt_id) for other in others):
        return True
    return any(
        other.status == "queued" and other.lease_id and other.requested_at < run.requested_at
        for other in others
    )


def wake_waiting(tx: Tx, runs: list[Run], deps: Deps) -> None:
    """Give funded, queued runs another look: something they waited for has happened."""
    for run in runs:
        ready = run.status == "queued" and run.lease_id is not None and run.attempt_id is None
        if ready and not deps.attempts.line.waits(run.id):
            job = _next_attempt(tx, run, deps)
            if job is not None:
                enqueue(tx, job, run, deps)


def wake_called(tx: Tx, deps: Deps) -> list[str]:
    """Begin the runs a place is kept for, and return their ids; one that cannot begin gives it to the next."""
    called = deps.attempts.line.called()
    for id in called:
        run = repository.Runs(tx).find(id)
        if run is None or run.status != "queued" or run.lease_id is None:
            deps.attempts.line.forget(id)
        elif run.attempt_id is None:
            job = _next_attempt(tx, run, deps)
            if job is None:
                deps.attempts.line.forget(id)
            else:
                enqueue(tx, job, run, deps)
    return called


def show_places(deps: Deps) -> None:
    """Write down where in the line runs are now, where that has changed. Own commits."""
    for id, place in list(deps.attempts.line.places().items())[:_SHOWN_PLACES]:

        def show(tx: Tx, id: str = id, place: int = place) -> None:
            run = repository.Runs(tx).find(id)
            if run is not None and run.status == "queued" and run.attempt_id is None and run.place != place:
                repository.save_run(tx, run.but(place=place))

        deps.store.transact(show, cause=Cause("", "service:executor"))


def start_again(tx: Tx, run: Run, deps: Deps) -> None:
    """Another attempt of the same run, from the same base state (design, section 2)."""
    run = run.but(status="queued", attempt_id=None)
    job = _next_attempt(tx, run, deps)
    if job is None:
        repository.save_run(tx, run)
    else:
        enqueue(tx, job, run, deps)


def enqueue(tx: Tx, job: StartJob, run: Run, deps: Deps) -> None:
    id = derived("claim", "start", job.run_id, str(job.attempt))
    add_claim(tx, id, RunFunded, job, deps.now(), cause=repository.cause_for(tx, run))


def _begin_called(tx: Tx, run: Run, deps: Deps) -> None:
    """A place became free between asking for one and writing down that there was none. It is kept for this run, so
    nobody else can have it until this one begins."""
    job = _next_attempt(tx, run, deps)
    if job is None:
        deps.attempts.line.forget(run.id)
        repository.save_run(tx, run)
    else:
        # the claim being recorded has the name that this one would have
        add_claim(tx, deps.ids.new("claim"), RunFunded, job, deps.now())


def do_start(job: StartJob, deps: Deps) -> Literal["started", "lost", "gone"] | int:
    """A number: there is no room; the place in the line."""
    run = repository.Runs(deps.store).get(job.run_id)
    if run.status != "queued" or run.attempt != job.attempt or run.attempt_id is None:
        return "gone"
    if run.wrote:
        return "lost"
    environment = repository.environment_of(deps.store, run.version_id)
    if environment is not None and environment.packages:
        deps.builder.ready(environment.id)  # the cache may have let go of it
    return deps.attempts.start(run, varied(run, deps)) or "started"


def go_on(run: Run, deps: Deps) -> None:
    """Hear the run's attempt again, which another process began. Raises as `Attempts.start`, and as the builder when
    its packages are not here and it may yet ask for them."""
    run = repository.Runs(deps.store).get(run.id)
    environment = repository.environment_of(deps.store, run.version_id)
    if run.status == "queued" and environment is not None and environment.packages:
        deps.builder.ready(environment.id)
    deps.attempts.start(run, varied(run, deps))


def record_start(
    job: StartJob, outcome: Literal["started", "lost", "gone"] | int | Failed, tx: Tx, deps: Deps
) -> None:
    if outcome in ("started", "gone"):
        return
    run = repository.Runs(tx).get(job.run_id)
    if run.attempt != job.attempt or run.status != "queued":
        return
    language = language_of(tx, deps, run)
    if isinstance(outcome, int):
        before = run.place
        run = run.but(attempt=run.attempt - 1, attempt_id=None, place=outcome)
        if not deps.attempts.line.waits(run.id):
            _begin_called(tx, run, deps)
            return
        repository.save_run(tx, run)
        text = f"{outcome}번째로 기다려요." if language == "ko" else f"Waiting for room, number {outcome}."
        if before != outcome:
            data = {"status": "queued", "reason": text, "place": outcome}
            repository.append(tx, run, [("status", data)], deps.now())
    elif outcome == "lost":
        text = f"{sentence('wrote_then_lost', language)} {writes_made(run)}".strip()
        reason = Reason(code="wrote_then_lost", text=text)
        finish(tx, run, Ending("failed", "not_delivered", reason), deps)
    elif isinstance(outcome, Failed):
        refused = outcome.code in ("not_allowed", "switched_off", "quarantined", "not_found")
        text = outcome.detail if refused else f"{sentence('unstartable', language)} {outcome.detail}"
        status: Literal["refused", "failed"] = "refused" if refused else "failed"
        finish(tx, run, Ending(status, "not_delivered", Reason(code=outcome.code, text=text)), deps)
    else:
        raise Conflict(f"unexpected outcome {outcome!r}")
