"""What every sandbox does, isolated or not: run code, tell what it says, end it once, keep what it left."""

from __future__ import annotations

import io
import json
import signal
import socket
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor.ports import Ended, RunLimits, Sandbox
from shared.errors import Unavailable
from tests.contract.backends import ISOLATING, opened
from tests.contract.sandbox_runs import Bench
from tests.fakes.sandbox import FakeSandbox

_FOREVER = "import time\nprint('going', flush=True)\ntime.sleep(600)"


@pytest.fixture(scope="module", params=[*ISOLATING, "fake"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp(request.param)
    sandbox: Sandbox
    if request.param == "fake":
        sandbox = FakeSandbox(folder / "sandbox")
    else:
        sandbox = opened(request.param, folder / "sandbox", request)
    yield Bench(sandbox, folder)
    sandbox.close()


def test_code_runs_to_its_end_when_it_is_started(bench: Bench) -> None:
    sink, result = bench.run("import sys\nprint('안녕')\nprint('oops', file=sys.stderr)")

    assert (result.reason, result.exit_code) == ("exited", 0)
    assert sink.text == "안녕\n"
    assert sink.stderr == b"oops\n"


def test_signs_of_life_come_in_order_when_code_runs(bench: Bench) -> None:
    sink, _result = bench.run("import agent\nprint('one')\nagent.step('둘')")

    assert sink.calls[0] == "first_line"
    assert sink.calls[-1] == "ended"
    assert sink.calls.count("first_line") == sink.calls.count("ended") == 1


def test_exit_status_is_reported_when_code_fails(bench: Bench) -> None:
    assert bench.run("raise SystemExit(3)")[1].exit_code == 3


def test_exit_code_is_negative_when_a_signal_killed_the_code(bench: Bench) -> None:
    _sink, result = bench.run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")

    assert (result.reason, result.exit_code) == ("exited", -signal.SIGKILL)


def test_traceback_does_not_say_where_python_lies_when_it_fails_inside_of_it(bench: Bench) -> None:
    sink, _result = bench.run("import json\njson.loads('{')")

    said = sink.stderr.decode()
    assert 'File "<python>/json/decoder.py", line ' in said
    assert sys.prefix not in said
    assert said.rstrip().endswith("(char 1)")


def test_traceback_shows_the_codes_own_lines_only_when_code_raises(bench: Bench) -> None:
    sink, result = bench.run("def work():\n    raise ValueError('나쁜 값')\nwork()")

    said = sink.stderr.decode()
    assert result.exit_code == 1
    assert said.startswith('Traceback (most recent call last):\n  File "')
    assert 'main.py", line 3, in <module>' in said
    assert "bootstrap" not in said


def test_error_is_shown_when_code_does_not_compile(bench: Bench) -> None:
    sink, result = bench.run("def broken(:\n")

    assert (result.reason, result.exit_code) == ("exited", 1)
    assert b"SyntaxError" in sink.stderr
    assert b"bootstrap" not in sink.stderr


def test_code_is_main_with_nothing_of_the_platform_in_it_when_it_runs(bench: Bench) -> None:
    sink, _result = bench.run("print(__name__, sorted(n for n in globals() if not n.startswith('__')))")

    assert sink.text == "__main__ []\n"


def test_job_is_readable_through_the_library_when_given(bench: Bench) -> None:
    sink, _result = bench.run(
        "import agent\nprint(agent.input['이름'], agent.mode, agent.today(), agent.now().isoformat())",
        input={"이름": "가격"},
        mode="rehearsal",
        now="2026-11-22T20:00:00Z",
        timezone="Asia/Seoul",
    )

    assert sink.text == "가격 rehearsal 2026-11-23 2026-11-23T05:00:00+09:00\n"


def test_variables_of_the_order_are_set_when_given_and_never_replace_the_platforms(bench: Bench) -> None:
    sink, _result = bench.run(
        "import agent, os\nprint(agent.secret('SHOP'), os.environ['TZ'])",
        env={"SHOP": "ph_1", "TZ": "Mars/Base"},
        timezone="Asia/Seoul",
    )

    assert sink.text == "ph_1 Asia/Seoul\n"


def test_no_variable_of_the_platform_reaches_code_when_it_runs(bench: Bench) -> None:
    sink, _result = bench.run("import json, os\nprint(json.dumps(sorted(os.environ)))")

    expected = {"PATH", "HOME", "LANG", "PWD", "TZ", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR", "LC_CTYPE"}
    expected.add("PYTHONHASHSEED")
    others = set(json.loads(sink.text)) - expected
    assert not {name for name in others if not name.startswith(("AGENT_", "XDG_"))}


def test_state_comes_back_and_new_state_is_left_when_there_was_an_earlier_run(bench: Bench) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in (("state.json", b'{"n": 1}'), ("deep/note.txt", "메모".encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    code = "import agent\nagent.state['n'] += 1\nprint((agent.state_dir / 'deep/note.txt').read_text())"

    sink, result = bench.run(code, state=archive.getvalue())

    assert sink.text == "메모\n"
    assert result.box is not None
    assert json.loads((result.box / "state" / "state.json").read_text()) == {"n": 2}


def test_attempt_is_unstartable_when_the_state_is_no_archive(bench: Bench) -> None:
    sink, result = bench.run("print('never')", state=b"not a tar" * 100)

    assert result.reason == "unstartable"
    assert "tarfile.ReadError" in result.detail
    assert sink.calls == ["ended"]


def test_outputs_are_in_the_box_when_code_wrote_them(bench: Bench) -> None:
    _sink, result = bench.run("import agent\nagent.output('표/a.csv').write_text('x,y', encoding='utf-8')")

    assert result.box is not None
    assert (result.box / "outputs" / "표" / "a.csv").read_text() == "x,y"


def test_box_holds_empty_folders_when_code_left_nothing(bench: Bench) -> None:
    _sink, result = bench.run("")

    assert result.box is not None
    assert sorted(path.name for path in result.box.iterdir()) == ["outputs", "state"]


def test_own_modules_and_packages_import_when_they_lie_beside_code_and_in_site_dirs(bench: Bench) -> None:
    order = bench.order("import inner, lodge\nprint(inner.X, lodge.Y)", site_dirs=(bench.folder / "site1",))
    (order.code_dir / "inner.py").write_text("X = 1")
    (bench.folder / "site1" / "lodge").mkdir(parents=True)
    (bench.folder / "site1" / "lodge" / "__init__.py").write_text("Y = 2")

    sink = bench.start(order)
    sink.wait()

    assert sink.text == "1 2\n"


def test_path_files_are_not_executed_when_packages_carry_them(bench: Bench) -> None:
    site = bench.folder / "site2"
    site.mkdir()
    (site / "evil.pth").write_text("import os; os.environ['PTH_RAN'] = 'yes'\n")

    sink, _result = bench.run("import os\nprint(os.environ.get('PTH_RAN'))", site_dirs=(site,))

    assert sink.text == "None\n"


def test_library_wins_when_code_has_a_file_named_agent(bench: Bench) -> None:
    order = bench.order("import agent\nprint(hasattr(agent, 'deliver'))")
    (order.code_dir / "agent.py").write_text("")

    sink = bench.start(order)
    sink.wait()

    assert sink.text == "True\n"


def test_reports_are_handed_on_when_code_steps_and_delivers(bench: Bench) -> None:
    sink, _result = bench.run(
        "import agent\nagent.step('수집')\nagent.output('r.txt').write_text('1')\n"
        "agent.deliver('slack', '끝', files=['r.txt'])"
    )

    assert sink.reports == [
        {"kind": "step", "name": "수집"},
        {"kind": "deliver", "channel": "slack", "text": "끝", "files": ["r.txt"]},
    ]


def test_reports_of_other_shapes_are_dropped_when_code_writes_them(bench: Bench) -> None:
    sink, result = bench.run(
        "import agent, os\nw = lambda data: os.write(3, data)\n"
        "w(b'[1]\\n'); w(b'{\"kind\": \"result\"}\\n'); w(b'\\xff\\n'); w(b'[' * 50000 + b'\\n')\n"
        "for _ in range(40): w(b'x' * 10000)\n"
        "w(b'\\n')\nagent.step('still heard')"
    )

    assert result.exit_code == 0
    assert sink.reports == [{"kind": "cut"}, {"kind": "step", "name": "still heard"}]


def test_attempt_ends_by_the_clock_when_it_takes_too_long(bench: Bench) -> None:
    _sink, result = bench.run(_FOREVER, limits=RunLimits(wall_s=0.5))

    assert (result.reason, result.exit_code) == ("wall", None)


def test_log_is_cut_and_the_attempt_ended_when_code_prints_too_much(bench: Bench) -> None:
    sink, result = bench.run("while True: print('x' * 1000)", limits=RunLimits(output_bytes=10_000))

    assert result.reason == "output"
    assert len(sink.stdout) == result.usage.output_bytes == 10_000


def test_attempt_ends_as_told_when_it_is_stopped(bench: Bench) -> None:
    order = bench.order(_FOREVER)
    sink = bench.start(order)
    assert sink.printed.wait(30)

    bench.sandbox.stop(order.id)

    assert sink.wait().reason == "stopped"


def test_a_child_that_holds_the_output_does_not_keep_an_attempt_open_when_code_ends(bench: Bench) -> None:
    sink, result = bench.run("import os, time\nif os.fork() == 0: time.sleep(600)\nprint('done', flush=True)")

    assert sink.text == "done\n"
    assert (result.reason, result.exit_code) == ("exited", 0)


def test_code_runs_once_when_the_same_order_is_started_twice(bench: Bench) -> None:
    order = bench.order("print('once')")
    first, second = bench.start(order), bench.start(order)

    first.wait()

    assert first.text == "once\n"
    assert second.calls == []


def test_observation_follows_an_attempt_when_it_runs_ends_and_is_released(bench: Bench) -> None:
    order = bench.order(_FOREVER)
    before = bench.sandbox.observe(order.id)
    sink = bench.start(order)
    during = bench.sandbox.observe(order.id)
    bench.sandbox.stop(order.id)
    ended = sink.wait()
    after = bench.sandbox.observe(order.id)
    bench.sandbox.release(order.id)

    assert (before, during) == ("unknown", "running")
    assert after == ended
    assert isinstance(after, Ended)
    assert bench.sandbox.observe(order.id) == "unknown"


def test_nothing_happens_when_unknown_handles_are_stopped_or_released(bench: Bench) -> None:
    bench.sandbox.stop("att_never")
    bench.sandbox.release("att_never")

    assert bench.sandbox.observe("att_never") == "unknown"


def test_unknown_attempts_end_and_known_ones_stay_when_swept(bench: Bench) -> None:
    kept, left = bench.order(_FOREVER), bench.order(_FOREVER)
    kept_sink, left_sink = bench.start(kept), bench.start(left)

    bench.sandbox.sweep({kept.id})

    assert left_sink.wait().reason == "stopped"
    assert bench.sandbox.observe(kept.id) == "running"
    bench.sandbox.stop(kept.id)
    kept_sink.wait()


def test_the_way_out_is_the_listening_socket_when_egress_is_given(bench: Bench) -> None:
    heard: list[bytes] = []

    def egress(listener: socket.socket) -> str:
        threading.Thread(target=_answer, args=(listener, heard), daemon=True).start()
        return "-----BEGIN CERTIFICATE-----\n"

    sink, result = bench.run(
        "import os, socket, urllib.parse\n"
        "u = urllib.parse.urlsplit(os.environ['HTTPS_PROXY'])\n"
        "s = socket.create_connection((u.hostname, u.port))\n"
        "s.sendall(b'ping'); print(s.recv(10).decode(), open(os.environ['SSL_CERT_FILE']).read())",
        egress=egress,
    )

    assert result.exit_code == 0, sink.stderr
    assert heard == [b"ping"]
    assert sink.text == "pong -----BEGIN CERTIFICATE-----\n\n"


def _answer(listener: socket.socket, heard: list[bytes]) -> None:
    with listener, listener.accept()[0] as connection:
        heard.append(connection.recv(10))
        connection.sendall(b"pong")


def test_no_proxy_is_named_when_there_is_no_way_out(bench: Bench) -> None:
    sink, _result = bench.run("import os\nprint([n for n in os.environ if 'PROXY' in n.upper()])")

    assert sink.text == "[]\n"


def test_attempt_is_unstartable_when_the_way_out_cannot_be_opened(
    bench: Bench, expect_errors: list[str]
) -> None:
    def egress(listener: socket.socket) -> str:
        listener.close()
        raise Unavailable("no certificate today")

    sink, result = bench.run("print('never')", egress=egress)

    assert result.reason == "unstartable"
    assert "no certificate today" in result.detail
    assert sink.stdout == b""
    assert "no way out" in expect_errors[0]


def test_extra_folders_are_readable_where_the_environment_says_when_given(bench: Bench) -> None:
    folder = bench.folder / "extra"
    folder.mkdir()
    (folder / "a.txt").write_text("글")
    code = (
        "import json, os\n"
        "place = json.loads(os.environ['AGENT_MOUNTS'])['/in/extra']\n"
        "print(open(place + '/a.txt').read())"
    )

    sink, _result = bench.run(code, mounts={"/in/extra": folder})

    assert sink.text == "글\n"


def test_attempts_run_side_by_side_when_several_are_started(bench: Bench) -> None:
    sinks = [bench.start(bench.order(f"print({number})")) for number in range(8)]

    assert [(sink.wait().exit_code, sink.text) for sink in sinks] == [(0, f"{n}\n") for n in range(8)]


def test_usage_is_measured_when_an_attempt_ends(bench: Bench) -> None:
    _sink, result = bench.run("print('four')\nsum(range(2_000_000))")

    assert result.usage.output_bytes == 5
    if "cpu" in bench.sandbox.enforcement().enforced:
        assert result.usage.cpu_ms > 0
        assert result.usage.memory_peak_bytes > 1 << 20


def test_box_is_gone_when_an_attempt_is_released(bench: Bench) -> None:
    order = bench.order("open('outputs/x', 'w').write('1')")
    box: Path | None = bench.start(order).wait().box
    assert box is not None
    assert (box / "outputs" / "x").is_file()

    bench.sandbox.release(order.id)
    bench.run("")  # orders are done one after another: a later attempt's end means the release is done

    assert not box.exists()


def test_sets_have_the_same_order_in_every_run_when_the_code_is_the_same(bench: Bench) -> None:
    code = "print(list({'가격', 'apple', 'pear', 'plum', 'fig', 'kiwi', 'lime', 'date'}))"

    assert bench.run(code)[0].text == bench.run(code)[0].text
