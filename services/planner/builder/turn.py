"""One model turn, outside any commit: what was waited for is read, the model is asked, its calls are done."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

from services.planner import meter, repository
from services.planner.builder import looking, request, saying, transcript, trying
from services.planner.builder.acting import Acted, Bench, act
from services.planner.builder.live import Halted, Live
from services.planner.builder.tools import LOOK, TEST
from services.planner.builder.workbench import Workbench
from services.planner.bundles import file_stored
from services.planner.model import Build, Done, Work
from services.planner.ports import Llm, LlmAnswer, LlmRequest, Message, ModelKey
from shared.agentfile import bundle
from shared.agentfile.model import AgentFile
from shared.errors import Interrupted, NotFound, OverBudget, ProjectError, TooLarge, Unavailable
from shared.records.executor import Artifact, Run, RunEntry
from shared.records.planner import Conversation, Plan
from shared.store.port import Query, Where

_MADE_BY_PLATFORM = ("agent.toml", "requirements.lock")


@dataclass(frozen=True)
class Answered:
    """sent: the person's side as it was put to the model, to be kept with the answer. heard: how many of the
    person's messages are in it."""

    call_id: str
    model: str
    sent: tuple[Message, ...]
    answer: LlmAnswer
    acted: Acted
    heard: int


@dataclass(frozen=True)
class Troubled:
    """No answer. again: the same may work later, after `wait_s` if the other side said so. call_id: of a call that
    had begun, whose reservation counts as spent; "" when nothing was used."""

    code: str
    detail: str
    again: bool = False
    wait_s: float | None = None
    call_id: str = ""


@dataclass(frozen=True)
class HaltedTurn:
    """Nobody waits for the answer any more. call_id: of the call that had begun; "" when none had."""

    call_id: str


OVERTAKEN = HaltedTurn("")

ModelTurn = Answered | Troubled | HaltedTurn


def take_turn(conversation: Conversation, build: Build, bench: Workbench) -> ModelTurn:
    key = bench.keys.builder_key_for(build.workspace_id)
    if key is None:
        return Troubled("disconnected", "no key")
    plan = _plan(conversation, build.work, bench)
    work = _with_results(_with_files(build.work, conversation, bench), bench)
    history = transcript.messages_of(bench.store, build.id)
    first = "" if history else saying.opening(build, bench.clock.now(), _existing(conversation, bench))
    if work.repairs and work.nudge == saying.REPAIR:
        went = _test_told(work.repairs, bench)
        work = work.but(nudge="\n".join([saying.REPAIR, went, *trying.read(work.exchanges)]))
    sent = saying.next_message(build, work, first)
    asked = request.ask(key.model, (*history, *sent))
    answer = _answer(asked, build, bench.llms.llm_for(build.workspace_id, key), key, bench)
    if not isinstance(answer, tuple):
        return answer
    call_id, said = answer
    clean = build.model_copy(
        update={"work": work.but(results=(), nudge="", exchanges=(), look_key=None, look_problem="")}
    )
    acted = act(said, Bench(clean, plan, bench.blobs, lambda name: _output(conversation, name, bench)))
    return Answered(call_id, said.model or key.model, sent, said, acted, len(build.messages))


def _answer(
    asked: LlmRequest, build: Build, llm: Llm, key: ModelKey, bench: Workbench
) -> tuple[str, LlmAnswer] | Troubled | HaltedTurn:
    """Reserve, then ask; what became of the reservation is in what comes back."""
    lease_id, call_id = build.lease_id or "", bench.ids.new("call")
    asked, trouble = _reserved(asked, lease_id, call_id, build, llm, bench)
    if trouble is not None:
        return trouble
    live = Live(
        bench.store,
        bench.clock,
        build.workspace_id,
        build.id,
        build.work.turns + 1,
        every_s=bench.show_every_s,
        halted=lambda: _nobody_waits(build, bench),
    )
    try:
        with closing(llm.stream(asked)) as events:
            for event in events:
                if isinstance(event, LlmAnswer):
                    live.show()
                    return call_id, event
                live.hear(event)
    except Halted:
        return HaltedTurn(call_id)
    except Interrupted as error:
        again = error.code != "overdue"  # as long an answer would be cut off as late once more
        return Troubled(error.code, error.detail, again=again, wait_s=error.retry_after_s, call_id=call_id)
    except ProjectError as error:
        meter.release(bench.store, lease_id, call_id)
        return _refused(error)
    return Troubled("unfinished", "the stream ended without an answer", again=True, call_id=call_id)


def _refused(error: ProjectError) -> Troubled:
    """Before anything was used."""
    if isinstance(error, Unavailable):
        return Troubled(error.code, error.detail, again=True, wait_s=error.retry_after_s)
    return Troubled(error.code, error.detail)


def _reserved(
    asked: LlmRequest, lease_id: str, call_id: str, build: Build, llm: Llm, bench: Workbench
) -> tuple[LlmRequest, Troubled | None]:
    """The request with as long an answer as the lease still pays for."""
    try:
        counted = llm.count(asked)
    except ProjectError as error:
        if isinstance(error, Unavailable | TooLarge) or error.code in ("key_refused", "no_credit"):
            return asked, _refused(error)
        counted = request.estimated_tokens(asked)  # a server that cannot count
    found = meter.find_meter(bench.store, lease_id)
    room = (found.left if found is not None else 0) - counted
    longest = min(asked.max_output_tokens, room)
    if longest < request.LEAST_OUTPUT_TOKENS:
        return asked, Troubled("lease_full", "")
    try:
        meter.reserve(
            bench.store,
            lease_id,
            call_id,
            turn=f"turn-{build.work.turns}",
            model=asked.model,
            tokens=counted + longest,
            limit_s=asked.limit_s,
            clock=bench.clock,
        )
    except (OverBudget, NotFound) as error:
        return asked, Troubled(error.code, error.detail)
    return replace(asked, max_output_tokens=longest), None


def _nobody_waits(build: Build, bench: Workbench) -> bool:
    now = repository.find_build(bench.store, build.id)
    return now is None or now.stopped or now.message_id != build.message_id


def _with_files(work: Work, conversation: Conversation, bench: Workbench) -> Work:
    """The files of the agent this conversation is about, where nothing was written yet."""
    if work.files or (work.messages and not work.repairs):
        return work
    version = repository.current_version(bench.store, bench.gateway, conversation)
    if version is None:
        return work
    files = bundle.unpack(bench.blobs.get(version.bundle_key))
    kept = {path: data for path, data in files.items() if path not in _MADE_BY_PLATFORM}
    return work.but(files={path: file_stored(data, bench.blobs) for path, data in kept.items()})


def _with_results(work: Work, bench: Workbench) -> Work:
    """What looking and testing brought, as results of the calls that asked for it."""
    results = []
    for pending in work.pending:
        if pending.tool == LOOK:
            found = bench.blobs.get(work.look_key) if work.look_key else None
            addresses = tuple(pending.ref.split("\n"))
            text = looking.told(found, addresses, work.look_problem)
            results.append(Done(call_id=pending.call_id, text=text, failed=found is None))
        elif pending.tool == TEST:
            results.append(Done(call_id=pending.call_id, text=_test_told(pending.ref, bench)))
    return work.done(*results)


def _test_told(run_id: str, bench: Workbench) -> str:
    document = bench.executor.get("runs", run_id)
    if document is None:
        return "The test's result cannot be read."
    where = (Where("run_id", "==", run_id),)
    tail = bench.executor.query(Query("run_entries", where, order_by="seq", descending=True, limit=200))
    entries = [RunEntry.from_doc(found.data) for found in reversed(tail)]
    files = [(artifact.name, artifact.size) for artifact in _artifacts(run_id, bench)]
    return trying.told(Run.from_doc(document.data), entries, files)


def _artifacts(run_id: str, bench: Workbench) -> list[Artifact]:
    found = bench.executor.query(
        Query("artifacts", (Where("run_id", "==", run_id),), order_by="name", limit=100)
    )
    return [Artifact.from_doc(document.data) for document in found]


def _output(conversation: Conversation, name: str, bench: Workbench) -> bytes:
    run_id = conversation.test_run_id or ""
    for artifact in _artifacts(run_id, bench) if run_id else []:
        if artifact.name == name:
            return bench.blobs.get(artifact.blob_key)
    raise NotFound("There is no such file.")


def _plan(conversation: Conversation, work: Work, bench: Workbench) -> Plan | None:
    """The newest plan that was allowed; of an agent that is mended with what is allowed today: a person may have
    changed its schedule or caps since."""
    plan = repository.approved_plan(bench.store, conversation.id)
    agent = repository.agent_of(bench.gateway, conversation) if work.repairs else None
    return plan.but(agent_file=agent.agent_file) if plan is not None and agent is not None else plan


def _existing(conversation: Conversation, bench: Workbench) -> AgentFile | None:
    version = repository.current_version(bench.store, bench.gateway, conversation)
    return version.agent_file if version is not None else None
