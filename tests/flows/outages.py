"""One of the five services killed, or one of Google's three engines silent for twenty seconds, at a seeded moment of
build, rehearsal or run; and what must be true after it."""

from __future__ import annotations

import http.client
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.all_in_one import SERVICES
from shared.ids import RandomIds
from shared.store.port import Query, Where
from tests import emulators
from tests.flows.google_split_house import GoogleSplitHouse
from tests.flows.house import TOKEN
from tests.flows.killing import until
from tests.flows.person import Answered, Json, Person
from tests.flows.shops import Shops, Sink
from tests.flows.test_sentence import the_sentence

STAGES = ("build", "rehearsal", "run")
ENGINES = ("firestore", "pubsub", "storage")
TARGETS = (*SERVICES, *ENGINES)
SILENT_S = 20.0
# A claim whose holder was killed waits for its lease, a minute; then everything after it takes its time.
PATIENCE_S = 240
# Seconds into a stage, about as long as it takes on a quiet machine.
_LONGEST_S = {"build": 2.0, "rehearsal": 4.0, "run": 3.0}
_OVER = frozenset({"succeeded", "failed", "cancelled", "timed_out", "refused"})


class PatientPerson(Person):
    """Asks again, under the same key, while nobody answers or the answer is to come back later."""

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        key = {"Idempotency-Key": RandomIds().new("key")} if method == "POST" else {}
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return super().call(method, path, body, {**key, **(headers or {})})
            except Answered as answered:
                if answered.status != 503 or time.monotonic() > end:
                    raise
            except (OSError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
            time.sleep(0.2)


@contextmanager
def engines_of_its_own(folder: str) -> Iterator[None]:
    """Emulators that nobody else waits for; ended with the block. folder: empty, and there."""
    before = os.environ[emulators.FOLDER_VARIABLE]
    emulators.use(Path(folder))
    try:
        yield
    finally:
        emulators.stop_all(Path(folder))
        os.environ[emulators.FOLDER_VARIABLE] = before


class Outage:
    """`go` raises AssertionError where a promise broke."""

    def __init__(
        self, target: str, stage: str, seed: int, house: GoogleSplitHouse, shops: Shops, sink: Sink
    ) -> None:
        self.target, self.stage, self.house, self.shops, self.sink = target, stage, house, shops, sink
        self._random = random.Random(f"{target}/{stage}/{seed}")
        self.after_s = 0.0
        self.all_s = 0.0

    def go(self) -> None:
        begun = time.monotonic()
        person = PatientPerson(self.house.port, TOKEN, patience_s=PATIENCE_S)
        conversation = self._built(person)
        person.switches(conversation["agent_id"], True)
        run = self._ran(person, conversation["agent_id"])
        self._check_run(person, run)
        self._check_books(person, conversation, run)
        self.all_s = time.monotonic() - begun

    def _strike(self, stage: str) -> None:
        if stage != self.stage:
            return
        self.after_s = self._random.uniform(0, _LONGEST_S[stage])
        time.sleep(self.after_s)
        if self.target in ENGINES:
            silence(self.target, SILENT_S)
            return
        self.house.kill(self.target)
        time.sleep(self._random.uniform(0, 2))
        self.house.start(self.target)

    def _built(self, person: Person) -> Json:
        body = {"text": the_sentence(self.shops), "timezone": "Asia/Seoul"}
        id = person.call("POST", "/api/v1/conversations", body)["id"]
        self._strike("build")
        conversation = person.conversation(id, "proposed", "asking", "failed")
        assert conversation["state"] == "proposed", conversation["problem"]
        plan = conversation["plan"]
        decision = {
            "decision": "approve",
            "manifest_hash": plan["manifest_hash"],
            "secrets": {"SLACK_WEBHOOK_URL": self.sink.address},
        }
        person.call("POST", f"/api/v1/plans/{plan['id']}/decision", decision)
        self._strike("rehearsal")
        ready = person.conversation(id, "ready", "failed")
        assert ready["state"] == "ready", ready["problem"]
        results = [message["data"]["state"] for message in ready["messages"] if message["kind"] == "result"]
        assert results == ["ready"], results
        assert self.sink.bodies == [], "the rehearsal sent something"
        return ready

    def _ran(self, person: Person, agent_id: str) -> Json:
        run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        self._strike("run")
        over: Json = person.wait(
            f"/api/v1/runs/{run_id}", lambda r: r["status"] in _OVER and r["settled_at"] is not None
        )
        return over

    def _check_run(self, person: Person, run: Json) -> None:
        assert run["status"] == "succeeded", run["reason"]
        (delivery,) = person.call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"]
        assert len(self.sink.bodies) <= 1, f"{len(self.sink.bodies)} messages arrived"
        if (
            delivery["status"] == "unknown"
        ):  # killed while it sent: a person is asked, nothing is sent blindly
            assert (self.target, run["outcome"]) == ("gateway", "doubtful")
            notices = person.call("GET", "/api/v1/notices")["items"]
            assert [n["needs_decision"] for n in notices if n["about"] == delivery["id"]] == [True]
        else:
            assert (run["outcome"], delivery["status"]) == ("delivered", "sent"), run["reason"]
            assert len(self.sink.bodies) == 1, "the message never arrived"
        entries = self._documents("executor", "run_entries", run_id=run["id"])
        ends = [e["data"] for e in entries if e["kind"] == "status" and e["data"]["status"] in _OVER]
        assert [end["outcome"] for end in ends] == ["pending", run["outcome"]], ends
        assert sorted(e["seq"] for e in entries) == list(range(1, len(entries) + 1)), "entries are missing"

    def _check_books(self, person: Person, conversation: Json, run: Json) -> None:
        states = person.call("GET", f"/api/v1/agents/{run['agent_id']}/state/versions")["items"]
        assert [state["run_id"] for state in states] == [run["id"]]
        ids = sorted([run["id"], conversation["test_run_id"]])
        until(lambda: self._used(ids) == ids, lambda: f"{self._used(ids)} used, not {ids}", PATIENCE_S)
        person.wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)
        assert person.call("GET", "/api/v1/dead-letters")["items"] == []
        until(lambda: self._left() == [], lambda: f"left behind: {self._left()}", PATIENCE_S)

    def _used(self, ids: list[str]) -> list[str]:
        return sorted(
            entry["run_id"] for id in ids for entry in self._documents("ledger", "usage", run_id=id)
        )

    def _left(self) -> list[str]:
        """Jobs nobody does and events nobody sent."""
        names = ("_claims", "_dead_claims", "_outbox")
        return [f"{s}/{n}" for s in SERVICES for n in names if self._documents(s, n)]

    def _documents(self, service: str, collection: str, **fields: str) -> list[dict[str, Any]]:
        where = tuple(Where(name, "==", value) for name, value in fields.items())
        found = self.house.databases.read(service).query(Query(collection, where, limit=1000))
        return [document.data for document in found]


def silence(engine: str, for_s: float) -> None:
    """It keeps its connections and answers nothing, as behind a network that is gone."""
    emulator = emulators.process(engine)
    os.kill(emulator, signal.SIGSTOP)
    try:
        time.sleep(for_s)
    finally:
        os.kill(emulator, signal.SIGCONT)
