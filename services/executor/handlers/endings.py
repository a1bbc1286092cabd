"""An attempt ended: check its outcome, decide the run, promote and deliver, or park and ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeGuard

from services.executor import repository
from services.executor.attempts.gathering import bring_back
from services.executor.checker.facts import read_facts
from services.executor.deps import Deps
from services.executor.handlers.finishing import emit_settled, finish
from services.executor.handlers.replays import Compared, compare, recorded_end
from services.executor.handlers.starts import start_again, wake_called, wake_waiting
from services.executor.handlers.states import keep_state
from services.executor.model import (
    AttemptResult,
    Ending,
    Refusal,
    after_attempt,
    permission_sentence,
    permission_warning,
    sentence,
    settled_outcome,
)
from services.executor.ports import Order, RunLimits
from shared.agentfile import contract
from shared.agentfile.facts import MAX_TEXT, DeliveryFact, Facts
from shared.agentfile.model import AgentFile
from shared.bus.dispatch import Failed, Job
from shared.errors import NotYet, Unavailable
from shared.events.agent import AgentQuarantined
from shared.events.delivery import DeliveryRequested, DeliverySettled
from shared.events.run import AttemptEnded, RunFinished, RunParked
from shared.ids import derived
from shared.records.executor import CheckOutcome, PermissionRequest, QueuedDelivery, Reason, Run
from shared.records.planner import Version
from shared.store.port import Tx

_CHECK_LIMITS = RunLimits(wall_s=20, cpu_s=20, memory_bytes=512 << 20, disk_bytes=32 << 20, processes=8)
_FACTS_BYTES = 4 << 20
_EVENT_TEXT = 20_000  # more than any chat channel takes; the whole text travels as a blob


class CheckJob(Job):
    run_id: str
    attempt_id: str


class Checked(Job):
    """The contract's checks against what was measured; of a replay, itself against what was recorded."""

    checks: tuple[CheckOutcome, ...] = ()
    compared: Compared = Compared()


def claim_attempt_ended(event: AttemptEnded, tx: Tx, deps: Deps) -> CheckJob | None:
    """Where there is nothing to check the run is decided at once."""
    run = repository.Runs(tx).find(event.run_id)
    if run is None or run.attempt_id != event.attempt_id or run.finished_at is not None:
        return None
    job = CheckJob(run_id=event.run_id, attempt_id=event.attempt_id)
    checked = _is_checked(repository.find_attempt(tx, event.attempt_id), _version(run, deps))
    if checked or run.kind == "replay":
        wake_called(tx, deps)  # its place is free already: checks have one of their own
        return job
    record_check(job, Checked(), tx, deps)
    return None


def decide_at_once(
    tx: Tx, result: AttemptResult, entries: Sequence[tuple[str, dict[str, Any]]], deps: Deps
) -> bool:
    """Decides the run in the commit that writes its attempt down, feed entries included. False: there is something
    to check, to ask or to begin again, or it is not this attempt's to decide."""
    run = repository.Runs(tx).find(result.run_id)
    if run is None or run.attempt_id != result.id or run.finished_at is not None or run.kind == "replay":
        return False
    if result.refusals or result.reason == "lost" or _is_checked(result, _version(run, deps)):
        return False
    _conclude(tx, run, result, Checked(), deps, entries)
    return True


def _is_checked(result: AttemptResult | None, version: Version) -> TypeGuard[AttemptResult]:
    """A run that did not come to its end has nothing to hold against its contract."""
    came_to_its_end = result is not None and result.reason == "exited" and result.exit_code == 0
    return came_to_its_end and result is not None and not result.decoy and bool(version.agent_file.contract)


def do_check(job: CheckJob, deps: Deps) -> Checked:
    """Measure the outputs in a sandbox of their own and hold them against the contract."""
    run = repository.Runs(deps.store).get(job.run_id)
    result = repository.find_attempt(deps.store, job.attempt_id)
    version = _version(run, deps)
    checks = version.agent_file.contract
    language = version.agent_file.agent.language
    compared = compare(run, result, language, deps) if run.kind == "replay" else Compared()
    if not _is_checked(result, version):
        return Checked(compared=compared)
    facts = _measure(job, run, result, deps)
    results = contract.evaluate(checks, facts, version.agent_file.agent.language)
    if version.agent_file.manifest.state and run.kind not in ("test", "replay"):
        _remember(run, facts, deps)
    outcomes = tuple(CheckOutcome(check=r.check, says=r.says, held=r.held, text=r.sentence) for r in results)
    return Checked(checks=outcomes, compared=compared)


def _measure(job: CheckJob, run: Run, result: AttemptResult, deps: Deps) -> Facts:
    outputs = deps.folders.attempt(job.attempt_id) / "outputs"
    sent = tuple(
        DeliveryFact(channel=d.channel, text=d.text[:MAX_TEXT], files=len(d.files)) for d in result.deliveries
    )
    previous, now = _previous(run, deps), recorded_end(run, deps)
    if not result.files:
        return Facts(now=now, deliveries=sent, previous=previous)
    if not outputs.is_dir():  # another process collected them, on another disk
        bring_back(result.files, repository.artifacts_of(deps.store, run.id), outputs, deps.blobs)
    order = Order(
        id=derived("chk", job.attempt_id, deps.ids.new("try")),
        code_dir=deps.checker_dir,
        entry="measure.py",
        limits=_CHECK_LIMITS,
        mounts={"/outputs": outputs},
        now=now,
    )
    data = deps.oneshot.run(order, "facts.json", max_bytes=_FACTS_BYTES)
    if data is None:
        raise Unavailable("The files could not be measured.")
    return read_facts(data, now=now, deliveries=sent, previous=previous)


def _remember(run: Run, facts: Facts, deps: Deps) -> None:
    deps.blobs.put(
        repository.facts_key(run.agent_id, run.id),
        facts.model_copy(update={"previous": None}).model_dump_json().encode(),
    )


def _previous(run: Run, deps: Deps) -> Any:
    """The files of the run that made the state this one began with; None when there is none."""
    if run.state_base is None:
        return None
    state = repository.state_of(deps.store, run.agent_id, run.state_base)
    key = repository.facts_key(run.agent_id, state.run_id) if state else None
    if key is None or deps.blobs.info(key) is None:
        return None
    return Facts.model_validate_json(deps.blobs.get(key)).files


def record_check(job: CheckJob, outcome: Checked | Failed, tx: Tx, deps: Deps) -> None:
    run = repository.Runs(tx).get(job.run_id)
    result = repository.find_attempt(tx, job.attempt_id)
    if run.attempt_id == job.attempt_id and result is not None:
        _conclude(tx, run, result, outcome, deps)


def _conclude(
    tx: Tx,
    run: Run,
    result: AttemptResult,
    outcome: Checked | Failed,
    deps: Deps,
    heard: Sequence[tuple[str, dict[str, Any]]] = (),
) -> None:
    """heard: entries that come before those of the end; only where the run ends here."""
    file = _version(run, deps).agent_file
    run = run.but(
        usage=result.usage,
        hosts=result.hosts,
        would_send=result.would_send,
        wrote=run.wrote or result.wrote,
        deliveries=result.deliveries,
        tape=result.tape,
        requests=result.requests,
        begun_at=result.begun_at,
        ended_at=result.ended_at,
    )
    if isinstance(outcome, Checked):
        compared = outcome.compared
        run = run.but(same=compared.same, differences=compared.differences, sample=compared.sample)
    language = file.agent.language
    if isinstance(outcome, Failed) and not result.decoy:
        reason = Reason(code="checker", text=f"{sentence('bad_output', language)} {outcome.detail}")
        _end(tx, run, result, Ending("failed", "not_delivered", reason), (), file, deps, heard)
        return
    parks = repository.parks_on(tx, run.agent_id, deps.now()[:10]) if result.refusals else 0
    checks = () if isinstance(outcome, Failed) else outcome.checks
    ending = after_attempt(run, result, checks, parks, language)
    if result.decoy and ending.reason is not None and run.kind != "replay":
        tx.emit(AgentQuarantined(agent_id=run.agent_id, run_id=run.id, text=ending.reason.text))
    _end(tx, run, result, ending, checks, file, deps, heard)


def _end(
    tx: Tx,
    run: Run,
    result: AttemptResult,
    ending: Ending,
    checks: tuple[CheckOutcome, ...],
    file: AgentFile,
    deps: Deps,
    heard: Sequence[tuple[str, dict[str, Any]]] = (),
) -> None:
    run = run.but(checks=checks)
    if run.status == "queued":  # it ended before its first line was heard
        run = run.but(status="running", started_at=deps.now())
    if ending.again or ending.park is not None:
        _let_go(tx, run, result, file, deps)
    if ending.again:
        start_again(tx, run, deps)
        return
    if ending.park is not None:
        _park(tx, run, ending.park, ending, file, deps)
        return
    status = _delivery_status(run, ending)
    run = run.but(deliveries=tuple(_with_channel(d, file, status) for d in run.deliveries))
    if ending.promote:
        run = _keep_state(tx, run, result, "promoted", file, deps)
        _request_deliveries(tx, run, file, deps)
    elif (
        ending.reason is not None and ending.reason.code == "contract" and run.kind not in ("test", "replay")
    ):
        run = _keep_state(tx, run, result, "candidate", file, deps)
    _let_go(tx, run, result, file, deps)
    entries = [*heard]
    entries += [("check", {"says": c.says, "held": c.held, "text": c.text}) for c in checks]
    entries += [
        ("delivery", {"id": d.id, "channel": d.channel, "text": d.text[:4000], "status": d.status})
        for d in run.deliveries
    ]
    finish(tx, run, ending, deps, entries)


def _keep_state(
    tx: Tx,
    run: Run,
    result: AttemptResult,
    standing: Literal["promoted", "candidate"],
    file: AgentFile,
    deps: Deps,
) -> Run:
    return keep_state(tx, run, result, standing, deps) if file.manifest.state else run


def _let_go(tx: Tx, run: Run, result: AttemptResult, file: AgentFile, deps: Deps) -> None:
    """What the attempt left and no version points to is deleted by the next sweep."""
    if run.state_new is not None:
        return
    if result.state_key is not None:
        repository.leave(tx, result.state_key, deps.now())
    if file.manifest.state and result.reason == "exited" and result.exit_code == 0:
        repository.leave(tx, repository.facts_key(run.agent_id, run.id), deps.now())


def _delivery_status(run: Run, ending: Ending) -> str:
    if run.kind in ("test", "replay"):
        return "shown"
    return "requested" if ending.promote else "held"


def _with_channel(delivery: QueuedDelivery, file: AgentFile, status: str) -> QueuedDelivery:
    """A channel the manifest does not name is never sent to."""
    allowed = {channel.kind for channel in file.manifest.channels}
    channel = delivery.channel or (file.manifest.channels[0].kind if file.manifest.channels else "inbox")
    if status == "requested" and channel not in allowed:
        return delivery.model_copy(update={"status": "failed", "detail": f"channel {channel} is not allowed"})
    return delivery.model_copy(update={"status": status, "channel": channel})


def _request_deliveries(tx: Tx, run: Run, file: AgentFile, deps: Deps) -> None:
    for delivery in run.deliveries:
        if delivery.status != "requested":
            continue
        key = None
        if len(delivery.text) > _EVENT_TEXT:
            key = f"executor/texts/{delivery.id}.md"
            deps.blobs.put(key, delivery.text.encode())
        tx.emit(
            DeliveryRequested(
                delivery_id=delivery.id,
                run_id=run.id,
                agent_id=run.agent_id,
                grant_id=run.grant_id,
                channel=delivery.channel,  # type: ignore[arg-type]  # one the manifest names
                title=file.agent.name,
                text=delivery.text[:_EVENT_TEXT],
                text_key=key,
                files=delivery.files,
            )
        )


def _park(tx: Tx, run: Run, refusal: Refusal, ending: Ending, file: AgentFile, deps: Deps) -> None:
    now = deps.now()
    text = permission_sentence(refusal, file.agent.name, file.agent.language)
    warning = permission_warning(refusal, file.agent.language)
    request = PermissionRequest(
        id=derived("prm", run.id, str(run.attempt)),
        workspace_id=run.workspace_id,
        run_id=run.id,
        agent_id=run.agent_id,
        status="open",
        sentence=text,
        warning=warning,
        version_id=run.version_id,
        scheme=refusal.scheme,
        host=refusal.host,
        port=refusal.port,
        method=refusal.method,
        path=refusal.path,
        at=now,
    )
    tx.create(repository.PERMISSIONS, request.id, request.to_doc())
    run = run.but(status="parked", reason=ending.reason, permission_request_id=request.id, attempt_id=None)
    repository.save_run(tx, run)
    repository.append(tx, run, [("status", {"status": "parked", "reason": text})], now)
    tx.emit(
        RunParked(
            run_id=run.id,
            agent_id=run.agent_id,
            kind=run.kind,
            conversation_id=run.conversation_id,
            permission_request_id=request.id,
            sentence=f"{text} {warning}".strip(),
            lease_id=run.lease_id,
        )
    )


def on_run_over(event: RunFinished | RunParked, tx: Tx, deps: Deps) -> None:
    """A place is free: whoever waits for a turn or for room gets another look."""
    called = wake_called(tx, deps)
    others = repository.Runs(tx).queued_of_agent(event.agent_id)
    wake_waiting(tx, [run for run in others if run.id not in called], deps)


def on_delivery_settled(event: DeliverySettled, tx: Tx, deps: Deps) -> None:
    run = repository.Runs(tx).find(event.run_id)
    if run is None or run.finished_at is None:
        raise NotYet("The run has not finished yet.")
    known = {delivery.id for delivery in run.deliveries}
    if event.delivery_id not in known:
        return
    deliveries = tuple(
        d.model_copy(update={"status": event.status, "detail": event.detail})
        if d.id == event.delivery_id
        else d
        for d in run.deliveries
    )
    run = run.but(deliveries=deliveries)
    outcome = settled_outcome(run)
    first_time = run.settled_at is None
    if outcome is not None:
        text = event.detail if outcome != "delivered" else ""
        reason = run.reason or (Reason(code="delivery", text=text) if text else None)
        run = run.but(outcome=outcome, settled_at=run.settled_at or deps.now(), reason=reason)
    repository.save_run(tx, run)
    entry = {"id": event.delivery_id, "status": event.status, "text": event.detail}
    entries = [("delivery", entry)]
    if outcome is not None:
        entries.append(("status", {"status": run.status, "outcome": outcome}))
    repository.append(tx, run, entries, deps.now())
    if outcome is not None and first_time:
        emit_settled(tx, run)


def _version(run: Run, deps: Deps) -> Version:
    document = deps.planner.get("versions", run.version_id)
    if document is None:
        raise NotYet("The version is not readable yet.")
    return Version.from_doc(document.data)
