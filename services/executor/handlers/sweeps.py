"""What must not wait for ever: attempts whose machine is gone, runs past their deadline, open questions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from services.executor import limits, repository
from services.executor.deps import Deps
from services.executor.handlers.endings import decide_at_once
from services.executor.handlers.environments import expire_package_questions
from services.executor.handlers.finishing import finish
from services.executor.handlers.requests import language_of
from services.executor.handlers.starts import go_on, show_places, wake_waiting
from services.executor.handlers.states import review_states
from services.executor.model import Ending
from services.executor.ports import Enforcement
from services.executor.siege import proof
from shared.bus.dispatch import CLAIMS
from shared.clock import moment, stamp
from shared.events.clock import TimeTicked
from shared.records.executor import Reason, Run
from shared.store.port import Cause, Query, Tx, Where

_ASK_FOR = timedelta(hours=72)  # design, section 6


def begin(deps: Deps) -> None:
    """Clear what an earlier life left on this machine, write down what a sandbox here holds to, and go on with the
    attempts of that life where they go on; mark the others lost."""
    deps.folders.make()
    deps.tapes.clear()
    deps.attempts.decide = lambda tx, result, entries: decide_at_once(tx, result, entries, deps)
    deps.attempts.again.begin = lambda run: go_on(run, deps)
    found = deps.attempts.open()
    deps.store.transact(lambda tx: show_sandbox(tx, found, deps), cause=Cause("", "service:executor"))
    runs = repository.Runs(deps.store)
    # A queued run with an attempt that no worker will start any more: it was handed to a sandbox and died
    # before its first line was heard.
    starting = _waiting_to_start(deps)
    handed_over = [run for run in runs.of_status("queued") if run.id not in starting]
    lose_orphans([*runs.of_status("running"), *handed_over], deps)
    deps.attempts.sweep()


def show_sandbox(tx: Tx, found: Enforcement, deps: Deps) -> None:
    """For whoever asks what a sandbox here holds to, and what the corpus of attacks found last."""
    proven = proof.read(deps.data_dir)
    corpus = None
    if proven is not None and proven.concerns(found.backend):
        corpus = {"held": proven.held, "total": proven.total, "at": proven.at}
    state = {
        "backend": found.backend,
        "ok": "all" not in found.missing,
        "missing": _missing(found, "en"),
        "cure": found.missing.get("all"),
        "enforced": sorted(found.enforced),
        "note": limits.note(found, "en") or None,
        "ko": {"missing": _missing(found, "ko"), "note": limits.note(found, "ko") or None},
        "corpus": corpus,
    }
    tx.put(repository.SANDBOX, "this", state)


def _missing(found: Enforcement, language: Literal["ko", "en"]) -> dict[str, str]:
    return {name: limits.told(text, language) for name, text in found.missing.items() if name != "all"}


def _hear_doctor(tx: Tx, deps: Deps) -> None:
    """`make doctor` is another process: what it wrote is shown from the next tick on. So is what a job has proven."""
    proven = proof.read(deps.data_dir)
    known = tx.get(repository.SANDBOX, "this")
    if known is not None and known.data["backend"] == "cloud_run" and not known.data["ok"]:
        found = deps.attempts.enforcement()
        if "all" not in found.missing:
            show_sandbox(tx, found, deps)
        return
    if proven is None or known is None:
        return
    shown = (known.data.get("corpus") or {}).get("at")
    if proven.at != shown and proven.concerns(known.data["backend"]):
        show_sandbox(tx, deps.attempts.enforcement(), deps)


def _waiting_to_start(deps: Deps) -> set[str]:
    """Runs whose start is still a worker's claim."""
    far = stamp(deps.clock.now() + timedelta(days=1))
    claims = deps.store.query(Query(CLAIMS, (Where("due_at", "<=", far),), order_by="due_at", limit=1000))
    return {claim.data["job"].get("run_id", "") for claim in claims}


def end(deps: Deps, stop_egress: Callable[[], None]) -> None:
    deps.attempts.close()
    deps.oneshot.close()
    deps.tapes.close()
    deps.builder.close()
    stop_egress()


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    """One commit per tick; each part handles a bounded number and the next tick goes on."""
    runs = repository.Runs(tx)
    _hear_doctor(tx, deps)
    expire_package_questions(tx, stamp(deps.clock.now() - _ASK_FOR), deps)
    remove_checked(deps)
    review_states(deps)
    deps.tapes.sweep()
    deps.attempts.line.look()
    show_places(deps)
    lose_orphans(runs.of_status("running"), deps)
    for run in runs.of_status("queued", limit=50):
        if run.attempt_id is not None and not deps.attempts.is_live(run.attempt_id):
            deps.attempts.again.goes_on(run)
        if run.deadline_at < deps.now() and run.attempt_id is None:
            _too_late(tx, run, deps)
            return
    for run in runs.of_status("parked", limit=50):
        if _unanswered(tx, run, deps):
            return
    wake_waiting(tx, [r for r in runs.of_status("queued", limit=50) if r.deadline_at >= deps.now()], deps)


def lose_orphans(running: list[Run], deps: Deps) -> None:
    """Runs whose attempt nobody here hears and that left no result: hear it again where it goes on, else write the
    loss down. Its own commits, so it may be called from a sweep or at start."""
    for run in running:
        if run.attempt_id is None or deps.attempts.is_live(run.attempt_id):
            continue
        if deps.attempts.again.goes_on(run):
            continue
        if repository.find_attempt(deps.store, run.attempt_id) is None:
            deps.attempts.lose(run)


def remove_checked(deps: Deps) -> None:
    """Collected outputs of attempts whose run has been decided. Not done with the decision itself: a death
    between the two would leave a run to be checked whose outputs are gone."""
    for folder in deps.folders.attempts.iterdir():
        result = repository.find_attempt(deps.store, folder.name)
        run = repository.Runs(deps.store).find(result.run_id) if result else None
        if run is not None and (run.attempt_id != folder.name or run.finished_at is not None):
            shutil.rmtree(folder, ignore_errors=True)


def _too_late(tx: Tx, run: Run, deps: Deps) -> None:
    korean = language_of(tx, deps, run) == "ko"
    text = "기다리는 시간이 다 되어 실행하지 못했어요." if korean else "It waited too long and was not run."
    finish(tx, run, Ending("timed_out", "not_delivered", Reason(code="deadline", text=text)), deps)


def _unanswered(tx: Tx, run: Run, deps: Deps) -> bool:
    request = repository.find_permission(tx, run.permission_request_id) if run.permission_request_id else None
    if request is None or moment(request.at) + _ASK_FOR > deps.clock.now():
        return False
    tx.put(repository.PERMISSIONS, request.id, request.but(status="expired").to_doc())
    korean = language_of(tx, deps, run) == "ko"
    text = "사흘 동안 답이 없어 거절로 보았어요." if korean else "No answer for three days counts as no."
    finish(tx, run, Ending("refused", "not_delivered", Reason(code="denied", text=text)), deps)
    return True
