"""What the executor does when an event arrives. The table at the foot is the whole routing."""

from __future__ import annotations

from services.executor.handlers import (
    endings,
    environments,
    looks,
    packages,
    requests,
    starts,
    states,
    sweeps,
    tapes,
)
from shared.bus.dispatch import Handlers, Quick, Slow
from shared.events.agent import AgentChanged, StateRewindRequested
from shared.events.clock import TimeTicked
from shared.events.conversation import LookRequested, PackagesRequested
from shared.events.delivery import DeliverySettled
from shared.events.environment import EnvironmentReady
from shared.events.permission import PackagesDecided, PermissionDecided
from shared.events.plan import VersionPublished
from shared.events.run import (
    AttemptEnded,
    RunCancelRequested,
    RunFinished,
    RunFunded,
    RunParked,
    RunRefused,
    RunRequested,
)
from shared.events.workspace import WorkspaceDeleted

HANDLERS: Handlers = {
    LookRequested: Slow(looks.claim_look, looks.do_look, looks.record_look, looks.LookJob, tries=2),
    PackagesRequested: Slow(
        packages.claim_lookup, packages.do_lookup, packages.record_lookup, packages.LookupJob, tries=2
    ),
    VersionPublished: Slow(
        environments.claim_environment,
        environments.do_environment,
        environments.record_environment,
        environments.EnvironmentJob,
    ),
    RunRequested: Quick(requests.on_run_requested),
    RunFunded: Slow(starts.claim_run_funded, starts.do_start, starts.record_start, starts.StartJob, tries=20),
    RunRefused: Quick(requests.on_run_refused),
    RunCancelRequested: Quick(requests.on_run_cancel_requested),
    PermissionDecided: Quick(requests.on_permission_decided),
    PackagesDecided: Quick(environments.on_packages_decided),
    AttemptEnded: Slow(
        endings.claim_attempt_ended, endings.do_check, endings.record_check, endings.CheckJob, tries=3
    ),
    RunFinished: Quick(endings.on_run_over),
    RunParked: Quick(endings.on_run_over),
    EnvironmentReady: Quick(environments.on_environment_ready),
    DeliverySettled: Quick(endings.on_delivery_settled),
    StateRewindRequested: Quick(states.on_state_rewind_requested),
    AgentChanged: Slow(tapes.claim_agent_changed, tapes.do_remove, tapes.record_remove, tapes.RemoveJob),
    WorkspaceDeleted: Slow(
        tapes.claim_workspace_deleted, tapes.do_remove, tapes.record_remove, tapes.RemoveJob
    ),
    TimeTicked: Quick(sweeps.on_time_ticked, once=False),
}
