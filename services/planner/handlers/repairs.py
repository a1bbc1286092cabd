"""A mended agent stands more than today's page: recordings of good days, and recordings that were changed.

Which, and what they say together: services/planner/builder/trials.py.
"""

from __future__ import annotations

from datetime import timedelta

from services.planner import repository
from services.planner.builder import trials
from services.planner.builder.acting import files_digest
from services.planner.builder.tools import TEST
from services.planner.builder.trials import Wanted
from services.planner.deps import Deps
from services.planner.handlers import modelled
from services.planner.model import Build, Trial, say
from services.planner.repository import Entry
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.run import RunFinished, RunRequested
from shared.ids import derived
from shared.records.executor import Run
from shared.records.gateway import Agent
from shared.records.planner import Conversation
from shared.store.port import Tx

_QUEUE_LIMIT = timedelta(minutes=15)  # a person is watching
_SHOWN = 3


def tried(tx: Tx, conversation: Conversation, build: Build, event: RunFinished, deps: Deps) -> bool:
    """Asks for the first trials of a candidate whose rehearsal has passed; False when they were asked for already."""
    agent = repository.agent_of(deps.gateway, conversation)
    if agent is None or build.work.trials:
        return False
    good = [run.id for run in repository.healthy_runs(deps.executor, agent, trials.GOOD_DAYS)]
    return _asked_for(tx, conversation, build, agent, event.run_id, good, deps)


def _asked_for(
    tx: Tx, conversation: Conversation, build: Build, agent: Agent, today: str, good: list[str], deps: Deps
) -> bool:
    version = repository.find_version(tx, conversation.version_id or "")
    remembers = version is not None and version.agent_file.manifest.state
    sentence, next_ones = trials.wanted(build.work.trials, today, good, remembers)
    if not next_ones:
        return False
    made = [_trial(want, conversation) for want in next_ones]
    work = build.work.but(trials=(*build.work.trials, *made))
    repository.save_build(tx, build.model_copy(update={"work": work}))
    text = say(sentence, conversation.language)
    progress = {"step": "replay", "text": text, "run_id": made[0].run_id}
    repository.save(tx, conversation, [("progress", "builder", progress)], deps.now())
    for trial in made:
        _request(tx, trial, conversation, build, agent, deps)
    return True


def _trial(want: Wanted, conversation: Conversation) -> Trial:
    kind = f"{want.variation or 'replay'}{' live' if want.live else ''}"
    run_id = derived("run", conversation.version_id or "", kind, want.of)
    return Trial(
        run_id=run_id,
        of=want.of,
        variation=want.variation,
        today=want.today,
        live=want.live,
        beside=want.beside,
    )


def _request(
    tx: Tx, trial: Trial, conversation: Conversation, build: Build, agent: Agent, deps: Deps
) -> None:
    now = deps.clock.now()
    version_id = agent.version_id if trial.live else conversation.version_id
    tx.emit(
        RunRequested(
            run_id=trial.run_id,
            agent_id=agent.id,
            version_id=version_id or "",
            kind="replay",
            grant_id=agent.grant_id if trial.live else build.grant_id,
            conversation_id=conversation.id,
            replay_of=trial.of,
            variation=trial.variation,
            beside=trial.beside,
            requested_at=stamp(now),
            deadline_at=stamp(now + _QUEUE_LIMIT),
        )
    )


def on_replay_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """Replays that people ask for are none of ours."""
    build = repository.find_build(tx, event.conversation_id or "")
    conversation = repository.find_conversation(tx, event.conversation_id or "")
    if build is None or conversation is None or build.work.waiting(TEST) is None:
        return
    if all(trial.run_id != event.run_id or trial.end for trial in build.work.trials):
        return
    document = deps.executor.get("runs", event.run_id)
    if document is None:
        raise NotYet("The replay is not readable yet.")
    run = Run.from_doc(document.data)
    done = tuple(trials.ended(t, run) if t.run_id == run.id else t for t in build.work.trials)
    build = build.model_copy(update={"work": build.work.but(trials=done)})
    if any(not trial.end for trial in done):
        repository.save_build(tx, build)
        return
    why = trials.refused(done)
    agent = repository.agent_of(deps.gateway, conversation)
    today, good = conversation.test_run_id or "", _good(done)
    if why is None and agent is not None and _asked_for(tx, conversation, build, agent, today, good, deps):
        return
    _decided(tx, conversation, build, why, deps)


def _good(done: tuple[Trial, ...]) -> list[str]:
    return [t.of for t in done if not t.today and not t.live and not t.variation]


def _decided(
    tx: Tx, conversation: Conversation, build: Build, why: trials.Refused | None, deps: Deps
) -> None:
    work, language = build.work, conversation.language
    if why is None:
        unsure = trials.unsure(work.trials, _good(work.trials), language)
        work = work.but(tested=files_digest(work), failed_tests=0, unsure=unsure)
        text = " ".join((say("stood", language), *unsure))
    else:
        work = work.but(tested="", failed_tests=work.failed_tests + 1, nudge=trials.for_model(why))
        text = " ".join((say(why.key, language), *why.seen[:_SHOWN]))
    data = {"step": "test", "text": text, "run_id": conversation.test_run_id, "passed": why is None}
    entry: Entry = ("progress", "builder", data)
    repository.save(tx, conversation.but(state="building"), [entry], deps.now())
    modelled.resume(tx, build.model_copy(update={"work": work}), deps, language)
