"""The process around a sandbox elsewhere: what it asks for, what it says, when it gives up."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from pathlib import Path

import pytest

from services.executor.egress.identity import GoogleIdentity, identity
from services.executor.ports import Ended, Order, Usage
from services.executor.run_api.messages import (
    ENDING,
    PROOF,
    REPORTS,
    WORK,
    EndingTold,
    JobProof,
    Parcel,
    Reports,
    ending_of,
    work_of,
)
from services.executor.siege.cases import read
from services.executor.task.calls import NotOurs
from services.executor.task.doctor import examine
from services.executor.task.reporter import Reporter
from services.executor.task.work import Attempting
from shared.errors import DecodeError, Misconfigured, Unavailable
from shared.runtime.settings import runner_from_environment
from tests.fakes.sandbox import FakeSandbox
from tests.unit.executor.sandbox.asked import CLOCK, Serve, api


def test_what_is_not_answered_is_asked_again(serve: Serve) -> None:
    asked: list[str] = []

    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        asked.append(headers["Authorization"])
        return (503, b"") if len(asked) < 3 else (200, b'{"stop": "stopped"}')

    assert api(serve(answer)).report(()) == "stopped"
    assert asked == ["Bearer token"] * 3


def test_it_gives_up_when_nobody_answers_for_long(serve: Serve) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        api(serve(lambda path, body, headers: (500, b"")), patience_s=0).work("v1")


def test_what_was_begun_is_told_for_longer_than_anybody_is_waited_for_at_first(serve: Serve) -> None:
    answers = iter([500, 503, 500])

    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        return next(answers, 200), b'{"stop": null}'

    assert api(serve(answer), patience_s=0).report(()) is None


def test_the_end_is_told_until_it_is_written_down(serve: Serve) -> None:
    answers = iter([b'{"known": false}', b'{"known": false}', b'{"known": true}'])
    told = ending_of("prc_1234567", Ended("exited", 0, Usage()), None, "")

    api(serve(lambda path, body, headers: (200, next(answers)))).end(told)

    assert next(answers, None) is None


class Desk:
    """An executor that forgets, once, what was handed in: before a part, or before the end."""

    def __init__(self, forgets: str) -> None:
        self._forgets = forgets
        self.box = b""
        self.told: EndingTold | None = None
        self.parts: list[int] = []

    def answer(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        missing = 409, b'{"code": "part_missing"}'
        if path == WORK:
            work = work_of(Order("att_1", Path()), (Parcel(place="code", url="/run-api/v1/folders/0"),), None)
            return 200, work.model_dump_json().encode()
        if path.startswith("/run-api/v1/folders"):
            return 200, tar("import os\nopen('outputs/much', 'wb').write(os.urandom(9 << 20))")
        if path == REPORTS:
            return 200, b'{"stop": null}'
        if path == ENDING:
            if self._forgets == "before the end":
                self.box, self._forgets = b"", ""
                return missing
            self.told = EndingTold.model_validate_json(body)
            return 200, b'{"known": true}'
        offset = int(path.rpartition("/")[2])
        self.parts.append(offset)
        if offset and self._forgets == "before a part":
            self.box, self._forgets = b"", ""
        if offset > len(self.box):
            return missing
        self.box = self.box[:offset] + body
        return 200, b""


@pytest.mark.parametrize("forgets", ["before a part", "before the end"])
def test_what_was_left_is_handed_in_again_to_an_executor_that_has_not_all_of_it(
    serve: Serve, tmp_path: Path, forgets: str
) -> None:
    desk = Desk(forgets)
    attempting = Attempting(
        api(serve(desk.answer)),
        tmp_path,
        FakeSandbox,
        lambda way_out: pytest.fail("it has no way out"),
        CLOCK,
        threading.Event(),
        "v1",
    )

    assert attempting.run()

    assert desk.parts.count(0) == 2
    assert desk.told is not None
    digest = hashlib.sha256(desk.box).hexdigest()
    assert (desk.told.box_bytes, desk.told.box_sha256) == (len(desk.box), digest)


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_refusal_is_not_asked_again(serve: Serve, status: int) -> None:
    asked: list[str] = []

    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        asked.append(path)
        return status, b""

    with pytest.raises(NotOurs):
        api(serve(answer)).report(())

    assert len(asked) == 1


def tar(text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        info = tarfile.TarInfo("main.py")
        info.size = len(text)
        made.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def test_a_folder_that_is_not_what_its_hash_says_is_not_used(serve: Serve, tmp_path: Path) -> None:
    url = serve(lambda path, body, headers: (200, tar("print(1)")))
    signed = Parcel(place="site", url=f"{url}/bucket/file", sha256="0" * 64)

    with pytest.raises(DecodeError):
        api("http://127.0.0.1:1").fetch(signed, tmp_path / "site")


def test_only_the_executor_is_shown_the_token(serve: Serve, tmp_path: Path) -> None:
    shown: dict[str, str | None] = {}

    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        shown[path] = headers.get("Authorization")
        return 200, tar("print(1)")

    url = serve(answer)
    api(url).fetch(Parcel(place="code", url="/run-api/v1/folders/0"), tmp_path / "code")
    api(url).fetch(Parcel(place="site", url=f"{url}/bucket/file"), tmp_path / "site")

    assert shown == {"/run-api/v1/folders/0": "Bearer token", "/bucket/file": None}
    assert (tmp_path / "site" / "main.py").read_text() == "print(1)"


def test_reports_are_numbered_in_order_and_all_are_sent_before_the_end(serve: Serve) -> None:
    heard: list[tuple[int, str]] = []
    beats = threading.Semaphore(0)

    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        beats.release()
        heard.extend((one.number, one.kind) for one in Reports.model_validate_json(body).reports)
        return 200, b'{"stop": null}'

    reporter = Reporter(api(serve(answer)), CLOCK, threading.Event())
    assert beats.acquire(timeout=20)
    assert beats.acquire(timeout=20)  # a sign of life without anything to say
    reporter.first_line()
    for _ in range(40):
        reporter.log("stdout", b"x" * 60_000)
    reporter.report({"kind": "step", "name": "둘"})
    reporter.ended(Ended("exited", 0, Usage()))
    reporter.close()

    kinds = ["first_line", *["stdout"] * 40, "entry"]
    assert heard == list(enumerate(kinds, 1))
    assert not reporter.abandoned


def test_an_attempt_is_ended_when_the_executor_says_so_or_does_not_want_it(serve: Serve) -> None:
    stopped, unwanted = threading.Event(), threading.Event()
    told = Reporter(api(serve(lambda path, body, headers: (200, b'{"stop": "memory"}'))), CLOCK, stopped)
    dropped = Reporter(api(serve(lambda path, body, headers: (404, b""))), CLOCK, unwanted)

    assert stopped.wait(20)
    assert unwanted.wait(20)
    assert (told.why, told.abandoned, dropped.abandoned) == ("memory", False, True)
    for _ in range(2):
        dropped.log("stdout", b"x" * (8 << 20))  # blocks nobody
    told.close()
    dropped.close()


def test_who_it_is_to_google_is_asked_once_in_half_an_hour(serve: Serve) -> None:
    asked: list[str] = []

    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        asked.append(f"{path} {headers['Metadata-Flavor']}")
        return 200, b"jwt"

    known = GoogleIdentity("https://executor.example", CLOCK, serve(answer))

    assert known.headers() == known.headers() == {"X-Serverless-Authorization": "Bearer jwt"}
    assert asked == ["/?audience=https%3A%2F%2Fexecutor.example Google"]
    assert identity("http://127.0.0.1:1", CLOCK)() == {}


def test_doctor_hands_in_what_it_found(tmp_path: Path) -> None:
    case = next(case for case in read() if case.expect == {"BLOCKED"} and not case.egress)
    sandbox = FakeSandbox(tmp_path / "sandbox")
    said: list[str] = []

    ended = examine(sandbox, tmp_path, CLOCK, said.append, [case])

    assert ended.box is not None
    proof = JobProof.model_validate_json((ended.box / "outputs" / PROOF).read_bytes())
    assert (proof.total, proof.enforced) == (1, ("output", "wall"))
    assert said[-1].startswith("all")
    sandbox.close()


def test_it_says_what_is_missing_when_no_executor_started_it() -> None:
    with pytest.raises(Misconfigured, match="AB_RUN_API_URL is not set"):
        runner_from_environment({})
    assert json.loads(
        runner_from_environment(
            {"AB_RUN_API_URL": "http://x", "AB_ATTEMPT_TOKEN": "t", "AB_ATTEMPT": "att_1", "OTHER": "1"}
        ).model_dump_json(include={"attempt"})
    ) == {"attempt": "att_1"}
