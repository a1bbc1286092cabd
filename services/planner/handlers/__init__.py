"""What the planner does when an event arrives. The table at the foot is the whole routing."""

from __future__ import annotations

from services.planner.handlers import connections, decisions, leases, lookups, messages, rehearsals, turns
from services.planner.handlers.jobs import TurnJob
from shared.bus.dispatch import Handlers, Quick, Slow
from shared.events.agent import AgentChanged
from shared.events.clock import TimeTicked
from shared.events.connection import ConnectionTyped
from shared.events.conversation import (
    ConversationStopRequested,
    LookFinished,
    MessageReceived,
    PackagesFound,
    TurnFunded,
    TurnRefused,
)
from shared.events.environment import (
    EnvironmentAsked,
    EnvironmentFailed,
    EnvironmentProgressed,
    EnvironmentReady,
)
from shared.events.plan import PlanDecided, PlanEdited
from shared.events.run import RunFinished, RunFunded, RunStarted
from shared.events.usage import LeaseRecalled, TokensUsed

REHEARSALS = frozenset({"test"})
WATCHED = frozenset({"test", "replay"})

HANDLERS: Handlers = {
    MessageReceived: Quick(messages.on_message_received),
    TurnRefused: Quick(messages.on_turn_refused),
    ConversationStopRequested: Quick(messages.on_stop_requested),
    TurnFunded: Slow(turns.claim_turn_funded, turns.do_turn, turns.record_turn, TurnJob),
    LookFinished: Slow(turns.claim_look_finished, turns.do_turn, turns.record_turn, TurnJob),
    ConnectionTyped: Slow(
        connections.claim_connection_typed,
        connections.do_test,
        connections.record_test,
        connections.TestJob,
    ),
    PackagesFound: Quick(lookups.on_packages_found),
    PlanDecided: Quick(decisions.on_plan_decided),
    PlanEdited: Slow(decisions.claim_edit, decisions.do_edit, decisions.record_edit, decisions.EditJob),
    EnvironmentProgressed: Quick(rehearsals.on_environment_progressed),
    EnvironmentReady: Quick(rehearsals.on_environment_ready),
    EnvironmentFailed: Quick(rehearsals.on_environment_failed),
    EnvironmentAsked: Quick(rehearsals.on_environment_asked),
    RunStarted: Quick(rehearsals.on_run_started, kinds=REHEARSALS),
    RunFinished: Quick(rehearsals.on_run_finished, kinds=WATCHED),
    RunFunded: Quick(leases.on_run_funded, above_zero="tokens"),
    LeaseRecalled: Quick(leases.on_lease_recalled),
    TokensUsed: Quick(leases.on_tokens_used, having="conversation_id"),
    AgentChanged: Quick(decisions.on_agent_changed),
    TimeTicked: Quick(leases.on_time_ticked, once=False),
}
