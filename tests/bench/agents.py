"""Agents to measure with, brought in as a person would: imported, allowed, rehearsed, switched on."""

from __future__ import annotations

import io
import json
import zipfile

from tests.bench.application import Client

# The first line a person could have written; what it prints comes back with the run's logs.
NOTHING = "import time\nprint(time.time_ns())\n"
_NOTHING_FILE = """[agent]
name = "Nothing {number}"
language = "en"
packages = {packages}

[manifest]
limits = {{ wall_s = 60, memory_mb = {memory_mb}, disk_mb = 16, processes = 4 }}
"""
CHECKED = "import time\nprint(time.time_ns())\nopen('outputs/table.csv', 'w').write('a,b\\n1,2\\n')\n"
_CHECKED_FILE = (
    _NOTHING_FILE
    + """
[[contract]]
check = "rows"
says = "There is a row."
path = "outputs/table.csv"
min = 1
"""
)


def bring_in(
    client: Client,
    number: int,
    *,
    checked: bool = False,
    code: str = "",
    packages: tuple[str, ...] = (),
    memory_mb: int = 64,
) -> str:
    """The id of an agent that is on and does nothing (or `code`), or with `checked` leaves one file that is
    measured. RuntimeError when it never became ready."""
    text = (_CHECKED_FILE if checked else _NOTHING_FILE).format(
        number=number, packages=json.dumps(packages), memory_mb=memory_mb
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("agent.toml", text)
        archive.writestr("main.py", code or (CHECKED if checked else NOTHING))
    id = client.call("POST", "/api/v1/agents/import", made.getvalue())["conversation_id"]
    path = f"/api/v1/conversations/{id}"
    proposed = client.wait(path, "state", "proposed", "failed")
    if proposed["state"] == "failed":
        raise RuntimeError(proposed["problem"])
    plan = proposed["plan"]
    decision = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
    agent_id: str = client.call("POST", f"/api/v1/plans/{plan['id']}/decision", decision)["agent_id"]
    ready = client.wait(path, "state", "ready", "failed")
    if ready["state"] == "failed":
        raise RuntimeError(ready["problem"])
    client.call("PATCH", f"/api/v1/agents/{agent_id}", {"enabled": True})
    return agent_id
