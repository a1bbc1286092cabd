"""What only happens elsewhere: lost answers, doubled starts, containers that die, an executor that is new."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from services.executor.environments.packed import Packed
from services.executor.ports import Ended, RunLimits
from services.executor.run_api.parcels import pack
from shared.blobs.files import FileBlobs
from shared.errors import BadRequest, Misconfigured, NotFound, ProjectError, Unavailable
from shared.ids import RandomIds
from tests.cloud_runs import PROOF
from tests.contract.remote_sandbox import RemoteHouse
from tests.contract.sandbox_runs import Bench, LastingRecordingSink
from tests.fakes.cloud_run import Fault
from tests.fakes.linked_blobs import LinkedBlobs

_FOREVER = "import time\nprint('going', flush=True)\ntime.sleep(600)"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[RemoteHouse]:
    tmp_path.chmod(0o755)
    made = RemoteHouse(tmp_path / "house")
    yield made
    made.close()


@pytest.fixture
def bench(house: RemoteHouse, tmp_path: Path) -> Bench:
    return Bench(house.sandbox, tmp_path)


def test_a_start_whose_answer_is_lost_is_found_again_and_made_once(house: RemoteHouse, bench: Bench) -> None:
    house.google.faults.append(Fault(lost=True))

    sink, result = bench.run("print('once')")

    assert (result.reason, sink.text) == ("exited", "once\n")
    assert house.google.calls.count("run") == 1


def test_a_start_that_is_not_listed_is_known_by_its_own_call(house: RemoteHouse, bench: Bench) -> None:
    house.google.faults.append(Fault(lost=True))
    house.google.unlisted = True

    sink, result = bench.run("print('once')")

    assert (result.reason, sink.text) == ("exited", "once\n")


def test_a_start_that_never_shows_is_lost_and_when_it_comes_after_all_it_does_nothing(
    house: RemoteHouse, bench: Bench
) -> None:
    late = threading.Event()
    house.google.faults.append(Fault(lost=True, held=late))
    house.google.unlisted = True
    order = bench.order("print('never')")

    result = bench.start(order).wait()
    house.sandbox.release(order.id)
    late.set()

    assert result.reason == "lost"
    assert house.google.settled(1) == ["The container exited with status 3."]
    assert "there is nothing to do" in house.google.said()


def test_a_claim_without_an_answer_is_never_made_into_a_second_execution(
    house: RemoteHouse, bench: Bench
) -> None:
    order = bench.order("print('never')")
    house.claims.make(order.id, "ab-run-small")

    sink = bench.start(order)

    assert sink.wait().reason == "lost"
    assert house.google.calls.count("run") == 0


def test_of_two_executions_of_one_claim_one_runs_the_code(house: RemoteHouse, bench: Bench) -> None:
    house.google.faults.append(Fault(twice=True))

    sink, result = bench.run("print('once')")

    assert (result.reason, sink.text) == ("exited", "once\n")
    assert sorted(house.google.settled(2)) == ["", "The container exited with status 3."]


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Unavailable, "no more runs at once"),
        (grpc.StatusCode.PERMISSION_DENIED, Misconfigured, "abRunStarter"),
        (grpc.StatusCode.NOT_FOUND, Misconfigured, "terraform apply"),
        (grpc.StatusCode.FAILED_PRECONDITION, Misconfigured, "refused to start"),
    ],
)
def test_a_refused_start_says_why_and_may_be_made_again(
    house: RemoteHouse, bench: Bench, status: grpc.StatusCode, error: type[ProjectError], says: str
) -> None:
    house.google.faults.append(Fault(refuse=status))
    order = bench.order("print('then')")

    with pytest.raises(error, match=says):
        bench.start(order)
    again = bench.start(order)

    assert again.wait().reason == "exited"
    assert again.text == "then\n"


def test_an_attempt_is_lost_when_its_container_dies(house: RemoteHouse, bench: Bench) -> None:
    sink = bench.start(bench.order(_FOREVER))
    assert sink.printed.wait(60)

    house.google.kill()

    result = sink.wait()
    assert result.reason == "lost"
    assert "exited with status" in result.detail


def test_an_attempt_stopped_before_its_container_began_ends_as_stopped(
    house: RemoteHouse, bench: Bench
) -> None:
    held = threading.Event()
    house.google.faults.append(Fault(held=held))
    order = bench.order("print('never')")
    sink = bench.start(order)

    house.sandbox.stop(order.id)
    held.set()

    assert sink.wait().reason == "stopped"
    assert sink.stdout == b""


def test_a_cancelled_run_hands_in_what_it_had(house: RemoteHouse, bench: Bench) -> None:
    order = bench.order("open('outputs/half', 'w').write('1')\n" + _FOREVER)
    sink = bench.start(order)
    assert sink.printed.wait(60)

    house.sandbox.stop(order.id)

    result = sink.wait()
    assert result.reason == "stopped"
    assert result.box is not None
    assert (result.box / "outputs" / "half").read_text() == "1"
    assert house.google.calls.count("cancel") == 1


def test_reports_wait_for_an_executor_that_is_away(house: RemoteHouse, bench: Bench) -> None:
    sink = bench.start(
        bench.order("import time\nprint('one', flush=True)\ntime.sleep(4)\nprint('two', flush=True)")
    )
    assert sink.printed.wait(60)

    with house.away(4):
        pass

    assert sink.wait().reason == "exited"
    assert sink.text == "one\ntwo\n"


def test_a_container_whose_network_is_late_asks_until_it_is_answered(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    house = RemoteHouse(tmp_path / "house")
    try:
        bench = Bench(house.sandbox, tmp_path)
        with house.away(4):
            sink = bench.start(bench.order("print('late')"))
        assert sink.wait().reason == "exited"
    finally:
        house.close()


def test_a_new_life_of_the_executor_cancels_what_the_last_one_left(house: RemoteHouse, bench: Bench) -> None:
    order = bench.order(_FOREVER)
    sink = bench.start(order)
    assert sink.printed.wait(60)

    house.sandbox = house.another()
    house.sandbox.sweep(())
    after = Bench(house.sandbox, bench.folder / "after")
    after.folder.mkdir()
    again = after.start(order)

    assert house.google.settled(1) == [""]  # cancelled
    assert again.wait().reason == "lost"
    assert again.stdout == b""
    assert house.google.calls.count("run") == 1


def test_nothing_runs_before_a_job_has_proven_its_sandbox_and_asking_makes_one_try(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    held = threading.Event()
    house = RemoteHouse(tmp_path / "house", proven=None)
    house.google.faults.append(Fault(held=held))
    try:
        bench = Bench(house.sandbox, tmp_path)
        for _ in range(2):
            with pytest.raises(Unavailable, match="has shown yet that its sandbox holds"):
                bench.start(bench.order("print('never')"))

        assert house.google.asked.acquire(timeout=60)
        house.proofs.write(PROOF)
        assert bench.run("print('now')")[0].text == "now\n"
        assert house.google.calls.count("run") == 2
    finally:
        held.set()
        house.close()


def test_what_is_cleared_at_a_start_is_not_the_proof_that_start_has_begun(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    held = threading.Event()
    house = RemoteHouse(tmp_path / "house", proven=None)
    house.google.faults.append(Fault(held=held))
    try:
        house.sandbox.enforcement()
        assert house.google.asked.acquire(timeout=60)

        house.sandbox.sweep(())

        assert house.google.calls == ["run"]
    finally:
        held.set()
        house.close()


@pytest.mark.parametrize("proven", [True, False], ids=["of the same version", "of a version not yet proven"])
def test_a_lasting_attempt_goes_on_in_a_new_life(proven: bool, house: RemoteHouse, bench: Bench) -> None:
    went_out: list[socket.socket] = []

    def egress(listener: socket.socket) -> str:
        went_out.append(listener)
        return "PEM"

    order = bench.order(
        "import socket\n"
        "out = socket.create_connection(('127.0.0.1', 3128))\n"
        "print('one', flush=True)\n"
        "out.recv(1)\n"
        "print('two')\nopen('outputs/left', 'w').write('3')",
        egress=egress,
    )
    first = LastingRecordingSink()
    house.sandbox.start(order, first)
    assert first.printed.wait(60)
    _wait_for(lambda: first.text == "one\n" and first.kept["number"] == 2)
    if not proven:
        house.google.faults.append(Fault(refuse=grpc.StatusCode.RESOURCE_EXHAUSTED))
        house.proofs.write(PROOF.model_copy(update={"version": "another"}))
        house.forget_proof()

    held, _ = went_out[0].accept()

    house.sandbox.close()
    house.sandbox = house.another()
    after = LastingRecordingSink(kept=first.kept)
    house.sandbox.start(order, after)
    house.sandbox.sweep([order.id])
    held.sendall(b"!")
    held.close()
    result = after.wait()

    assert (result.reason, first.calls, after.calls) == (
        "exited",
        ["first_line", "log"],
        ["log", "ended"],
    )
    assert (first.text, after.text) == ("one\n", "two\n")
    assert result.box is not None
    assert (result.box / "outputs" / "left").read_text() == "3"
    assert house.google.running, "its process waits until its end is written down"
    house.sandbox.release(order.id)
    assert house.google.settled(len(house.google.jobs_run))[0] == ""
    assert house.google.calls.count("cancel") == 0


def test_a_stop_is_remembered_by_the_next_life(house: RemoteHouse, bench: Bench) -> None:
    order = bench.order(_FOREVER)
    first = LastingRecordingSink()
    house.sandbox.start(order, first)
    assert first.printed.wait(60)
    _wait_for(lambda: first.kept["number"] == 2)
    house.sandbox.close()
    house.sandbox = house.another()

    house.google.deaf = True
    house.sandbox.stop(order.id)  # nobody hears it yet, and Google does not, either
    house.google.deaf = False
    after = LastingRecordingSink(kept=first.kept)
    house.sandbox.start(order, after)

    assert after.wait().reason == "stopped"
    house.sandbox.release(order.id)
    assert house.google.settled(1) == [""]


def test_what_nobody_hears_is_asked_for_again_while_it_may_go_on(house: RemoteHouse, bench: Bench) -> None:
    order = bench.order("print('once')")
    token = house.tokens.mint(order.id, house.clock.now() + timedelta(hours=1))

    def take_up(attempt_id: str) -> bool:
        assert attempt_id == order.id
        raise Unavailable("soon")

    with pytest.raises(NotFound):
        house.sandbox.attempt(token)
    house.sandbox.take_up = take_up
    with pytest.raises(Unavailable):
        house.sandbox.attempt(token)


def _wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    "found",
    [
        PROOF.model_copy(update={"version": "another"}),
        PROOF.model_copy(update={"escaped": ("fs-escape",)}),
    ],
    ids=["of other code", "with an escape"],
)
def test_a_proof_of_other_code_or_with_an_escape_is_none(tmp_path: Path, found: object) -> None:
    house = RemoteHouse(tmp_path / "house", proven=found)  # type: ignore[arg-type]
    house.google.faults.append(Fault(refuse=grpc.StatusCode.RESOURCE_EXHAUSTED))
    try:
        assert "all" in house.sandbox.enforcement().missing
    finally:
        house.close()


def test_an_attempt_takes_the_smallest_job_that_holds_it(house: RemoteHouse, bench: Bench) -> None:
    large = RunLimits(memory_bytes=600 << 20)

    bench.run("", egress=lambda listener: listener.close() or "PEM")
    bench.run("", egress=lambda listener: listener.close() or "PEM", limits=large)
    with pytest.raises(BadRequest, match="smaller limit"):
        bench.run("", limits=RunLimits(memory_bytes=8 << 30))

    assert house.google.jobs_run == ["ab-run-small", "ab-run-large"]


@pytest.mark.parametrize("linked", [True, False], ids=["by links", "through the Run API"])
def test_packages_come_from_the_bucket_and_are_checked(linked: bool, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = tmp_path / "made" / "lodge"
    made.mkdir(parents=True)
    (made / "__init__.py").write_text("Y = 2")
    data = b"".join(pack(made.parent))
    file = tmp_path / "packages.tar"
    file.write_bytes(data)
    site = tmp_path / "nowhere" / "env_0123456789"
    with LinkedBlobs(tmp_path / "blobs") as blobs:
        kept = blobs if linked else FileBlobs(tmp_path / "blobs", RandomIds())
        house = RemoteHouse(tmp_path / "house", blobs=kept)
        try:
            house.sandbox.packed.take_in("bld_1", file)
            packed = Packed(hashlib.sha256(data).hexdigest(), len(data))
            house.sandbox.packed.keep("bld_1", site.name, "", packed)
            bench = Bench(house.sandbox, tmp_path)
            code = "import lodge\nprint(lodge.Y)"

            assert [bench.run(code, site_dirs=(site,))[0].text for _ in range(2)] == ["2\n", "2\n"]
            assert len(blobs.fetched) == (2 if linked else 0)

            kept.put_file(f"executor/packages/{site.name}.tar", Path(__file__))
            result = bench.run(code, site_dirs=(site,))[1]
            assert result.reason == "unstartable"
        finally:
            house.close()


def test_the_token_is_nowhere_the_code_can_see(house: RemoteHouse, bench: Bench) -> None:
    code = (
        "import os, pathlib\n"
        "seen = str(dict(os.environ))\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/*'):\n"
        "    if path.name in ('environ', 'cmdline'):\n"
        "        try: seen += path.read_text(errors='replace')\n"
        "        except OSError: pass\n"
        "print('AB_' in seen, 'run-api' in seen)"
    )

    sink, result = bench.run(code)

    assert isinstance(result, Ended)
    assert sink.text == "False False\n"
