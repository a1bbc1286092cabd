"""One attempt that runs elsewhere: who may speak for it, what is heard of it, and how it ends."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import JsonValue

from services.executor.adapters.remote_attempt import RemoteAttempt, Surroundings
from services.executor.ports import Ended, Mark, Order, RunLimits, Superseded, Usage
from services.executor.routes import run_api
from services.executor.run_api.messages import (
    BOX,
    ENDING,
    PART_MISSING,
    REPORTS,
    WORK,
    EndingTold,
    Report,
    Reports,
    Work,
    WorkAsked,
    ending_of,
)
from services.executor.run_api.parcels import pack
from shared.clock import FakeClock
from shared.errors import BadRequest, Conflict, DecodeError, NotAllowed, NotFound, TooLarge
from shared.vault.keyfile import Key, KeyfileKeyring
from shared.vault.run_tokens import AttemptTokens
from tests.contract.sandbox_runs import LastingRecordingSink, RecordingSink

FIRST, SECOND = "prc_first", "prc_second"
WELL = Ended("exited", 0, Usage(1, 2, 3, 4))


class Elsewhere:
    """An attempt, and whose sink it tells."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        (folder / "code").mkdir()
        (folder / "code" / "main.py").write_text("print(1)")
        self.sink: RecordingSink = RecordingSink()
        around = Surroundings(folder / "room", "v1", "", FakeClock())
        self.attempt = RemoteAttempt(
            replace(Order("att_1", folder / "code"), **changes), self.sink, "job", around
        )

    def begin(self, instance: str = FIRST) -> Work:
        return self.attempt.work(WorkAsked(instance=instance, version="v1"))

    def report(self, *reports: Report, instance: str = FIRST) -> str | None:
        return self.attempt.hear(Reports(instance=instance, reports=reports))

    def end(self, ended: Ended = WELL, data: bytes | None = None, digest: str = "") -> None:
        size = None if data is None else len(data)
        self.attempt.end(ending_of(FIRST, ended, size, digest or hashlib.sha256(data or b"").hexdigest()))


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Elsewhere]:
    return lambda **changes: Elsewhere(tmp_path, **changes)


Make = Callable[..., Elsewhere]


def test_the_first_that_asks_has_the_work_and_may_ask_again(make: Make) -> None:
    there = make(input={"이름": 1}, files={"a": b"\xff"}, seed=b"\0" * 32)

    work = there.begin()

    assert there.begin() == work == Work.model_validate_json(work.model_dump_json())
    assert (work.input, work.files, work.seed) == ({"이름": 1}, {"a": b"\xff"}, b"\0" * 32)
    with pytest.raises(Conflict):
        there.begin(SECOND)
    with pytest.raises(Conflict):
        there.report(instance=SECOND)
    with pytest.raises(Conflict):
        there.attempt.take_box(SECOND, 0, b"x")


def test_an_image_of_another_version_gets_nothing_and_the_attempt_ends(make: Make) -> None:
    there = make()

    with pytest.raises(NotAllowed):
        there.attempt.work(WorkAsked(instance=FIRST, version="v2"))

    assert there.sink.wait().reason == "unstartable"


def test_what_comes_twice_is_heard_once(make: Make) -> None:
    there = make()
    there.begin()
    first, line = Report(number=1, kind="first_line"), Report(number=2, kind="stdout", data=b"one\n")

    there.report(first, line)
    there.report(line, Report(number=3, kind="entry", entry={"kind": "step", "name": "둘"}))

    assert there.sink.calls == ["first_line", "log", "report"]
    with pytest.raises(BadRequest):
        there.report(Report(number=5, kind="stdout", data=b"a report is missing"))


def test_no_more_is_heard_than_one_machines_sandbox_would_let_through(make: Make) -> None:
    there = make(limits=RunLimits(output_bytes=6))
    there.begin()

    there.report(
        Report(number=1, kind="stdout", data=b"before the first line"),
        Report(number=2, kind="first_line"),
        Report(number=3, kind="first_line"),
        Report(number=4, kind="stdout", data=b"12345"),
        Report(number=5, kind="stderr", data=b"6789"),
        Report(number=6, kind="entry", entry={"kind": "result", "status": "succeeded"}),
        Report(number=7, kind="entry", entry={"kind": "step", "name": [[[[[[[[[1]]]]]]]]]}),
        Report(number=8, kind="entry", entry={"kind": "bound", "name": "memory"}),
        Report(number=9, kind="entry", entry={"kind": "cut"}),
    )

    assert there.sink.calls == ["first_line", "log", "log", "report"]
    assert (there.sink.stdout, there.sink.stderr) == (b"12345", b"6")
    assert there.sink.reports == [{"kind": "cut"}]


def test_nothing_is_heard_after_the_end_and_the_end_may_be_told_again(make: Make) -> None:
    there = make()
    there.begin()

    there.end()
    there.end()

    assert there.sink.calls == ["ended"]
    assert there.sink.wait() == WELL
    with pytest.raises(NotFound):
        there.report(Report(number=1, kind="first_line"))
    with pytest.raises(NotFound):
        there.begin()


def test_the_reason_it_was_stopped_for_wins(make: Make) -> None:
    there = make()
    there.begin()
    there.attempt.reason = "stopped"

    assert there.report() == "stopped"
    there.end()

    assert (there.sink.wait().reason, there.sink.wait().exit_code) == ("stopped", None)


def test_what_was_left_is_taken_in_as_it_was_announced_or_not_at_all(make: Make, tmp_path: Path) -> None:
    there = make()
    there.begin()
    (tmp_path / "box" / "outputs").mkdir(parents=True)
    (tmp_path / "box" / "outputs" / "a.csv").write_text("x,y")
    tar = b"".join(pack(tmp_path / "box", left_by_code=True))

    there.attempt.take_box(FIRST, 0, tar[:1000])
    with pytest.raises(Conflict):
        there.attempt.take_box(FIRST, 2000, tar[2000:])
    there.attempt.take_box(FIRST, 1000, tar[1000:])
    there.attempt.take_box(FIRST, 1000, tar[1000:])  # again: the answer was lost
    there.end(data=tar)

    box = there.sink.wait().box
    assert box is not None
    assert (box / "outputs" / "a.csv").read_text() == "x,y"
    there.attempt.remove()
    assert not box.exists()


@pytest.mark.parametrize("harm", ["other bytes", "more"])
def test_an_end_whose_box_is_another_is_refused(make: Make, tmp_path: Path, harm: str) -> None:
    there = make()
    there.begin()
    announced = b"".join(pack(tmp_path / "code"))
    (tmp_path / "code" / "main.py").write_text("print(2)")
    other = {
        "other bytes": b"".join(pack(tmp_path / "code")),
        "more": announced + bytes(512),
    }[harm]
    there.attempt.take_box(FIRST, 0, other)

    with pytest.raises(DecodeError):
        there.end(data=announced)

    assert there.sink.calls == []


def test_more_than_an_attempt_may_leave_is_refused_at_once(make: Make) -> None:
    there = make(limits=RunLimits(disk_bytes=1000, inodes=1))
    there.begin()

    with pytest.raises(TooLarge):
        there.attempt.take_box(FIRST, 2 << 20, b"x")


def test_the_way_out_is_opened_once_and_closed_with_the_end(make: Make) -> None:
    given: list[socket.socket] = []

    def egress(listener: socket.socket) -> str:
        given.append(listener)
        return "PEM"

    there = make(egress=egress)
    work = there.begin()
    there.begin()

    assert work.way_out is not None
    assert work.way_out.ca_pem == "PEM"
    assert len(given) == 1
    there.end()
    assert given[0].fileno() == -1


def lasting(there: Elsewhere, kept: Mark) -> Elsewhere:
    """The attempt as another process of the executor sees it, after that mark."""
    sink = LastingRecordingSink(kept=kept)
    order = there.attempt.order
    around = Surroundings(order.code_dir.parent / "room", "v1", "ws://away", FakeClock())
    there.sink, there.attempt = sink, RemoteAttempt(order, sink, "job", around)
    return there


def kept_by(there: Elsewhere) -> Mark:
    assert isinstance(there.sink, LastingRecordingSink)
    return there.sink.kept


STEP: dict[str, JsonValue] = {"kind": "step", "name": "하나"}


def test_another_process_goes_on_where_the_first_was(make: Make) -> None:
    there = lasting(
        make(limits=RunLimits(output_bytes=6), egress=lambda listener: listener.close() or "PEM"), {}
    )
    work = there.begin()
    there.report(
        Report(number=1, kind="first_line"),
        Report(number=2, kind="stdout", data=b"1234"),
        Report(number=3, kind="entry", entry=STEP),
    )

    again = lasting(there, kept_by(there))
    again.report(
        Report(number=3, kind="entry", entry=STEP),
        Report(number=4, kind="first_line"),
        Report(number=5, kind="stdout", data=b"5678"),
    )

    assert again.sink.calls == ["log"]
    assert again.sink.stdout == b"56"
    assert again.begin().way_out == work.way_out
    with pytest.raises(Conflict):
        again.begin(SECOND)


def test_nothing_is_answered_before_it_is_written_down(make: Make) -> None:
    there = lasting(make(), {})
    assert isinstance(there.sink, LastingRecordingSink)
    there.begin()
    there.sink.taken = True

    with pytest.raises(Superseded):
        there.report(Report(number=1, kind="first_line"))
    with pytest.raises(Superseded):
        there.begin()


def test_an_end_is_known_when_it_is_written_down(make: Make) -> None:
    there = lasting(make(), {})
    there.begin()
    told = ending_of(FIRST, WELL, None, "")

    assert not there.attempt.end(told)
    assert there.sink.calls == ["ended"]
    there.attempt.known()
    assert there.attempt.end(told)
    assert there.sink.calls == ["ended"]


def test_who_lags_behind_refuses_nobody(make: Make) -> None:
    """Another process has heard more: what seems wrong here is right there."""
    there = lasting(make(), {})
    assert isinstance(there.sink, LastingRecordingSink)
    there.sink.taken = True

    with pytest.raises(Superseded):
        there.report(Report(number=7, kind="first_line"))
    with pytest.raises(Superseded):
        there.end()
    there.sink.taken = False
    with pytest.raises(Conflict):
        there.report()


def test_a_box_of_which_nothing_is_here_is_asked_for_again(make: Make) -> None:
    there = make()
    there.begin()

    with pytest.raises(Conflict) as refused:
        there.end(data=b"something")

    assert refused.value.code == PART_MISSING


class Desk:
    """Attempts by their tokens, over HTTP."""

    def __init__(self, there: Elsewhere) -> None:
        self.clock = FakeClock()
        self.tokens = AttemptTokens(KeyfileKeyring((Key("a", bytes(32)),)), self.clock)
        self._there = there
        app = run_api(self)
        assert app is not None
        self.client: FlaskClient = app.test_client()

    def attempt(self, token: str) -> RemoteAttempt:
        if self.tokens.read(token) != "att_1":
            raise NotFound("This attempt is over.", code="attempt_over")
        return self._there.attempt

    def post(
        self, path: str, message: WorkAsked | Reports | EndingTold, attempt: str = "att_1", hours: int = 1
    ) -> int:
        token = self.tokens.mint(attempt, self.clock.now() + timedelta(hours=hours))
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post(path, data=message.model_dump_json(), headers=headers).status_code


def test_a_token_of_another_attempt_or_an_expired_one_or_none_opens_nothing(make: Make) -> None:
    desk = Desk(make())
    asked = WorkAsked(instance=FIRST, version="v1")

    assert desk.post(WORK, asked, attempt="att_2") == 404
    assert desk.post(WORK, asked, hours=-1) == 401
    assert desk.client.post(WORK, data=asked.model_dump_json()).status_code == 401
    assert desk.client.put(f"{BOX}/{FIRST}/0", data=b"x").status_code == 401
    assert desk.post(WORK, asked) == 200


def test_a_finished_attempts_token_is_refused_and_told_why(make: Make) -> None:
    there = make()
    desk = Desk(there)
    desk.post(WORK, WorkAsked(instance=FIRST, version="v1"))

    assert desk.post(ENDING, ending_of(FIRST, WELL, None, "")) == 200
    token = desk.tokens.mint("att_1", desk.clock.now() + timedelta(hours=1))
    refused = desk.client.post(
        REPORTS, data=Reports(instance=FIRST).model_dump_json(), headers={"Authorization": f"Bearer {token}"}
    )

    assert refused.status_code == 404
    assert b"attempt_over" in refused.data


def test_what_is_no_message_is_refused(make: Make) -> None:
    desk = Desk(make())
    token = desk.tokens.mint("att_1", desk.clock.now() + timedelta(hours=1))

    for path in (WORK, REPORTS, ENDING):
        for data in (b"", b"[]", b'{"instance": 1}', b"\xff" * 100):
            answer = desk.client.post(path, data=data, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 400
