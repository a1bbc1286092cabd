"""From a run's documents to an order: code unpacked, packages found, state fetched, what it may reach fixed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.executor import repository
from services.executor.egress import decoys
from services.executor.egress.decoys import Decoy
from services.executor.egress.model import EgressRun, Pace, PracticeSetting, SecretBinding
from services.executor.egress.model_host import RULE, ModelDoor
from services.executor.environments.folders import Folders
from services.executor.ports import Order, RunLimits
from services.executor.tapes.chance import Chance
from services.executor.tapes.taped import Subject
from shared.agentfile import bundle
from shared.agentfile.model import Manifest
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.errors import NotAllowed, NotFound, NotYet
from shared.ids import derived
from shared.net.model_endpoint import MODEL_HOST
from shared.records.executor import EnvironmentRecord, Run
from shared.records.gateway import Agent, Grant, Practice
from shared.records.planner import Version
from shared.store.port import Reader

PRACTICE_HOST = "practice.agentbuilder.test"


@dataclass(frozen=True)
class Basis:
    """What a run stands on, read and checked: the version, the grant that covers it, its environment."""

    run: Run
    version: Version
    grant: Grant
    environment: EnvironmentRecord
    practice: PracticeSetting

    @property
    def manifest(self) -> Manifest:
        return self.grant.agent_file.manifest


def read_basis(run: Run, own: Reader, gateway: Reader, planner: Reader) -> Basis:
    """Of a run that is to begin. Raises as `find_basis`, and NotAllowed when the agent is off or gone."""
    basis = find_basis(run, own, gateway, planner)
    agent_doc = gateway.get("agents", run.agent_id)
    agent = Agent.from_doc(agent_doc.data) if agent_doc else None
    if agent is None or agent.deleted_at is not None:
        raise NotAllowed("The agent was deleted.")
    if agent.quarantine is not None:
        raise NotAllowed(agent.quarantine.text, code="quarantined")
    if run.kind in ("scheduled", "triggered") and not agent.enabled:
        raise NotAllowed("The agent is switched off.", code="switched_off")
    return basis


def find_basis(run: Run, own: Reader, gateway: Reader, planner: Reader) -> Basis:
    """Also of one that has begun. Raises NotAllowed when nobody has said yes to this version, NotYet when its
    environment is still being installed, NotFound when the version does not exist."""
    version_doc = planner.get("versions", run.version_id)
    if version_doc is None:
        raise NotFound("This version does not exist.")
    version = Version.from_doc(version_doc.data)
    grant_doc = gateway.get("grants", run.grant_id) if run.grant_id else None
    grant = Grant.from_doc(grant_doc.data) if grant_doc else None
    if version.workspace_id != run.workspace_id or version.agent_id != run.agent_id:
        raise NotAllowed("The version belongs to another agent.")
    if grant is None or grant.workspace_id != run.workspace_id or grant.agent_id != run.agent_id:
        raise NotAllowed("Nobody has allowed this version to run.")
    if grant.version_id != version.id and grant.manifest_hash != version.manifest_hash:
        raise NotAllowed("What was allowed is not what this version asks for.")
    environment = repository.environment_of(own, version.id)
    if environment is None or environment.status == "building":
        raise NotYet("The packages are still being installed.")
    practice_doc = gateway.get("practice", run.workspace_id)
    practice = Practice.from_doc(practice_doc.data) if practice_doc else None
    setting = PracticeSetting(practice.day, practice.broken) if practice else PracticeSetting()
    return Basis(run, version, grant, environment, setting)


def limits_of(manifest: Manifest) -> RunLimits:
    asked = manifest.limits
    return RunLimits(
        wall_s=asked.wall_s,
        cpu_s=asked.wall_s,
        memory_bytes=asked.memory_mb << 20,
        disk_bytes=asked.disk_mb << 20,
        processes=asked.processes,
    )


def subject(basis: Basis) -> Subject:
    return Subject(
        basis.version.id,
        basis.environment.id,
        basis.manifest.tape,
        basis.practice,
        basis.version.agent_file.agent.language,
    )


def placeholders(basis: Basis, chance: Chance) -> tuple[SecretBinding, ...]:
    """An unguessable stand-in per secret; the code never holds more than that. Channel secrets have none."""
    return tuple(
        SecretBinding(secret.name, secret.host, f"ab-placeholder-{chance.named(secret.name)}")
        for secret in basis.manifest.secrets
    )


def egress_run(
    basis: Basis,
    attempt_id: str,
    bindings: tuple[SecretBinding, ...],
    traps: tuple[Decoy, ...],
    *,
    record: Callable[..., None],
    reveal: Callable[[str], str],
    before_write: Callable[[str], None],
    model: ModelDoor | None = None,
) -> EgressRun:
    """model: used only where the manifest allows tokens; no rule of its own opens that host."""
    hosts = tuple(rule for rule in basis.manifest.hosts if rule.host != MODEL_HOST)
    asks = asks_model(basis)
    practice_only = not asks and all(rule.host == PRACTICE_HOST for rule in basis.manifest.hosts)
    return EgressRun(
        id=attempt_id,
        hosts=(*hosts, RULE) if asks else hosts,
        record=record,
        mode="rehearsal" if basis.run.kind in ("test", "replay") else "live",
        secrets=bindings,
        reveal=reveal,
        before_write=before_write,
        decoys=traps,
        allowed_writes=frozenset(basis.run.allowed_writes),
        practice=basis.practice,
        model=model if asks else None,
        pace=Pace(requests_per_s=0, connections=0) if practice_only else Pace(),
    )


def asks_model(basis: Basis) -> bool:
    return basis.manifest.tokens.per_run > 0


def model_variables(basis: Basis, taken: Mapping[str, str]) -> dict[str, str]:
    """So that agent.llm, and the provider's own library unchanged, find the endpoint. The key is none: libraries
    insist on one. An agent that has a secret of that name speaks to the provider by itself."""
    if not asks_model(basis):
        return {}
    address = f"https://{MODEL_HOST}"
    own = {} if "ANTHROPIC_API_KEY" in taken else {"ANTHROPIC_BASE_URL": address, "ANTHROPIC_API_KEY": "none"}
    return {"AGENT_MODEL_URL": address, **own}


def code_folder(version: Version, blobs: Blobs, folders: Folders) -> Path:
    """The version's files on this machine, unpacked once. Read-only by use: sandboxes mount it so."""
    target = folders.code / version.id
    if not (target / ".complete").exists():
        beside = folders.fresh("unpack")
        for name, data in bundle.unpack(blobs.get(version.bundle_key)).items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (beside / ".complete").write_bytes(b"")
        if target.exists():
            shutil.rmtree(target)
        beside.rename(target)
    return target


def warm_key(basis: Basis) -> str:
    """What two runs must agree on for one to take the sandbox kept ready for the other. Rehearsals are rare
    and replays are compared: both start from nothing."""
    run = basis.run
    if run.kind in ("test", "replay"):
        return ""
    asked = basis.manifest.limits.model_dump_json()
    return derived("warm", run.workspace_id, basis.environment.id, basis.version.id, basis.grant.id, asked)


def make_order(
    basis: Basis,
    attempt_id: str,
    code: Path,
    bindings: tuple[SecretBinding, ...],
    traps: tuple[Decoy, ...],
    state: bytes | None,
    folders: Folders,
    clock: Clock,
    fonts: Path | None,
) -> Order:
    run, file = basis.run, basis.version.agent_file
    environment = decoys.variables(traps) | {binding.name: binding.placeholder for binding in bindings}
    environment["AGENT_LANGUAGE"] = file.agent.language
    environment |= model_variables(basis, taken=environment)
    mounts: dict[str, Path] = {}
    if fonts is not None:
        mounts["/fonts"] = fonts.parent
        environment["AGENT_FONT"] = f"/fonts/{fonts.name}"
    site = folders.environment(basis.environment.id)
    return Order(
        id=attempt_id,
        code_dir=code,
        site_dirs=(site,) if basis.environment.packages else (),
        input=run.input,
        state=state,
        env=environment,
        mode="rehearsal" if run.kind in ("test", "replay") else "live",
        now=run.slot_at or stamp(clock.now()),
        timezone=file.schedule.timezone if file.schedule else "UTC",
        limits=limits_of(basis.manifest),
        mounts=mounts,
        warm_key=warm_key(basis),
        files=decoys.files(traps),
    )
