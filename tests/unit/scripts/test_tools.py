"""Programs that setup starts: their failures become sentences, and stopping them reaches their children."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import threading
from pathlib import Path

import pytest

from scripts.layout import digest
from scripts.packages import NPM, PNPM
from scripts.tools import Failed, Registry, Tool, clean_environment


def failing(text: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit(3)"]


def test_failure_names_what_was_tried_when_the_registry_is_out_of_reach() -> None:
    text = "WARNING: Retrying: NewConnectionError('host=\\'mirror.invalid\\''): Connection refused"

    with pytest.raises(Failed) as caught:
        Tool().run("pip-test", failing(text.replace("\\'", "'")))

    assert "mirror.invalid" in str(caught.value)
    assert "PIP_INDEX_URL" in str(caught.value)
    assert caught.value.status == 3


def test_failure_quotes_the_last_line_when_it_is_something_else() -> None:
    with pytest.raises(Failed, match="no space left here"):
        Tool().run("pip-test", failing("no space left here"))


SIGN = re.compile("answered")


def printing(text: str, then_s: float) -> list[str]:
    return [sys.executable, "-c", f"import time; print({text!r}, flush=True); time.sleep({then_s})"]


def test_a_registry_that_never_answers_is_given_up_with_the_cure() -> None:
    with pytest.raises(Failed) as caught:
        Tool().run("npm-test", printing("asking", 20), registry=Registry(SIGN, "mirror.invalid", 0.5))

    assert caught.value.status == -signal.SIGKILL
    assert "mirror.invalid did not answer for" in str(caught.value)
    assert "npm_config_registry" in str(caught.value)


def test_a_registry_that_has_answered_may_be_as_slow_as_it_is() -> None:
    Tool().run("npm-test", printing("answered", 1.5), registry=Registry(SIGN, "mirror.invalid", 1.0))


def test_what_ends_by_itself_says_its_own_reason() -> None:
    with pytest.raises(Failed, match="no space left here"):
        Tool().run("npm-test", failing("no space left here"), registry=Registry(SIGN, "mirror.invalid", 60))


def test_npm_and_pnpm_are_heard_to_answer_by_what_they_print() -> None:
    for answered in ("npm http fetch GET 200 https://r/pnpm 12ms (cache miss)", "npm http fetch GET 404 x"):
        assert NPM.search(answered)
    for answered in ("Progress: resolved 9, reused 0, downloaded 1, added 0", "Already up to date"):
        assert PNPM.search(answered)
    assert not NPM.search("npm http fetch GET https://r/pnpm attempt 1 failed with ETIMEDOUT")
    assert not PNPM.search("Progress: resolved 1, reused 0, downloaded 0, added 0")
    assert not PNPM.search("Lockfile is up to date, resolution step is skipped")


def test_stop_ends_the_program_and_everything_it_started() -> None:
    tool = Tool()
    children: list[int] = []
    grown = threading.Event()

    def on_line(line: str) -> None:
        children.append(int(line))
        grown.set()

    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"

    def work() -> None:
        with pytest.raises(Failed):
            tool.run("test", [sys.executable, "-c", code], on_line=on_line)

    worker = threading.Thread(target=work)
    worker.start()
    assert grown.wait(20)
    grandchild = os.pidfd_open(children[0])
    tool.stop()
    worker.join(20)
    ended, _, _ = select.select([grandchild], [], [], 20)
    os.close(grandchild)

    assert not worker.is_alive()
    assert ended


def test_compiled_files_are_written_although_the_shell_says_otherwise() -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in clean_environment()
    assert os.access(clean_environment()["HOME"], os.W_OK)


def test_digest_changes_when_a_file_or_a_fact_does() -> None:
    here = Path(__file__)

    assert digest([here], "3.11") == digest([here], "3.11")
    assert digest([here], "3.11") != digest([here], "3.12")
    assert digest([here]) != digest([here, here.with_name("test_start.py")])
