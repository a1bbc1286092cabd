"""Records runs in a house with a network, replays them in one without, and says what was not the same.

As a program (`python -m tests.flows.replaying FOLDER`) it is the second house: it leaves the machine's network
for an empty one, and writes FOLDER/replayed.json.
"""

from __future__ import annotations

import ctypes
import fcntl
import io
import json
import os
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from services.executor.adapters.host import bubblewrap
from tests.flows.house import House
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, local
from tests.flows.person import Json, Person
from tests.flows.world_to_record import PACKAGES, Web, program

_ROOT = Path(__file__).parents[2]
_PRACTICE = {"host": "practice.agentbuilder.test", "effect": "read", "why": "연습"}
_NEWNET = 0x40000000  # linux/sched.h
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h


def record(house: House, web: Web, wanted: Iterable[tuple[str, int]]) -> list[Json]:
    """One live run for each (program, seed); an agent for each program. As the API shows them, with `program`."""
    person = house.person(patience_s=180)
    agents: dict[str, str] = {}
    runs = []
    for name, seed in wanted:
        if name not in agents:
            agents[name] = _agent(person, name, web.port)
        asked = person.call("POST", f"/api/v1/agents/{agents[name]}/runs", {"input": seed})
        runs.append({**person.run(asked["id"]), "program": name})
    return runs


def _agent(person: Person, name: str, port: int) -> str:
    hosts = [local(port, methods=["GET", "POST"], why="찾기만 해요"), _PRACTICE]
    main = LIVE_ONLY + program(name, port)
    data = agent_zip(main, hosts=hosts, state=True, packages=PACKAGES.get(name, ()))
    id: str = allowed(person, data)["agent_id"]
    return id


def replay_without_network(folder: Path, runs: Iterable[Json], port: int) -> dict[str, list[str]]:
    """What was not the same, by run. The house that recorded them must be closed; `port` was the web's, which a
    program may name only where such ports are open at all."""
    (folder / "recorded.json").write_text(json.dumps({"port": port, "runs": list(runs)}))
    command = [sys.executable, "-m", "tests.flows.replaying", str(folder)]
    if os.geteuid() != 0:
        # Without root a network of one's own comes with a user namespace; bubblewrap makes both.
        command = [str(bubblewrap()), "--dev-bind", "/", "/", "--unshare-net", *command]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    found: dict[str, list[str]] = json.loads((folder / "replayed.json").read_text())
    return found


def _alone() -> None:
    """Into a network that has nothing but itself."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEWNET):
            raise OSError(ctypes.get_errno(), "no network of our own")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            asked = struct.pack("16sh14x", b"lo", 0)
            flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))[1]
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    assert all(_is_down(name) for name in others), f"there is still a network: {others}"


def _is_down(name: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", name.encode(), 0)
        flags: int = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))[1]
    return not flags & _UP


def main(folder: Path) -> int:
    _alone()
    recorded: Json = json.loads((folder / "recorded.json").read_text())
    house = House(folder / "data", open_ports=(recorded["port"],)).open()
    try:
        person = house.person(patience_s=180)
        found = {run["id"]: not_the_same(person, run) for run in recorded["runs"]}
    finally:
        house.close()
    (folder / "replayed.json").write_text(json.dumps(found, ensure_ascii=False))
    return 0


def not_the_same(person: Person, run: Json) -> list[str]:
    """Replays one and looks at everything a person can look at, besides what the platform itself says."""
    asked = person.call("POST", f"/api/v1/runs/{run['id']}/replay", {})
    again = person.run(asked["id"])
    wrong = []
    if again["same"] is not True or again["differences"]:
        wrong.append(f"the platform says: {again['same']} {again['differences']} {again['reason']}")
    if (again["kind"], again["replay_of"]) != ("replay", run["id"]):
        wrong.append("it is no replay")
    if again["status"] != run["status"]:
        wrong.append(f"status {run['status']} -> {again['status']} {again['reason']}")
    before, after = (_requests(person, one["id"]) for one in (run, again))
    if before != after:
        wrong.append(f"requests {before} -> {after}")
    if [(d["channel"], d["text"], d["files"]) for d in run["deliveries"]] != [
        (d["channel"], d["text"], d["files"]) for d in again["deliveries"]
    ]:
        wrong.append(f"messages {run['deliveries']} -> {again['deliveries']}")
    if any(delivery["status"] != "shown" for delivery in again["deliveries"]):
        wrong.append("something was sent")
    if any(host["verdict"] != "replayed" for host in again["hosts"]):
        wrong.append(f"something went out: {again['hosts']}")
    if again["usage"]["input_tokens"] or again["usage"]["output_tokens"] or again["state_new"]:
        wrong.append("it cost something or was remembered")
    return wrong + _other_files(person, run["id"], again["id"])


def _requests(person: Person, run_id: str) -> list[Any]:
    """In their order; of those that were under way together nobody knows which was first."""
    items = person.call("GET", f"/api/v1/runs/{run_id}/tape")["items"]
    sent = [[i["method"], i["url"], i["request_text"], i["status"], i["answer_text"]] for i in items]
    together = [one for one in sent if "/slow" in one[1]]
    return [one for one in sent if one not in together] + sorted(together, key=lambda one: str(one[1]))


def _other_files(person: Person, before_id: str, after_id: str) -> list[str]:
    before, after = (_files(person, id) for id in (before_id, after_id))
    if set(before) != set(after):
        return [f"files {sorted(before)} -> {sorted(after)}"]
    return [f"{name} differs" for name in before if decoded(name, before[name]) != decoded(name, after[name])]


def _files(person: Person, run_id: str) -> dict[str, bytes]:
    items = person.call("GET", f"/api/v1/runs/{run_id}/artifacts")["items"]
    found = {}
    for item in items:
        data = person.call("GET", item["download_url"])
        found[item["name"]] = data if isinstance(data, bytes) else json.dumps(data).encode()
    return found


def decoded(name: str, data: bytes) -> object:
    """What a file shows, by a library that the platform does not use."""
    if name.endswith(".png"):
        with Image.open(io.BytesIO(data)) as image:
            return image.size, image.convert("RGBA").tobytes()
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {one: decoded(one, archive.read(one)) for one in archive.namelist()}
    return data


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
