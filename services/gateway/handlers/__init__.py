"""What this service does about facts. Emits delivery.settled; all else becomes documents people see."""

from __future__ import annotations

from services.gateway.handlers.connections import on_connection_tested
from services.gateway.handlers.deliveries import claim_delivery, do_delivery, record_delivery
from services.gateway.handlers.packages import on_environment_asked
from services.gateway.handlers.quarantine import on_agent_quarantined
from services.gateway.handlers.runs import on_run_finished, on_run_parked, on_run_settled, on_run_started
from services.gateway.handlers.states import on_rewind_over
from services.gateway.handlers.sweep import on_time_ticked
from services.gateway.handlers.versions import on_version_ready
from services.gateway.repository.sending import SendJob
from shared.bus.dispatch import Handlers, Quick, Slow
from shared.events.agent import AgentQuarantined, StateRewindRefused, StateRewound
from shared.events.clock import TimeTicked
from shared.events.connection import ConnectionTested
from shared.events.delivery import DeliveryRequested
from shared.events.environment import EnvironmentAsked
from shared.events.plan import VersionReady
from shared.events.run import RunFinished, RunParked, RunSettled, RunStarted

HANDLERS: Handlers = {
    DeliveryRequested: Slow(claim_delivery, do_delivery, record_delivery, job=SendJob, on_cut="unknown"),
    RunStarted: Quick(on_run_started),
    RunParked: Quick(on_run_parked),
    RunFinished: Quick(on_run_finished),
    RunSettled: Quick(on_run_settled),
    EnvironmentAsked: Quick(on_environment_asked),
    VersionReady: Quick(on_version_ready),
    AgentQuarantined: Quick(on_agent_quarantined),
    ConnectionTested: Quick(on_connection_tested),
    StateRewound: Quick(on_rewind_over),
    StateRewindRefused: Quick(on_rewind_over),
    TimeTicked: Quick(on_time_ticked, once=False),
}
