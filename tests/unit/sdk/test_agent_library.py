"""The agents' library away from the platform: the same program runs, offline, in a plain folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_SDK = Path(__file__).parents[3] / "sdk"


def _run(folder: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(_SDK), "LANG": "C.UTF-8", **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _said(folder: Path, code: str, **variables: str) -> str:
    done = _run(folder, "import agent\n" + code, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_steps_are_printed_when_offline(tmp_path: Path) -> None:
    assert _said(tmp_path, "agent.step('가격 수집')") == "▶ 가격 수집\n"


def test_deliveries_become_lines_in_outputs_when_offline(tmp_path: Path) -> None:
    _said(
        tmp_path,
        "agent.output('r.csv').write_text('1')\n"
        "for _ in 'ab': agent.deliver('slack', '새 상품', files=['r.csv'])",
    )

    lines = (tmp_path / "outputs" / "deliveries.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == 2 * [
        {"kind": "deliver", "channel": "slack", "text": "새 상품", "files": ["r.csv"]}
    ]
    assert "새 상품" in lines[0]


def test_state_is_there_in_the_next_run_when_a_run_ends(tmp_path: Path) -> None:
    count = "agent.state['본 것'] = agent.state.get('본 것', 0) + 1\nprint(agent.state)"

    assert [_said(tmp_path, count), _said(tmp_path, count)] == ["{'본 것': 1}\n", "{'본 것': 2}\n"]


def test_state_is_saved_when_the_dictionary_was_replaced_or_the_folder_left(tmp_path: Path) -> None:
    _said(tmp_path, "import os\nagent.state = {'a': 1}\nos.chdir('/')")

    assert json.loads((tmp_path / "state" / "state.json").read_text()) == {"a": 1}


def test_no_state_is_written_when_it_was_never_used(tmp_path: Path) -> None:
    _said(tmp_path, "agent.step('x')")

    assert not (tmp_path / "state").exists()


def test_old_state_stays_when_the_new_has_no_form_in_json(tmp_path: Path) -> None:
    _said(tmp_path, "agent.state['a'] = 1")
    _run(tmp_path, "import agent\nagent.state['b'] = object()")

    assert json.loads((tmp_path / "state" / "state.json").read_text()) == {"a": 1}


def test_input_mode_and_secrets_come_from_the_environment_when_offline(tmp_path: Path) -> None:
    code = "print(agent.input, agent.mode, agent.secret('KEY'))"

    assert _said(tmp_path, code, AGENT_INPUT='{"q": "값"}', KEY="k") == "{'q': '값'} offline k\n"
    assert _said(tmp_path, "print(agent.input)") == "None\n"


def test_a_missing_secret_is_named_when_asked_for(tmp_path: Path) -> None:
    done = _run(tmp_path, "import agent\nagent.secret('NAVER_CLIENT_ID')")

    assert "NAVER_CLIENT_ID" in done.stderr
    assert "KeyError" in done.stderr


def test_the_moment_stands_still_when_asked_twice(tmp_path: Path) -> None:
    code = "a = agent.now()\nprint(a == agent.now(), a.date() == agent.today(), a.tzinfo)"

    assert _said(tmp_path, code, TZ="Asia/Seoul") == "True True Asia/Seoul\n"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "outputs/../../x", "."])
def test_outputs_are_refused_when_they_lie_elsewhere(tmp_path: Path, path: str) -> None:
    done = _run(tmp_path, f"import agent\nagent.output({path!r})")

    assert "AgentError" in done.stderr
    assert "./outputs" in done.stderr


def test_outputs_are_the_same_place_when_the_folder_is_written_in_front(tmp_path: Path) -> None:
    code = (
        "import pathlib\nhere = pathlib.Path.cwd()\n"
        "print(agent.output('a/b'), agent.output('outputs/a/b'), agent.output(here / 'outputs/c'))"
    )

    assert _said(tmp_path, code) == "outputs/a/b outputs/a/b outputs/c\n"


def test_a_delivery_is_refused_when_its_file_is_not_there(tmp_path: Path) -> None:
    done = _run(tmp_path, "import agent\nagent.deliver('slack', 'x', files=['no.csv'])")

    assert "no.csv" in done.stderr
    assert not (tmp_path / "outputs").exists()


# Each costs every run of every agent some milliseconds of processor time; the library takes them when it must.
HEAVY = frozenset(
    "ast dataclasses datetime enum functools http inspect ipaddress json pathlib re ssl typing urllib zoneinfo".split()
)


def test_importing_the_library_brings_in_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, agent; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(_SDK)!r}); {code}"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )

    loaded = set(done.stdout.split())
    assert "agent._job" in loaded
    assert loaded & HEAVY == set()
