"""The HTTP libraries people use, unchanged, inside a real sandbox and through the real gateway."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.egress.authority import RunAuthority
from services.executor.egress.decoys import files, fresh_decoys, variables
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun, Exchange, Pace, SecretBinding
from services.executor.ports import RunLimits
from shared.agentfile.model import HostRule
from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.net.allowance import Allowance
from tests.contract.library_calls import CALLS, PACKAGES, PAGES, PRINTED
from tests.contract.sandbox_runs import Bench
from tests.fakes.upstream import Upstream
from tests.needs import unavailable

HOST = "api.shop.test"
VALUE = "s3cr3t/value+for=the-shop"
MARK = "ab-placeholder-4f1c9e77b2d84d55a0c6"
_CACHE = Path(__file__).parents[2] / ".cache" / "libraries"
_LIMITS = RunLimits(wall_s=90, cpu_s=90, memory_bytes=1 << 30)


def installed(name: str) -> Path:
    """The folder with these packages, kept between runs of the tests."""
    packages = PACKAGES[name]
    key = hashlib.sha256(f"{packages} {sys.version}".encode()).hexdigest()[:16]
    folder = _CACHE / f"{name}-{key}"
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.draft")
        command = [
            find_uv_bin(),
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            ":all:",
            "--python",
            sys.executable,
        ]
        command += ["--target", str(draft), *packages]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            unavailable(
                f"packages for {name}", f"a package index that answers; it said: {done.stderr[-300:]}"
            )
        draft.rename(folder)
    return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("libraries")
    sandbox = BubblewrapSandbox(folder / "sandbox")
    if "all" in (missing := sandbox.enforcement().missing):
        sandbox.close()
        unavailable("the sandbox", missing["all"])
    yield Bench(sandbox, folder)
    sandbox.close()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Upstream, EgressGateway]]:
    roots = RunAuthority(SystemClock().now())
    trust = ssl.create_default_context(cadata=roots.ca_pem)
    with Upstream(roots.context(HOST)) as upstream:
        upstream.seen.pages.update(PAGES)
        allowance = Allowance(frozenset({(HOST, upstream.port)}))
        gateway = EgressGateway(allowance, resolver=lambda *_: ("127.0.0.1",), tls=trust)
        yield upstream, gateway
        gateway.stop()


@pytest.mark.parametrize("library", CALLS)
def test_a_library_works_unchanged_behind_the_gateway(
    library: str, bench: Bench, server: tuple[Upstream, EgressGateway]
) -> None:
    upstream, gateway = server
    packages, call = CALLS[library]
    upstream.seen.requests.clear()
    records: list[Exchange] = []
    traps = fresh_decoys(RandomIds())
    run = EgressRun(
        f"run-{library.rsplit(maxsplit=1)[-1]}",
        (HostRule(host=HOST, port=upstream.port, effect="write"),),
        records.append,
        secrets=(SecretBinding("SHOP_KEY", HOST, MARK),),
        reveal=lambda _: VALUE,
        decoys=traps,
        pace=Pace(requests_per_s=0),
    )
    head = f"import json, os\nBASE, KEY = 'https://{HOST}:{upstream.port}', os.environ['SHOP_KEY']\n"
    sink, ended = bench.run(
        head + call,
        site_dirs=tuple(installed(package) for package in packages.split()),
        env={"SHOP_KEY": MARK, **variables(traps)},
        files=files(traps),
        egress=lambda listener: gateway.open(run, listener),
        limits=_LIMITS,
    )
    gateway.close(run.id)

    assert (ended.reason, ended.exit_code) == ("exited", 0), sink.stderr.decode()[-3000:]
    assert sink.text.strip() == PRINTED[library]
    assert records
    # A library may hang up on the rest of an answer once it knows enough (yt-dlp looks at the first bytes).
    kept = [record for record in records if record.reason not in ("client_gone", "run_ended")]
    assert kept
    assert [record for record in kept if record.verdict != "sent"] == []
    if "KEY" in call:
        seen = [got.headers for got in upstream.seen.requests]
        assert any(VALUE in str(headers) or "Basic" in str(headers) for headers in seen)
        assert MARK not in str(seen)
