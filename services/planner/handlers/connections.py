"""A person connected a model: one tiny call shows whether it answers, and what such a call costs."""

from __future__ import annotations

from dataclasses import dataclass

from services.planner.deps import Deps
from services.planner.ports import LlmAnswer, LlmRequest, Message, Text
from services.planner.prices import cost_usd_micros
from services.planner.trouble import LANGUAGES, model_trouble
from shared.bus.dispatch import Failed, Job
from shared.errors import ProjectError
from shared.events.connection import ConnectionTested, ConnectionTyped
from shared.store.port import Tx

# Decision: some twenty tokens in and at most this many out; the sentence matters to nobody.
_MAX_OUTPUT_TOKENS = 16
_LIMIT_S = 60.0
_HELLO = Message("user", (Text("Answer with one word: hello"),))


class TestJob(Job):
    connection_id: str
    workspace_id: str
    version: int


@dataclass(frozen=True)
class Tested:
    """code "": it answered. detail: what the server said otherwise."""

    model: str
    code: str = ""
    detail: str = ""
    tokens: int = 0
    cost_usd_micros: int | None = 0


def claim_connection_typed(event: ConnectionTyped, tx: Tx, deps: Deps) -> TestJob:
    return TestJob(
        connection_id=event.connection_id, workspace_id=tx.cause.workspace_id, version=event.version
    )


def do_test(job: TestJob, deps: Deps) -> Tested | None:
    """None: another key was typed meanwhile, or it was taken away. Trouble is an outcome: the person waits for
    a word and can press again, so nothing is tried twice here."""
    key = deps.bench.keys.typed(job.workspace_id, job.version)
    if key is None:
        return None
    request = LlmRequest(key.model, (_HELLO,), _MAX_OUTPUT_TOKENS, _LIMIT_S)
    answer: LlmAnswer | None = None
    try:
        for event in deps.bench.llms.llm_for(job.workspace_id, key).stream(request):
            answer = event if isinstance(event, LlmAnswer) else answer
    except ProjectError as error:
        return Tested(key.model, error.code, error.detail, cost_usd_micros=None)
    usage = answer.usage if answer is not None else None
    if usage is None:
        return Tested(key.model, cost_usd_micros=None)
    return Tested(key.model, tokens=usage.total, cost_usd_micros=cost_usd_micros(key.model, usage))


def record_test(job: TestJob, outcome: Tested | Failed | None, tx: Tx, deps: Deps) -> None:
    if outcome is None:
        return
    if isinstance(outcome, Failed):
        outcome = Tested("", "failed", outcome.detail, cost_usd_micros=None)
    problem: dict[str, str] = {
        spoken: model_trouble(outcome.code, spoken, outcome.detail) for spoken in LANGUAGES
    }
    tx.emit(
        ConnectionTested(
            connection_id=job.connection_id,
            version=job.version,
            ok=not outcome.code,
            code=outcome.code,
            problem=problem if outcome.code else {},
            model=outcome.model,
            tokens=outcome.tokens,
            cost_usd_micros=outcome.cost_usd_micros,
        )
    )
