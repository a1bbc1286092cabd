"""The eval's harness against its script: right and declined requests, a journal that goes on, caps that hold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.eval import __main__ as eval_main
from tests.eval.__main__ import LEAST_TOKENS, MOST_TOKENS, ask, chosen, main, under
from tests.eval.journal import Journal, Result, summary
from tests.eval.requests import requests


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "eval.jsonl"


def results(path: Path) -> list[Result]:
    return Journal(path, "scripted", under({}).model).all


@pytest.mark.slow(seconds=90)
def test_requests_are_talked_through_and_judged_and_what_is_done_is_not_asked_again(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--only", "en-retail-digest", "en-rates", "--patience", "60"], {}, path) == 0

    digest, rates = results(path)
    assert digest.right, digest
    assert digest.tokens > 1000
    assert digest.questions == 1
    assert (rates.stage, rates.capped) == ("questions", False)
    assert "proves the harness only" in capsys.readouterr().out

    assert main(["--only", "en-retail-digest", "en-jobs", "en-rates", "--patience", "60"], {}, path) == 0
    assert [one.id for one in results(path)] == ["en-retail-digest", "en-rates", "en-jobs"]
    assert results(path)[:2] == [digest, rates]


@pytest.mark.slow(seconds=60)
def test_a_cap_stops_before_the_request_it_does_not_pay(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cap = LEAST_TOKENS + 1000
    assert main(["--only", "en-rates", "en-weather-rain", "--max-tokens", str(cap)], {}, path) == 1

    assert [one.id for one in results(path)] == ["en-rates"]
    assert "Stopped before en-weather-rain" in capsys.readouterr().out


_ASKS = (
    "from pathlib import Path; from tests.eval.__main__ import main; "
    "main(['--only', 'en-retail-digest', '--patience', '60'], {}, Path(__import__('sys').argv[1]))"
)


@pytest.mark.slow(seconds=60)
def test_a_request_that_was_killed_counts_as_having_spent_all_it_was_given(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ASKS, str(path)], env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as asking:
        while asking.poll() is None and not path.exists():
            time.sleep(0.02)
        asking.kill()
    assert asking.returncode == -signal.SIGKILL
    assert results(path) == []

    journal = Journal(path, "scripted", under({}).model)
    assert journal.tokens == MOST_TOKENS
    assert eval_main.room_of(journal, "claude-opus-5-5", None, 1.0) < 0
    cap = str(MOST_TOKENS + LEAST_TOKENS - 1)
    assert main(["--only", "en-retail-digest", "--max-tokens", cap], {}, path) == 1
    assert f"died while it asked: {MOST_TOKENS:,} tokens" in capsys.readouterr().out


def test_what_was_asked_again_after_a_death_keeps_what_the_death_may_have_cost(path: Path) -> None:
    journal = Journal(path, "s", "m")
    for tokens in (700, 500):
        journal.begin("en-jobs", tokens)
    journal.note(Result("en-jobs", "s", "m", "", "", 90, None, 1.0, 0))
    journal.begin("ko-notices", 300)

    assert Journal(path, "s", "m").tokens == 700 + 90 + 300
    assert Journal(path, "s", "another").tokens == 0


@pytest.mark.slow(seconds=60)
def test_a_request_cannot_spend_more_than_it_is_given() -> None:
    digest = next(request for request in requests() if request.id == "en-retail-digest")
    result = ask(digest, under({}), 9_000, 60)
    assert result.tokens <= 9_000
    assert (result.right, result.capped) == (False, True), result


def test_dollars_hold_as_tokens_at_the_dearest_rate_and_are_refused_without_a_price(path: Path) -> None:
    journal = Journal(path, "scripted", "claude-opus-5-5")
    few, many = (eval_main.room_of(journal, "claude-opus-5-5", None, usd) for usd in (1.0, 10.0))
    assert 0 < few < many <= few * 10 + 10
    assert eval_main.room_of(journal, "claude-opus-5-5", 500, 10.0) == 500
    with pytest.raises(SystemExit, match="max-tokens"):
        eval_main.room_of(journal, "somebody-elses", None, 1.0)


def test_a_key_or_a_server_is_what_is_asked() -> None:
    assert under({}).played
    assert under({"ANTHROPIC_API_KEY": "k"}).server == "api.anthropic.com"
    other = under({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9/", "AB_MODEL": "m", "AB_PORT": "1"})
    assert (other.server, other.model, other.played) == ("127.0.0.1:9", "m", False)
    assert "AB_PORT" not in other.environment


def test_a_sample_is_the_same_each_time_and_has_both_languages() -> None:
    sample = chosen((), 10, 0)
    assert sample == chosen((), 10, 0) != chosen((), 10, 1)
    assert sum(request.language == "ko" for request in sample) == 5
    with pytest.raises(SystemExit, match="ko-nothing"):
        chosen(("ko-nothing",), 0, 0)


def test_the_journal_keeps_servers_apart_and_asks_again_what_a_cap_ended(path: Path) -> None:
    def result(id: str, model: str, *, capped: bool = False) -> Result:
        return Result(id, "s", model, "run" if capped else "", "", 10, None, 1.0, 0, capped)

    one, other = Journal(path, "s", "a"), Journal(path, "s", "b")
    one.note(result("ko-notices", "a", capped=True))
    other.note(result("en-jobs", "b"))

    again = Journal(path, "s", "a")
    assert again.done == {}
    assert again.tokens == 10
    again.forget()
    assert Journal(path, "s", "a").all == []
    assert list(Journal(path, "s", "b").done) == ["en-jobs"]
    assert "unknown" in summary(Journal(path, "s", "b").all)
