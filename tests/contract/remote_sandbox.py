"""A cloud_run sandbox with everything around it on this machine: store, Run API, and Cloud Run's stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.executor.adapters.claims import Claims
from services.executor.adapters.cloud_run import CloudRunSandbox, Patience
from services.executor.adapters.executions import GoogleExecutions
from services.executor.adapters.job_proof import JobProofs
from services.executor.adapters.packed import PackedSites
from services.executor.adapters.remote_attempt import Surroundings
from services.executor.adapters.shapes import read
from services.executor.routes import Remote, run_api
from services.executor.run_api.messages import JobProof
from services.executor.siege import proof
from shared.blobs.files import FileBlobs
from shared.blobs.port import Blobs
from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.runtime.server import WebServer, listen
from shared.store.sqlite import SqliteDatabases
from shared.vault.keyfile import Key, KeyfileKeyring
from shared.vault.run_tokens import AttemptTokens
from tests.cloud_runs import PROOF
from tests.fakes.cloud_run import FakeCloudRun

PLACE = "projects/p/locations/asia-northeast3"
QUICK = Patience(look=0.2, quiet=5, handing=2, listed=5, start=120, given_up=100)


class RemoteHouse:
    """sandbox: a CloudRunSandbox that works. close() ends everything."""

    def __init__(
        self,
        folder: Path,
        *,
        patience: Patience = QUICK,
        proven: JobProof | None = PROOF,
        blobs: Blobs | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = SystemClock()
        self.google = FakeCloudRun(folder / "containers")
        self._databases = SqliteDatabases(folder, self.clock, RandomIds())
        self.store = self._databases.own("executor")
        self.claims = Claims(self.store, self.clock)
        self.tokens = AttemptTokens(KeyfileKeyring((Key("a", bytes(32)),)), self.clock)
        self._folder = folder
        self.proofs = self.forget_proof()
        if proven is not None:
            self.proofs.write(proven)
        self.blobs: Blobs = FileBlobs(folder / "blobs", RandomIds()) if blobs is None else blobs
        self._patience = patience
        self._listening = listen(0)
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lives: list[CloudRunSandbox] = []
        self.sandbox = self.another()
        self._serve()

    def forget_proof(self) -> JobProofs:
        """As a new process would: what was found is read again."""
        self.proofs = JobProofs(self.store, self.clock, RandomIds(), proof.version(), self._folder / "doctor")
        return self.proofs

    def attempt(self, token: str) -> Remote:
        return self.sandbox.attempt(token)

    def another(self) -> CloudRunSandbox:
        """Of another life of the executor, on the same store."""
        around = Surroundings(self._folder / "room", proof.version(), "", self.clock)
        made = CloudRunSandbox(
            GoogleExecutions(PLACE, self.google.address),
            self.claims,
            self.tokens,
            read("small:512:gateway,large:4096:gateway,closed:4096:none"),
            self.address,
            around,
            self.proofs,
            PackedSites(self.store, self.blobs),
            self._patience,
        )
        self._lives.append(made)
        return made

    @contextmanager
    def away(self, seconds: float) -> Iterator[None]:
        """Nobody answers at the Run API's address until the block has ended and so much time has passed."""
        port = self._listening.getsockname()[1]
        self._server.stop()
        self._listening.close()
        yield
        threading.Event().wait(seconds)
        self._listening = listen(port)
        self._serve()

    def _serve(self) -> None:
        app = run_api(self)
        assert app is not None
        self._server = WebServer(app.wsgi_app, self._listening, threads=16)
        self._server.start()

    def close(self) -> None:
        for sandbox in self._lives:
            sandbox.close()
        self._server.stop()
        self.google.close()
        self._databases.close()
