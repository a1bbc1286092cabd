"""What a log line keeps, and the form in which Cloud Logging finds its trace."""

from __future__ import annotations

import json
import logging

import pytest
from pydantic import BaseModel

from shared.ids import SeededIds
from shared.telemetry.logs import ForCloudLogging, ForPeople, plain
from shared.telemetry.trace import Tracer
from tests.repo.tree import ROOT

CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "secret",
    [
        "got 'my cat is called 나비'",
        'input_value="비밀 메시지"',
        "https://hooks.slack.com/services/T000/B000/abcdef was slow",
        "https://user:hunter2@shop.example.com/a?token=abc",
        "postgres://u:p4ssw0rd@db/x",
        "Authorization: Bearer abcdefgh1234",
        "token=abcdef123456",
        "password: hunter22",
        "sent to kim@example.com",
        "Error handling request /download/abcdefghijklmnop0123456789?x=나비",
        "sk-ant-" + "api03" + "-A1" * 20,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3",
        "xoxb-1234567890-ABCDEFGHIJKL",
    ],
)
def test_what_somebody_may_have_written_is_left_out(secret: str) -> None:
    cleaned = plain(secret)
    for piece in (
        "나비",
        "비밀",
        "hooks.slack.com/services",
        "hunter2",
        "p4ssw0rd",
        "abcdef",
        "kim@",
        "A1-A1",
        "dozj",
        "ABCDEFGH",
        "token=abc",
    ):
        assert piece not in cleaned


@pytest.mark.parametrize(
    "sentence",
    [
        "dead letter for ledger: agentbuilder.usage.tokens_used.v1 (bad_data: 2 fields do not fit)",
        f"attempt {SeededIds().new('att')} could not be written down",
        "the collector does not take what is sent to it (it answered 503); it will be tried again",
        "AB_NONSENSE is no setting of Agent Builder and is ignored; see docs/settings.md",
        "receiver of executor failed on agentbuilder.environment.requested.v1",
    ],
)
def test_what_the_platform_says_stays_as_it_is(sentence: str) -> None:
    assert plain(sentence) == sentence


def test_a_very_long_line_is_cut() -> None:
    assert len(plain("a b " * 5000)) < 2100


class Shape(BaseModel):
    number: int


def failed(formatter: logging.Formatter) -> str:
    told, about = "receiver of %s failed on %s", ("ledger", "agentbuilder.run.funded.v1")
    raised: BaseException | None = None
    try:
        try:
            Shape.model_validate({"number": "나의 비밀번호 hunter2"})
        except ValueError as inner:
            raise RuntimeError("calling https://api.example.com/v1?key=abc failed") from inner
    except RuntimeError as error:
        raised = error
    assert raised is not None
    seen = (type(raised), raised, raised.__traceback__)
    return formatter.format(logging.LogRecord("shared.bus.sqlite", logging.ERROR, "", 1, told, about, seen))


def test_an_exception_is_told_by_its_kind_and_place_not_by_what_it_stumbled_over() -> None:
    said = failed(ForPeople())
    assert said.startswith(
        "ERROR shared.bus.sqlite: receiver of ledger failed on agentbuilder.run.funded.v1\n"
    )
    assert "RuntimeError: calling https://api.example.com/… failed" in said
    assert "ValidationError: 1 validation error" in said
    assert f'File "{__file__}", line' in said
    assert "hunter2" not in said
    assert "key=abc" not in said


def test_one_line_of_json_names_its_trace_as_cloud_logging_does() -> None:
    with Tracer().span("handle", CONTEXT, {}):
        said = failed(ForCloudLogging("shop-project"))
    assert said.count("\n") == 0
    line = json.loads(said)
    assert line["severity"] == "ERROR"
    assert line["logging.googleapis.com/trace"] == f"projects/shop-project/traces/{CONTEXT[3:35]}"
    assert line["logging.googleapis.com/spanId"] == CONTEXT[36:52]
    assert line["logging.googleapis.com/trace_sampled"] is True
    assert "hunter2" not in said
    assert "logging.googleapis.com/trace" not in json.loads(failed(ForCloudLogging("shop-project")))


def test_the_alert_for_dead_letters_looks_for_what_the_buses_say() -> None:
    alert = (ROOT / "terraform" / "alerts.tf").read_text(encoding="utf-8")
    assert 'jsonPayload.message:\\"dead letter for \\"' in alert
    for bus in ("sqlite", "pubsub"):
        assert 'log.warning("dead letter for %s' in (ROOT / f"shared/bus/{bus}.py").read_text(
            encoding="utf-8"
        )
