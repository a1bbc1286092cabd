"""An Agent Builder as a real process that can be killed at a seeded moment and started again."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.flows.lending import lend_packages
from tests.flows.person import Json, Person
from tests.flows.shops import Shops, Sink, opened
from tests.flows.test_sentence import the_sentence

ROOT = Path(__file__).parents[2]
TOKEN = "kill-test-owner-token"
STAGES = ("look", "install", "rehearsal", "run", "delivery")
_OVER = frozenset({"succeeded", "failed", "cancelled", "timed_out", "refused"})


class Living:
    """`start` returns when it answers; `kill` returns when it and everything it started is gone. more: variables
    of its environment."""

    def __init__(self, folder: Path, open_ports: tuple[int, ...], more: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._ports = open_ports
        self._more = more or {}
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    def start(self) -> Living:
        lend_packages(self.folder)
        environment = {
            **os.environ,
            "AB_DATA_DIR": str(self.folder),
            "AB_PORT": "0",
            "AB_OWNER_TOKEN": TOKEN,
            "AB_EGRESS_ALLOW_PRIVATE": opened(self._ports),
            "AB_TICK_S": "0.5",
            **self._more,
        }
        with (self.folder.parent / "stderr.txt").open("a") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.all_in_one"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("Agent Builder: http://127.0.0.1:"):
                self._port = int(line.rsplit(":", 1)[1])
                return self
        raise AssertionError(f"it did not start: {self.said()}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def person(self, patience_s: float = 40) -> Person:
        return Person(self._port, TOKEN, patience_s=patience_s)

    def kill(self, *, launcher_too: bool = False) -> None:
        """SIGKILL; then waits until every process it had started is gone, by itself."""
        started = family(self.pid)
        victims = [self.pid]
        if launcher_too:
            victims += [pid for pid, _then in started if "launcher.main" in command(pid)]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        self._reap()
        until(lambda: not [p for p in started if born(p[0]) == p[1]], lambda: f"left: {_named(started)}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait(20)
        self._process = None

    def said(self) -> str:
        return (self.folder.parent / "stderr.txt").read_text()

    def documents(self, service: str, collection: str) -> list[dict[str, Any]]:
        """What the service's file holds now."""
        with closing(
            sqlite3.connect(f"file:{self.folder}/{service}.db?mode=ro", uri=True, timeout=10)
        ) as file:
            rows = file.execute("SELECT body FROM docs WHERE coll=?", (collection,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def left_behind(self) -> list[str]:
        """Mounts and control groups of this data folder; none may be there once it has stopped."""
        mounts = [
            line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(self.folder) in line
        ]
        root = self.folder / "sandbox"
        name = f"agentbuilder-{root.stat().st_ino:x}" if root.exists() else "nothing"
        groups = [str(found) for found in Path("/sys/fs/cgroup").glob(f"*/{name}/*/")]
        return mounts + groups


def family(pid: int) -> list[tuple[int, str]]:
    """All descendants, children first, with their time of birth: it tells a number used again apart."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, ahead = [], [pid]
    while ahead:
        children = parents.get(ahead.pop(), [])
        ahead += children
        found += [(child, born(child)) for child in children]
    return found


def _stat(pid: int) -> list[str]:
    """Fields of /proc/pid/stat from the state on; empty when the process is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] == "Z" else fields


def born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else "gone"


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _named(started: list[tuple[int, str]]) -> list[str]:
    return [f"{pid} {command(pid)[:120]}" for pid, then in started if born(pid) == then]


def until(holds: Any, says: Any, patience_s: float = 60) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, says()
        time.sleep(0.02)


class Point:
    """One cut: stage and seed give the moment. `go` raises AssertionError where a promise broke."""

    def __init__(self, stage: str, seed: int, living: Living, shops: Shops, sink: Sink) -> None:
        self.stage, self.living, self.shops, self.sink = stage, living, shops, sink
        self._random = random.Random(f"{stage}/{seed}")
        self.launcher_too = self._random.random() < 0.3
        self.twice = self._random.random() < 0.3  # again while it recovers
        self.waited_s = 0.0
        self.back_s = 0.0

    def go(self) -> None:
        conversation = self._built()
        agent_id = conversation["agent_id"]
        person = self.living.person()
        person.switches(agent_id, True)
        run = self._ran(agent_id)
        self._check_run(run)
        self._check_books(conversation, run)

    def _cut(self, longest_s: float) -> None:
        self.waited_s = self._random.random() * longest_s
        time.sleep(self.waited_s)
        self.living.kill(launcher_too=self.launcher_too)
        if self.twice:
            self.living.start()
            time.sleep(self._random.random() * 1.5)
            self.living.kill()
        started = time.monotonic()
        self.living.start()
        self.back_s = time.monotonic() - started

    def _built(self) -> Json:
        person = self.living.person()
        body = {"text": the_sentence(self.shops), "timezone": "Asia/Seoul"}
        id = person.call("POST", "/api/v1/conversations", body)["id"]
        if self.stage == "look":
            self._cut(0.9)
        conversation = self.living.person().conversation(id, "proposed", "asking", "failed")
        assert conversation["state"] == "proposed", conversation["problem"]
        plan = conversation["plan"]
        decision = {
            "decision": "approve",
            "manifest_hash": plan["manifest_hash"],
            "secrets": {"SLACK_WEBHOOK_URL": self.sink.address},
        }
        self.living.person().call("POST", f"/api/v1/plans/{plan['id']}/decision", decision)
        if self.stage == "install":
            self._cut(1.5)
        if self.stage == "rehearsal":
            self.living.person().conversation(id, "testing", "ready", "failed")
            self._cut(2.0)
        ready = self.living.person().conversation(id, "ready", "failed")
        assert ready["state"] == "ready", ready["problem"]
        results = [m for m in ready["messages"] if m["kind"] == "result"]
        assert [m["data"]["state"] for m in results] == ["ready"], results
        assert self.sink.bodies == [], "the rehearsal sent something"
        return ready

    def _ran(self, agent_id: str) -> Json:
        person = self.living.person()
        if self.stage == "delivery":
            self.sink.hold = threading.Event()
        run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        if self.stage == "run":
            self._cut(2.5)
        if self.stage == "delivery":
            until(lambda: len(self.sink.bodies) > 0, lambda: "nothing was sent")
            self._cut(0.3)
            assert self.sink.hold is not None
            self.sink.hold.set()
            self.sink.hold = None
        over: Json = self.living.person().wait(
            f"/api/v1/runs/{run_id}", lambda r: r["status"] in _OVER and r["settled_at"]
        )
        return over

    def _check_run(self, run: Json) -> None:
        assert run["status"] == "succeeded", run["reason"]
        (delivery,) = self.living.person().call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"]
        assert len(self.sink.bodies) == 1, f"{len(self.sink.bodies)} messages arrived"
        cut_while_sending = delivery["status"] == "unknown"
        if self.stage == "delivery":
            assert cut_while_sending, delivery
        if cut_while_sending:
            assert run["outcome"] == "doubtful"
            notices = self.living.person().call("GET", "/api/v1/notices")["items"]
            asked = [n for n in notices if n["about"] == delivery["id"]]
            assert [n["needs_decision"] for n in asked] == [True], asked
        else:
            assert (run["outcome"], delivery["status"]) == ("delivered", "sent"), run["reason"]
        ends = [
            entry
            for entry in self.living.documents("executor", "run_entries")
            if entry["run_id"] == run["id"] and entry["kind"] == "status" and entry["data"]["status"] in _OVER
        ]
        # One when the code is over and the message still on its way, one when that has an end, too.
        assert [entry["data"]["outcome"] for entry in ends] == ["pending", run["outcome"]], ends

    def _check_books(self, conversation: Json, run: Json) -> None:
        person = self.living.person()
        states = person.call("GET", f"/api/v1/agents/{run['agent_id']}/state/versions")["items"]
        assert [state["run_id"] for state in states] == [run["id"]]
        until(lambda: len(self._usage(conversation, run)) == 2, lambda: str(self._usage(conversation, run)))
        assert person.call("GET", "/api/v1/dead-letters")["items"] == []
        person.wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)
        assert self.living.documents("gateway", "_claims") == []
        seqs = [
            e["seq"] for e in self.living.documents("executor", "run_entries") if e["run_id"] == run["id"]
        ]
        assert sorted(seqs) == list(range(1, len(seqs) + 1))

    def _usage(self, conversation: Json, run: Json) -> list[dict[str, Any]]:
        """One line for the rehearsal, one for the run."""
        ids = (run["id"], conversation["test_run_id"])
        return [entry for entry in self.living.documents("ledger", "usage") if entry.get("run_id") in ids]
