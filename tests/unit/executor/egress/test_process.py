"""`executor-egress` as it is started: a process beside the executor's, with nothing of it but the database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from services.executor.egress.carrier import Carrier, Patience
from services.executor.egress.front import PATH
from shared.agentfile.model import HostRule
from shared.clock import SystemClock
from shared.runtime.server import listen
from tests.unit.executor.egress.conftest import World
from tests.unit.executor.egress.elsewhere import Elsewhere

WAIT_S = 120  # a process starts
PRACTICE = "practice.agentbuilder.test"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    listening = listen(0)
    port = listening.getsockname()[1]
    variables = {**os.environ, "AB_DATA_DIR": str(tmp_path), "AB_PORT": str(port)}
    command = [sys.executable, "-m", "services.all_in_one", "--only", "executor-egress"]
    command += ["--fd", str(listening.fileno())]
    process = subprocess.Popen(command, env=variables, pass_fds=[listening.fileno()])
    listening.close()
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_S) == 0


def test_a_run_reaches_its_hosts_through_the_process_and_what_it_did_is_known(
    address: str, world: World, tmp_path: Path
) -> None:
    elsewhere = Elsewhere(world, tmp_path)
    recorder = elsewhere.recorder()
    ca = elsewhere.open(recorder, hosts=(HostRule(host=PRACTICE),))
    token = elsewhere.tokens.mint("att_1", SystemClock().now().replace(year=2100))
    carrier = Carrier(address, token, patience=Patience(first=WAIT_S))

    with elsewhere.code(carrier, ca) as code:
        answer = code.get(f"https://{PRACTICE}/", timeout=WAIT_S)
        refused = code.get("https://elsewhere.test/", timeout=WAIT_S)
    elsewhere.ways.close(recorder)
    record = recorder.taped.finish(1)

    assert (answer.status_code, refused.status_code) == (200, 403)
    assert {key: seen.requests for key, seen in recorder.hosts.items()} == {
        (PRACTICE, "practice"): 1,
        ("elsewhere.test", "refused"): 1,
    }
    assert record is not None
    assert record.complete
    assert [e.status for e in elsewhere.side.tapes.content(record).entries] == [200, 403]
    carrier.close()
    elsewhere.close()


def test_who_has_no_token_stays_outside(address: str) -> None:
    url = address.replace("http", "ws") + PATH
    for header in ({}, {"Authorization": "Bearer x.y"}, {"Authorization": "Basic eDp5"}):
        with pytest.raises(InvalidStatus) as refused:
            connect(url, additional_headers=header, proxy=None, open_timeout=WAIT_S)
        assert refused.value.response.status_code == 401
