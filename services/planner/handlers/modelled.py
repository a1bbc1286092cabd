"""What one model turn leads to, in one commit: money counted, words kept, the next thing asked for."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta

from services.planner import meter as meters
from services.planner import repository
from services.planner.builder import breaker, live, saying, transcript, trials
from services.planner.builder.acting import Acted, files_digest
from services.planner.builder.inputs import AskInput
from services.planner.builder.tools import LOOK, SEARCH, TEST
from services.planner.builder.turn import Answered, ModelTurn, Troubled
from services.planner.bundles import Draft
from services.planner.deps import Deps
from services.planner.handlers import proposals
from services.planner.handlers.jobs import TurnJob
from services.planner.meter import Meter
from services.planner.model import Build, Done, Held, Work, say
from services.planner.ports import Message, Text, Usage
from services.planner.prices import cost_usd_micros
from services.planner.prompts import prompt_hash
from services.planner.repository import Entry
from services.planner.trouble import model_trouble
from shared.agentfile.canonical import manifest_hash
from shared.bus.dispatch import add_claim
from shared.clock import moment, stamp
from shared.events.conversation import LookRequested, PackagesRequested, TurnAwaited, TurnFunded
from shared.events.plan import VersionPublished
from shared.ids import derived
from shared.records.planner import Conversation, Tokens
from shared.store.port import Tx

MAX_FAILURES = 4  # tries at one turn; each is charged by itself
_WAITS_S = (2.0, 8.0, 20.0)
_LONGEST_WAIT_S = 90.0  # a person is watching; what asks for more ends the answer and says when to come back
_LEASE_MUST_LAST = timedelta(minutes=6)  # a call's limit and the commit after it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scene:
    """One conversation in one commit. meter: as this commit leaves it. entries: what the feed gets, in order. spent:
    with what this commit has settled, which the conversation itself hears of as a fact; None: nothing."""

    tx: Tx
    deps: Deps
    conversation: Conversation
    build: Build
    meter: Meter | None = None
    entries: tuple[Entry, ...] = field(default=())
    spent: Tokens | None = None

    @property
    def work(self) -> Work:
        return self.build.work

    def but(self, **work: object) -> Scene:
        return replace(self, build=self.build.model_copy(update={"work": self.work.but(**work)}))

    def saying(self, *entries: Entry) -> Scene:
        return replace(self, entries=(*self.entries, *entries))

    def show(self, **changes: object) -> None:
        """Once a commit, at the end of every way."""
        repository.save(self.tx, self.conversation.but(**changes), self.entries, self.deps.now())

    def close(self) -> None:
        """The answer is complete, or nobody waits for it: what the lease did not spend is free again."""
        if self.build.lease_id is not None and self.meter is not None:
            meters.closed(self.tx, self.meter)
        repository.save_build(self.tx, self.build.model_copy(update={"lease_id": None}))


def record(
    job: TurnJob, outcome: ModelTurn, tx: Tx, conversation: Conversation, build: Build, deps: Deps
) -> None:
    meter = _counted(tx, build, outcome)
    if build.stopped:
        live.over(tx, build.id, build.work.turns + 1, deps.now())
        return
    if build.message_id != job.message_id:  # the answer to what was said since may be under way already
        return
    live.over(tx, build.id, build.work.turns + 1, deps.now())
    scene = Scene(tx, deps, conversation, build, meter)
    if isinstance(outcome, Answered):
        _answered(scene, outcome)
    elif isinstance(outcome, Troubled):
        _troubled(scene, job, outcome)


def _counted(tx: Tx, build: Build, outcome: ModelTurn) -> Meter | None:
    """The meter after this call, also where the call was given up and counted before it ended."""
    lease_id = build.lease_id or ""
    usage = outcome.answer.usage if isinstance(outcome, Answered) else None
    settled = meters.settle(tx, lease_id, outcome.call_id, usage) if outcome.call_id else None
    return settled or meters.find_meter(tx, lease_id)


def _answered(scene: Scene, turn: Answered) -> None:
    answer, acted = turn.answer, turn.acted
    scene = replace(scene, spent=_spent(scene.conversation.tokens, turn))
    if answer.stop_reason == "refusal":
        _ends(scene, "refusal", answer.stop_detail)
        return
    work = breaker.noted(acted.work, breaker.signature(answer, files_digest(scene.work)))
    work = work.but(heard=turn.heard, failures=0, messages=_kept(scene, turn))
    scene = replace(scene, build=scene.build.model_copy(update={"work": work}))
    if answer.text.strip():
        scene = scene.saying(("text", "builder", {"text": answer.text.strip()}))
    scene = scene.saying(*(_file_entry(*wrote) for wrote in acted.wrote))
    if acted.ask is not None:
        _asks(scene, acted.ask)
    elif acted.finish is not None:
        _finishes(scene, acted.finish)
    elif code := breaker.tripped(work):  # what ends with a person is no circle
        _ends(scene, code)
    elif acted.test is not None:
        _tests(scene, acted.test, acted)
    elif acted.addresses or acted.lookups or acted.draft is not None:
        _looks_up(scene, acted)
    elif answer.calls:
        _goes_on(scene)
    else:
        _only_said(scene, turn)


def _kept(scene: Scene, turn: Answered) -> int:
    said = (*turn.sent, Message("assistant", turn.answer.blocks or (Text("…"),)))
    first, now = scene.work.messages, scene.deps.now()
    return transcript.append(
        scene.tx, scene.build.id, first, said, now, model=turn.model, prompt=prompt_hash()
    )


def _spent(before: Tokens, turn: Answered) -> Tokens:
    used = turn.answer.usage or Usage(0, 0)
    cost = cost_usd_micros(turn.model, used)
    return Tokens(
        input=before.input + used.total - used.output,
        output=before.output + used.output,
        cost_usd_micros=before.cost_usd_micros + (cost or 0),
        priced=before.priced and cost is not None,
    )


def _file_entry(path: str, characters: int, lines: int) -> Entry:
    data = {"step": "file", "text": path, "path": path, "characters": characters, "lines": lines}
    return "progress", "builder", data


def _asks(scene: Scene, ask: AskInput) -> None:
    if breaker.asks_forever(scene.work):
        _ends(scene, "asks_forever")
        return
    if ask.note:
        scene = scene.saying(("text", "builder", {"text": ask.note}))
    questions = [question.model_dump(mode="json") for question in ask.questions]
    scene = scene.saying(("question", "builder", {"questions": questions, "answered": None}))
    _waits_for_words(scene)


def _waits_for_words(scene: Scene) -> None:
    scene.but(asks=breaker.asked(scene.work).asks).close()
    scene.show(state="asking")


def _looks_up(scene: Scene, acted: Acted) -> None:
    """Pages and package names are asked for; a plan that needs no answer is shown."""
    if acted.draft is not None and not acted.lookups and not acted.addresses:
        propose(scene, acted.draft, acted.draft_call)
        return
    if acted.draft is not None:
        scene = scene.but(held=Held(call_id=acted.draft_call, draft=acted.draft.model_dump(mode="json")))
    id, number, build = scene.build.id, str(scene.work.turns), scene.build
    if acted.addresses:
        look_id = derived("look", id, number, *acted.addresses)
        build = build.model_copy(update={"looking": look_id, "awaited": acted.addresses})
        text = say("looking", scene.conversation.language, n=len(acted.addresses))
        looking = {"step": "look", "text": text, "addresses": list(acted.addresses), "done": 0, "total": 0}
        scene = scene.saying(("progress", "builder", looking))
        scene.tx.emit(
            LookRequested(
                conversation_id=id,
                look_id=look_id,
                bundle_key=acted.look_bundle_key,
                addresses=acted.addresses,
            )
        )
    if acted.lookups:
        lookup_id = derived("lookup", id, number, *acted.lookups)
        scene.tx.emit(PackagesRequested(conversation_id=id, lookup_id=lookup_id, names=acted.lookups))
    repository.save_build(scene.tx, build)
    scene.show(state="thinking")


def propose(scene: Scene, draft: Draft, call_id: str) -> None:
    """Shows the plan; one that allows nothing new needs no new yes."""
    before = repository.approved_plan(scene.tx, scene.conversation.id)
    if before is not None and before.manifest_hash == manifest_hash(draft.agent_file):
        work = scene.work.done(Done(call_id=call_id, text=saying.SAME_PLAN)).but(phase="code", held=None)
        _goes_on(replace(scene, build=scene.build.model_copy(update={"work": work})))
        return
    scene.but(held=None, asks=0, tested="", repairs="").close()
    proposals.record(scene.tx, scene.conversation, draft, scene.deps, scene.entries, scene.spent)


def _tests(scene: Scene, draft: Draft, acted: Acted) -> None:
    """A candidate is written down and its rehearsal begins with its packages."""
    tx, conversation = scene.tx, scene.conversation
    version = proposals.candidate(draft, conversation, scene.deps, prompt=prompt_hash())
    run_id = derived("run", version.id, "rehearsal")
    pending = tuple(p.model_copy(update={"ref": run_id}) if p.tool == TEST else p for p in scene.work.pending)
    repository.save_version(tx, version)
    build = scene.but(pending=pending, test_input=acted.test_input, trials=(), unsure=()).build
    agent = repository.agent_of(scene.deps.gateway, conversation) if build.work.repairs else None
    if agent is not None:  # mended under what is allowed today
        build = build.model_copy(update={"grant_id": agent.grant_id})
    repository.save_build(tx, build)
    plan = repository.approved_plan(tx, conversation.id)
    if plan is not None and acted.doubts != plan.findings:
        repository.save_plan(tx, plan.but(findings=acted.doubts))
    begun = {"step": "build", "text": say("testing", conversation.language), "done": 0, "total": 0}
    scene = scene.saying(("progress", "builder", begun))
    if acted.doubts:
        doubts = {"step": "review", "text": " ".join(acted.doubts), "findings": list(acted.doubts)}
        scene = scene.saying(("progress", "builder", doubts))
    scene.show(state="building", version_id=version.id)
    tx.emit(
        VersionPublished(version_id=version.id, agent_id=version.agent_id, conversation_id=conversation.id)
    )


def _finishes(scene: Scene, summary: str) -> None:
    mended = trials.repair(scene.work)
    scene.but(phase="plan", repairs="", trials=(), unsure=()).close()
    if summary.strip():
        scene = scene.saying(("text", "builder", {"text": summary.strip()}))
    proposals.promote(scene.tx, scene.conversation, scene.deps, scene.entries, mended)


def _only_said(scene: Scene, turn: Answered) -> None:
    """No call. After a passed test that is the end of it; else words are for the person to answer."""
    work, stopped = scene.work, turn.answer.stop_reason
    if stopped == "pause_turn":
        _goes_on(scene)
    elif stopped in ("max_tokens", "context_window"):
        _goes_on(scene.but(nudge=saying.GO_ON))
    elif not scene.entries:
        if work.recent[-2:-1] == work.recent[-1:]:
            _ends(scene, "empty")
        else:
            _goes_on(scene.but(nudge=saying.SAY_SOMETHING))
    elif work.tested and work.tested == files_digest(work):
        _finishes(scene, "")
    elif breaker.asks_forever(work):
        _ends(scene, "asks_forever")
    else:
        _waits_for_words(scene)


def _goes_on(scene: Scene) -> None:
    """The model may take its next step at once."""
    repository.save_build(scene.tx, scene.build)
    scene.show()
    claim(scene.tx, scene.build, scene.deps)


def claim(tx: Tx, build: Build, deps: Deps, *, after_s: float = 0, job: TurnJob | None = None) -> None:
    """Puts the next turn before the workers. Asked twice in the same situation, it is one claim."""
    work = build.work
    where = (build.id, build.message_id or "", build.lease_id or "", str(work.turns), str(work.failures))
    job = job or TurnJob(conversation_id=build.id, message_id=build.message_id or "")
    due = stamp(deps.clock.now() + timedelta(seconds=after_s))
    add_claim(tx, derived("claim", "turn", *where), TurnFunded, job, due)


def resume(tx: Tx, build: Build, deps: Deps, language: str) -> None:
    """Something the model waited for has come: on with the lease it has, or with another one."""
    meter = meters.find_meter(tx, build.lease_id) if build.lease_id else None
    lasts = meter is not None and moment(meter.expires_at) - deps.clock.now() > _LEASE_MUST_LAST
    if meter is not None and not meter.closed and lasts:
        repository.save_build(tx, build)
        claim(tx, build, deps)
        return
    if meter is not None:
        meters.closed(tx, meter)
    repository.save_build(tx, build.model_copy(update={"lease_id": None}))
    awaited = {"conversation_id": build.id, "message_id": build.message_id or build.id, "language": language}
    tx.emit(TurnAwaited.model_validate(awaited))


def _troubled(scene: Scene, job: TurnJob, trouble: Troubled) -> None:
    language = scene.conversation.language
    if trouble.code in ("lease_late", "no_lease"):
        resume(scene.tx, scene.build, scene.deps, language)
        return
    log.warning("a model turn of %s failed: %s (%s)", scene.build.id, trouble.code, trouble.detail)
    if trouble.code == "lease_full" and scene.work.failures:
        _ends(scene, scene.work.trouble or trouble.code)  # the tries that broke off have used it up: say why
        return
    failures = scene.work.failures + 1
    wait_s = max(trouble.wait_s or _WAITS_S[min(failures, len(_WAITS_S)) - 1], 0.5)
    scene = scene.but(failures=failures, trouble=trouble.code)
    if not trouble.again or failures >= MAX_FAILURES or wait_s > _LONGEST_WAIT_S:
        _ends(scene, trouble.code, trouble.detail)
        return
    text = say("waiting", language, n=max(1, round(wait_s)))
    waiting: Entry = ("progress", "builder", {"step": "waiting", "text": text, "seconds": round(wait_s, 1)})
    repository.save_build(scene.tx, scene.build)
    scene.saying(waiting).show()
    claim(scene.tx, scene.build, scene.deps, after_s=wait_s, job=job)


def _ends(scene: Scene, code: str, detail: str = "") -> None:
    """It cannot go on by itself; nothing is lost, and what the person says next goes on from here."""
    text = model_trouble(code, scene.conversation.language, detail)
    asks = (
        0 if code == "asks_forever" else scene.work.asks
    )  # what the person says now may be asked about again
    scene.but(failures=0, asks=asks).close()
    result: Entry = ("result", "builder", {"text": text, "state": "failed", "code": code})
    scene.saying(result).show(state="failed", problem=text)


def unfinished(work: Work) -> bool:
    """Whether pages or package names are still awaited."""
    looked = work.look_key is not None or bool(work.look_problem)
    return any(p.tool == SEARCH or (p.tool == LOOK and not looked) for p in work.pending)
