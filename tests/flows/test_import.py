"""Agents handed in as a zip: what cannot be taken is refused in a sentence, and nothing of it is kept."""

from __future__ import annotations

import io
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator

import pytest
from uv import find_uv_bin

from tests.flows.house import House, new_house
from tests.flows.imports import LIVE_ONLY, agent_toml, agent_zip, allowed, imported, rehearsed, zipped
from tests.flows.person import Answered, Json, Person
from tests.flows.siege import at_rest
from tests.needs import unavailable

GOOD = {"agent.toml": agent_toml(), "main.py": LIVE_ONLY}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = new_house(tmp_path_factory.mktemp("imports"))
    try:
        yield made.open()
    finally:
        made.close()


def odd(name: str, mode: int, data: bytes = b"/etc/passwd") -> bytes:
    """A good agent with one entry of an unusual kind."""
    out = io.BytesIO(zipped(GOOD))
    with zipfile.ZipFile(out, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = mode << 16
        archive.writestr(entry, data)
    return out.getvalue()


def bomb() -> bytes:
    """21 MB of zeros in a few kilobytes, in an entry that says it is 10 bytes."""
    data = bytearray(zipped({**GOOD, "big.bin": b"\0" * (21 << 20)}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(zipped(GOOD))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = data.find(mark)
        data[at + offset] |= 1
    return bytes(data)


REFUSED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no zip": lambda: b"hello, this is no zip at all",
    "half a zip": lambda: zipped(GOOD)[:-40],
    "a zip of nothing": lambda: zipped({}),
    "no main.py": lambda: zipped({"agent.toml": agent_toml()}),
    "no agent.toml": lambda: zipped({"main.py": "print(1)"}),
    "a way up": lambda: zipped({**GOOD, "../../evil.py": "x"}),
    "a way up inside": lambda: zipped({**GOOD, "a/../../evil.py": "x"}),
    "an absolute name": lambda: zipped({**GOOD, "/etc/cron.d/evil": "x"}),
    "a drive's name": lambda: zipped({**GOOD, "C:/evil.py": "x"}),
    "backslashes": lambda: zipped({**GOOD, "..\\..\\evil.py": "x"}),
    "a name with a line break": lambda: zipped({**GOOD, "a\nb.py": "x"}),
    "a name that turns around": lambda: zipped({**GOOD, "a\u202egnp.py": "x"}),
    "case twins": lambda: zipped({**GOOD, "Helper.py": "x", "helper.py": "y"}),
    "a file where a folder is": lambda: zipped({**GOOD, "data": "x", "data/a.txt": "y"}),
    "a symbolic link": lambda: odd("link", stat.S_IFLNK | 0o777),
    "a pipe": lambda: odd("pipe", stat.S_IFIFO | 0o666, b""),
    "a device": lambda: odd("device", stat.S_IFCHR | 0o666, b""),
    "a bomb": lambda: zipped({**GOOD, "big.bin": b"\0" * (21 << 20)}),
    "a bomb that calls itself small": bomb,
    "a locked file": encrypted,
    "too many files": lambda: zipped({**GOOD, **{f"f{n}.txt": "" for n in range(600)}}),
    "an unknown key": lambda: zipped({**GOOD, "agent.toml": agent_toml(more="\n[powers]\nroot = true\n")}),
    "no TOML": lambda: zipped({**GOOD, "agent.toml": "this is = = not toml"}),
    "a file that is no text": lambda: zipped({**GOOD, "agent.toml": b"\xff\xfe\x00"}),
    "a wildcard host": lambda: zipped({**GOOD, "agent.toml": agent_toml(hosts=[{"host": "*.example.com"}])}),
    "an impossible schedule": lambda: zipped(
        {
            **GOOD,
            "agent.toml": agent_toml(more='\n[schedule]\ncron = "0 9 30 2 *"\ntimezone = "Asia/Seoul"\n'),
        }
    ),
    "a package by address": lambda: zipped(
        {**GOOD, "agent.toml": agent_toml(packages=["x @ https://evil.example/x.whl"])}
    ),
    "a package that is an option": lambda: zipped(
        {**GOOD, "agent.toml": agent_toml(packages=["--index-url=x"])}
    ),
}


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("what", sorted(REFUSED))
@pytest.mark.deployed
def test_it_is_refused_in_a_sentence_and_nothing_is_kept_when_the_zip_has(
    what: str, language: str, desk: House
) -> None:
    data = REFUSED[what]()
    before, blobs = at_rest(desk), desk.holdings.blobs()
    with pytest.raises(Answered) as answer:
        imported(desk.person(language=language), data)
    problem = answer.value.body
    assert answer.value.status in (400, 413), problem
    assert bool(re.search("[가-힣]", problem["detail"])) == (language == "ko"), problem
    assert desk.holdings.documents() == before
    assert desk.holdings.blobs() == blobs


def test_a_body_over_the_limit_is_refused_before_it_is_read(desk: House) -> None:
    with pytest.raises(Answered) as answer:
        imported(desk.person(), b"PK" + b"\0" * (21 << 20))
    assert answer.value.status == 413
    assert "20 MB" in answer.value.body["detail"]


CODE = {
    "a syntax error": ("def f(:\n", "1"),
    "nested too deep": ("(" * 5000 + ")" * 5000, ""),
    "a null in it": ("print('a\0b')", ""),
}


@pytest.mark.parametrize("what", sorted(CODE))
@pytest.mark.deployed
def test_the_conversation_says_what_is_wrong_with_the_code_when_it_has(what: str, desk: House) -> None:
    code, line = CODE[what]
    conversation = imported(desk.person(patience_s=40), zipped({**GOOD, "main.py": code}))
    assert conversation["state"] == "failed"
    assert "main.py" in conversation["problem"]
    assert line in conversation["problem"]
    assert conversation["plan"] is None


@pytest.mark.deployed
def test_imported_code_does_not_run_before_a_person_has_said_yes(desk: House) -> None:
    marker = desk.folder / "ran-without-a-yes"
    before = _runs(at_rest(desk))
    conversation = imported(
        desk.person(patience_s=40), agent_zip(f"open({str(marker)!r}, 'w')\n" + LIVE_ONLY)
    )
    assert conversation["state"] == "proposed"
    assert conversation["test_run"] is None
    assert _runs(at_rest(desk)) == before
    assert not marker.exists()


def _runs(documents: dict[str, str]) -> list[str]:
    return [place for place in documents if place.startswith("executor/runs/")]


@pytest.mark.deployed
def test_no_secret_of_the_vault_is_taken_by_its_name_when_an_import_asks_for_it(desk: House) -> None:
    person = desk.person(patience_s=40)
    person.call("PUT", "/api/v1/secrets/SHOP_KEY", {"value": "a-stored-value", "host": "shop.example.com"})
    secret = {"name": "SHOP_KEY", "host": "shop.example.com", "why": "시험"}
    plan = imported(person, agent_zip(LIVE_ONLY, secrets=[secret]))["plan"]
    yes = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
    with pytest.raises(Answered) as answer:
        person.call("POST", f"/api/v1/plans/{plan['id']}/decision", yes)
    assert (answer.value.status, answer.value.body["code"]) == (400, "secrets_missing")
    assert "SHOP_KEY" in answer.value.body["detail"]


@pytest.mark.deployed
def test_what_was_exported_can_be_imported_again(desk: House) -> None:
    person = desk.person(patience_s=40)
    first = allowed(person, agent_zip(LIVE_ONLY))
    data = person.call("GET", f"/api/v1/agents/{first['agent_id']}/export")
    again = allowed(person, data)
    assert again["agent_id"] != first["agent_id"]
    assert again["plan"]["manifest_hash"] == first["plan"]["manifest_hash"]


@pytest.mark.deployed
def test_a_folder_around_everything_and_files_of_a_file_manager_do_no_harm(desk: House) -> None:
    wrapped = {f"my agent/{name}": data for name, data in GOOD.items()}
    litter = {"__MACOSX/._main.py": "x", "my agent/.DS_Store": "x"}
    assert imported(desk.person(patience_s=40), zipped({**wrapped, **litter}))["state"] == "proposed"


@pytest.fixture(scope="session")
def package_index() -> None:
    """Skips, or fails where CI is set, without the index that packages come from."""
    command = [find_uv_bin(), "pip", "compile", "-", "--python", sys.executable, "--no-cache", "--quiet"]
    try:
        done = subprocess.run(command, input="idna", text=True, capture_output=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        unavailable("a package index", "connect to the internet or set UV_DEFAULT_INDEX")
    if done.returncode:
        unavailable("a package index", "connect to the internet or set UV_DEFAULT_INDEX")


NO_SUCH_PACKAGE = "no-such-package-of-anybody-4711"


@pytest.mark.usefixtures("package_index")
@pytest.mark.deployed
def test_the_conversation_ends_naming_the_package_when_there_is_no_such_package(desk: House) -> None:
    person: Person = desk.person(patience_s=50)
    conversation: Json = rehearsed(person, agent_zip(LIVE_ONLY, packages=[NO_SUCH_PACKAGE]))
    assert conversation["state"] == "failed"
    assert NO_SUCH_PACKAGE in conversation["problem"]
    assert conversation["test_run"] is None
    assert at_rest(desk)
