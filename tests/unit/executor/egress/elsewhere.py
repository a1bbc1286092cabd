"""A run whose way out is another process: the executor's side, an outlet of its own databases, and the code."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from services.executor import repository
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.doors import Holder, door_of, save_door
from services.executor.attempts.lasting_sink import LastingRecorder
from services.executor.attempts.outlet import Means, Outlet, served
from services.executor.attempts.remote_ways import RemoteWays
from services.executor.attempts.sink import AttemptRecorder
from services.executor.attempts.under_way import Keeping
from services.executor.egress.carrier import Carrier, Patience
from services.executor.egress.decoys import fresh_decoys
from services.executor.egress.front import Front
from services.executor.egress.model import EgressRun, PracticeSetting
from services.executor.ports import SiteAnswer
from services.executor.tapes.keys import TapeKeys
from services.executor.tapes.taped import Subject, Taped, Tapes
from shared.blobs.files import FileBlobs
from shared.clock import Clock, SystemClock, stamp
from shared.ids import RandomIds
from shared.records.executor import Run
from shared.records.gateway import Grant
from shared.records.tapes import TapeSetting
from shared.store.port import Cause, Store
from shared.store.sqlite import SqliteDatabases
from shared.telemetry.watching import Watching
from shared.vault.keyfile import KeyfileKeyring, load_keyring
from shared.vault.run_tokens import AttemptTokens
from tests.unit.executor.egress.conftest import UNHURRIED, World
from tests.unit.gateway.conftest import agent_file

CAUSE = Cause("wsp_one", "agent:agent_1")
VALUE = "the real value of it"
SUBJECT = ("ver_1", "env_1")
CLOCK = SystemClock()


class PackageIndex:
    """A site that says what it was asked, piece by piece."""

    host = "index.agentbuilder.test"

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> SiteAnswer:
        said = f"{method} {target}"
        return SiteAnswer(
            200, (("content-length", str(len(said))),), iter((said[:4].encode(), said[4:].encode()))
        )


def a_run(**more: Any) -> Run:
    now = stamp(CLOCK.now())
    known = {
        "id": "run_1",
        "workspace_id": "wsp_one",
        "agent_id": "agent_1",
        "version_id": "ver_1",
        "kind": "manual",
        "status": "running",
        "attempt": 1,
        "attempt_id": "att_1",
        "grant_id": "grant_1",
        "requested_at": now,
        "deadline_at": now,
    }
    return Run.model_validate({**known, **more})


class Side:
    """One process: its own connections to what both share."""

    def __init__(self, folder: Path, name: str) -> None:
        self.databases = SqliteDatabases(folder, CLOCK, RandomIds(), alone=False)
        self.store = self.databases.own("executor")
        blobs = FileBlobs(folder / "blobs", RandomIds())
        keys = TapeKeys(self.store, load_keyring(folder / "vault.key"), RandomIds(), CLOCK)
        self.tapes = Tapes(self.store, blobs, CLOCK, RandomIds(), keys, folder / f"spool-{name}", ())

    def close(self) -> None:
        self.tapes.close()
        self.databases.close()


class OutletProcess:
    def __init__(self, elsewhere: Elsewhere, name: str) -> None:
        self.side = Side(elsewhere.folder, name)
        self.revealed: list[tuple[str, str]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        means = Means(
            name=name,
            store=self.side.store,
            gateway=self.side.databases.read("gateway"),
            clock=CLOCK,
            tapes=self.side.tapes,
            egress=elsewhere.world.gateway,
            ring=elsewhere.ring,
            attempt_of=AttemptTokens(load_keyring(elsewhere.folder / "vault.key"), CLOCK).read,
            reveal=self._reveal,
            model=lambda run: None,
            index=PackageIndex(),
        )
        self.outlet: Outlet
        self.front: Front
        self.outlet, self.front = served(means, self._listening)
        self.outlet.start()
        self.front.start()

    def _reveal(self, run: Run, secret_id: str, host: str) -> str:
        self.revealed.append((secret_id, host))
        return VALUE

    def stop(self) -> None:
        self.outlet.stop()
        self.front.stop()
        self._listening.close()
        self.side.close()


class Elsewhere:
    """Close ends everything that was started through it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.watching = Watching()
        self.world = world
        self.folder = folder
        self.side = Side(folder, "executor")
        self.tripped = threading.Event()
        self.tokens = AttemptTokens(load_keyring(folder / "vault.key"), CLOCK)
        self.ways = RemoteWays(self.side.store, CLOCK, self.side.tapes, self.ring)
        self._processes: list[OutletProcess] = []
        self._carriers: list[Carrier] = []
        gateway = self.side.databases.own("gateway")
        grant = Grant(
            id="grant_1",
            workspace_id="wsp_one",
            agent_id="agent_1",
            plan_id="plan_1",
            version_id="ver_1",
            manifest_hash="hash",
            agent_file=agent_file(),
            secrets={"KEY": "sec_1"},
            by="usr_1",
            at=stamp(CLOCK.now()),
        )
        gateway.transact(lambda tx: tx.put("grants", grant.id, grant.to_doc()), cause=CAUSE)
        self.becomes(a_run())

    @property
    def ring(self) -> KeyfileKeyring:
        return load_keyring(self.folder / "vault.key").ring("doors")

    def died(self, name: str) -> None:
        """A process of that name has served the attempt and will never say what it saw."""
        door = door_of(self.side.store, "att_1")
        assert door is not None
        held = door.but(holders={**door.holders, name: Holder()})
        self.side.store.transact(lambda tx: save_door(tx, held), cause=CAUSE)

    def becomes(self, run: Run) -> Run:
        self.side.store.transact(lambda tx: repository.save_run(tx, run), cause=CAUSE)
        return run

    def run(self) -> Run:
        return repository.Runs(self.side.store).get("run_1")

    def recorder(self, tape: TapeSetting = "full") -> AttemptRecorder:
        return AttemptRecorder(
            *self._basis(tape), on_buffered=lambda: None, on_ended=lambda recorder, ended: None
        )

    def lasting(self, life: str, on_superseded: Callable[[AttemptRecorder], None]) -> LastingRecorder:
        """Of a process of that name, which begins the attempt or takes it up."""
        keeping = Keeping(self.side.store, life, bytes(32))
        made = LastingRecorder(
            *self._basis("off"),
            keeping=keeping,
            known=keeping.take("att_1"),
            on_ended=lambda recorder, ended: None,
            on_superseded=on_superseded,
        )
        if not keeping.find("att_1"):
            made.begin()
        return made

    def _basis(self, tape: TapeSetting) -> tuple[Run, Store, Clock, DecoyWatch, Taped, Watching]:
        run = self.run()
        taped = self.side.tapes.begin(run, Subject("ver_1", "env_1", tape, PracticeSetting(), "ko"))
        decoys = DecoyWatch(fresh_decoys(taped.chance), self.tripped.set)
        return run, self.side.store, CLOCK, decoys, taped, self.watching

    def open(self, recorder: AttemptRecorder, **more: Any) -> Path:
        """Where the certificate of its authority is."""
        known: dict[str, Any] = {
            "hosts": (self.world.rule(effect="write"),),
            "record": recorder.exchange,
            "pace": UNHURRIED,
            "decoys": recorder.decoys.decoys,
        }
        out = EgressRun(id=recorder.attempt_id, **{**known, **more})
        path = self.folder / f"{out.id}.pem"
        path.write_text(
            self.ways.open(recorder.taped.egress(out), recorder, socket.create_server(("127.0.0.1", 0)))
        )
        return path

    def process(self, name: str = "out_1") -> OutletProcess:
        made = OutletProcess(self, name)
        self._processes.append(made)
        return made

    def carrier(self, process: OutletProcess, attempt_id: str = "att_1") -> Carrier:
        token = self.tokens.mint(attempt_id, CLOCK.now().replace(year=2100))
        made = Carrier(process.url, token, patience=Patience(first=2, again=2))
        self._carriers.append(made)
        return made

    @contextmanager
    def code(self, carrier: Carrier, ca: Path) -> Iterator[requests.Session]:
        """What runs in the sandbox elsewhere."""
        with socket.create_server(("127.0.0.1", 0)) as proxy, requests.Session() as session:
            ending = threading.Thread(target=_accept, args=(proxy, carrier))
            ending.start()
            session.trust_env, session.verify = False, str(ca)
            address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
            session.proxies = {"http": address, "https": address}
            yield session
            proxy.shutdown(socket.SHUT_RDWR)
            ending.join()

    def close(self) -> None:
        for carrier in self._carriers:
            carrier.close()
        for process in self._processes:
            process.stop()
        self.ways.stop()
        self.side.close()


def _accept(proxy: socket.socket, carrier: Carrier) -> None:
    try:
        while True:
            carrier.carry(proxy.accept()[0])
    except OSError:
        return
