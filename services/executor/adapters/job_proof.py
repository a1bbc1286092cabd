"""What is known of the sandbox inside a job: found there by `doctor`, kept in the store, believed for one version."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from pydantic import ValidationError

from services.executor import repository
from services.executor.ports import Ended, Enforcement, Order, RunLimits
from services.executor.run_api.messages import PROOF, JobProof
from shared.clock import Clock
from shared.errors import ProjectError
from shared.ids import Ids
from shared.store.port import Cause, Store

BACKEND = "cloud_run"
_CAUSE = Cause("", "service:executor")
# The corpus takes minutes where four cases run at a time.
_LIMITS = RunLimits(wall_s=1800, cpu_s=1800, memory_bytes=256 << 20)
_AGAIN_S = 900.0
_BYTES = 1 << 20
log = logging.getLogger(__name__)


class Prover(Protocol):
    def prove(self, order: Order, sink: Proving) -> None:
        """Begins `doctor` in a job. Raises: ProjectError."""

    def release(self, handle: str) -> None: ...


class JobProofs:
    """Of one version. Asked before every run, so what was found is remembered."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, version: str, folder: Path) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._version = version
        self._folder = folder
        self._found: JobProof | None = None
        self._lock = threading.Lock()
        self._tried_s: float | None = None

    def enforcement(self) -> Enforcement:
        """ "all" missing, with the cure, until a job has proven its sandbox for this version."""
        found = self._known()
        if found is None:
            return _refused(
                "No job has shown yet that its sandbox holds against the attacks. One is trying that now, for some "
                "minutes; when it comes to nothing, the executor's log says why."
            )
        if found.escaped:
            cases = ", ".join(found.escaped[:3])
            return _refused(
                f"The sandbox of the jobs let code out ({cases}), so nothing runs in it. Update the images."
            )
        return Enforcement(BACKEND, frozenset(found.enforced), found.missing)

    def write(self, proof: JobProof) -> None:
        document = proof.model_dump(mode="json")
        self._store.transact(lambda tx: tx.put(repository.SANDBOX, BACKEND, document), cause=_CAUSE)

    def begin(self, prover: Prover) -> None:
        """`doctor` in a job, unless that is done or was tried just now. Returns at once: Google is asked in a thread,
        and who asks what a sandbox holds to must not wait for that."""
        with self._lock:
            now = self._clock.monotonic()
            if self._known() is not None or (self._tried_s is not None and now - self._tried_s < _AGAIN_S):
                return
            self._tried_s = now
        threading.Thread(target=self._prove, args=(prover,), name="doctor", daemon=True).start()

    def _prove(self, prover: Prover) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        order = Order(self._ids.new("doctor"), self._folder, limits=_LIMITS)
        try:
            prover.prove(order, Proving(self, prover, order.id))
        except ProjectError as error:
            log.warning("doctor could not be started in a job: %s", error.detail)

    def _known(self) -> JobProof | None:
        if self._found is None:
            document = self._store.get(repository.SANDBOX, BACKEND)
            try:
                found = JobProof.model_validate(document.data) if document else None
            except ValidationError:
                found = None
            self._found = found if found is not None and found.version == self._version else None
        return self._found


class Proving:
    """The sink of `doctor` in a job: what it prints goes to the log, what it leaves is the proof."""

    def __init__(self, proofs: JobProofs, prover: Prover, id: str) -> None:
        self._proofs = proofs
        self._prover = prover
        self._id = id

    def first_line(self) -> None:
        return None

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        log.info("doctor in a job: %s", data.decode(errors="replace").rstrip())

    def report(self, entry: Mapping[str, object]) -> None:
        return None

    def ended(self, result: Ended) -> None:
        try:
            if result.box is None:
                raise ValueError(result.detail or result.reason)
            with (result.box / "outputs" / PROOF).open("rb") as file:
                self._proofs.write(JobProof.model_validate_json(file.read(_BYTES)))
        except (OSError, ValueError) as error:
            log.warning("doctor in a job came to nothing: %s", error)
        # in a thread of its own: whoever tells an end still holds the attempt
        threading.Thread(target=self._prover.release, args=(self._id,), daemon=True).start()


def _refused(why: str) -> Enforcement:
    return Enforcement(BACKEND, frozenset(), {"all": why})
