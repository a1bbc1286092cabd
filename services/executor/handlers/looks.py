"""Reading the addresses a person wrote, before anything is planned: GET only, no secrets, in a sandbox."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from services.executor.attempts.prepare import PRACTICE_HOST
from services.executor.deps import Deps
from services.executor.egress.model import EgressRun, Pace, PracticeSetting
from services.executor.ports import Order, RunLimits
from shared.agentfile import bundle
from shared.agentfile.model import HostRule
from shared.bus.dispatch import Failed, Job
from shared.events.conversation import LookFinished, LookRequested
from shared.records.gateway import Practice
from shared.store.port import Tx

_LIMITS = RunLimits(wall_s=30, cpu_s=20, memory_bytes=512 << 20, disk_bytes=64 << 20, processes=16)


class LookJob(Job):
    conversation_id: str
    look_id: str
    workspace_id: str
    bundle_key: str
    addresses: tuple[str, ...]


class Looked(Job):
    result_key: str | None


def claim_look(event: LookRequested, tx: Tx, deps: Deps) -> LookJob:
    return LookJob(
        conversation_id=event.conversation_id,
        look_id=event.look_id,
        workspace_id=tx.cause.workspace_id,
        bundle_key=event.bundle_key,
        addresses=event.addresses,
    )


def do_look(job: LookJob, deps: Deps) -> Looked:
    folder = deps.folders.fresh("look")
    try:
        return _look(job, folder, deps)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _look(job: LookJob, folder: Path, deps: Deps) -> Looked:
    for name, data in bundle.unpack(deps.blobs.get(job.bundle_key)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rules = _rules(job.addresses)
    practice = deps.gateway.get("practice", job.workspace_id)
    setting = Practice.from_doc(practice.data) if practice else None
    only_practice = all(rule.host == PRACTICE_HOST for rule in rules)
    out = EgressRun(
        id=job.look_id,
        hosts=rules,
        record=lambda exchange: None,
        mode="rehearsal",
        practice=PracticeSetting(setting.day, setting.broken) if setting else PracticeSetting(),
        pace=Pace(requests_per_s=0, connections=0) if only_practice else Pace(),
    )
    order = Order(
        id=deps.ids.new("look"),
        code_dir=folder,
        site_dirs=(deps.platform_site,),
        input={"addresses": list(job.addresses)},
        limits=_LIMITS,
        mode="rehearsal",
        now=deps.now(),
    )
    found = deps.oneshot.run(order, "look.json", out=out)
    if found is None:
        return Looked(result_key=None)
    key = f"executor/looks/{job.look_id}.json"
    deps.blobs.put(key, found)
    return Looked(result_key=key)


def _rules(addresses: tuple[str, ...]) -> tuple[HostRule, ...]:
    rules = {}
    for address in addresses:
        place = urlsplit(address)
        if place.scheme not in ("http", "https") or not place.hostname:
            continue
        port = place.port or (443 if place.scheme == "https" else 80)
        rules[(place.hostname, port, place.scheme)] = HostRule.model_validate(
            {"host": place.hostname, "port": port, "scheme": place.scheme, "methods": ("GET", "HEAD")}
        )
    return tuple(rules.values())


def record_look(job: LookJob, outcome: Looked | Failed, tx: Tx, deps: Deps) -> None:
    key, problem = (None, outcome.detail) if isinstance(outcome, Failed) else (outcome.result_key, "")
    tx.emit(
        LookFinished(
            conversation_id=job.conversation_id, look_id=job.look_id, result_key=key, problem=problem
        )
    )
