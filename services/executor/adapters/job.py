"""What a sandbox is told: paths inside, environment, and the messages sent to runner/bootstrap.py."""

from __future__ import annotations

import json
import marshal
from dataclasses import dataclass

from services.executor.ports import Order

# every name under which common HTTP libraries look for a proxy or a certificate bundle
_PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")
_BUNDLE_NAMES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
)


@dataclass(frozen=True)
class Guest:
    """Where things are as the code sees them. mounts: sandbox path of the order -> where it really is.
    runner: folder of the bootstrap's companions."""

    app: str
    lib: str
    scratch: str
    site: tuple[str, ...]
    mounts: dict[str, str]
    proxy_port: int = 3128
    runner: str = "/runner"


def environment(order: Order, guest: Guest) -> dict[str, str]:
    """The code's variables on top of PATH, HOME and LANG. The platform's own win over the order's."""
    ours = {
        "TZ": order.timezone,
        "AGENT_JOB": f"{guest.scratch}/job.json",
        "AGENT_REPORT_FD": "3",
        "AGENT_MOUNTS": json.dumps(guest.mounts),
        "XDG_CACHE_HOME": f"{guest.scratch}/cache",
        "XDG_CONFIG_HOME": f"{guest.scratch}/config",
        "MPLCONFIGDIR": f"{guest.scratch}/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if order.egress is not None:
        proxy = f"http://127.0.0.1:{guest.proxy_port}"
        ours |= dict.fromkeys(_PROXY_NAMES, proxy) | {"NO_PROXY": "", "no_proxy": ""}
        ours |= dict.fromkeys(_BUNDLE_NAMES, f"{guest.scratch}/ca.pem")
    return dict(order.env) | ours


def settle(order: Order, guest: Guest, *, wait: bool) -> bytes:
    """The first message: what is the same for every run of a version. With `wait` the sandbox imports
    order.preload, says "ready" and waits for the second."""
    return _message(
        {
            "app": guest.app,
            "entry": order.entry,
            "lib": guest.lib,
            "runner": guest.runner,
            "scratch": guest.scratch,
            "site": list(guest.site),
            "env": environment(order, guest),
            "repeatable": wait or bool(order.seed),
            "wait": wait,
            "preload": [(name, list(parts)) for name, parts in order.preload] if wait else [],
        }
    )


def take(order: Order, guest: Guest, ca_pem: str) -> bytes:
    """The second message: what belongs to one run alone."""
    described = {
        "input": order.input,
        "mode": order.mode,
        "now": order.now,
        "timezone": order.timezone,
    }
    return _message(
        {
            "state": order.state,
            "seed": order.seed,
            "clock": order.clock,
            "files": dict(order.files),
            "env": environment(order, guest),
            "job.json": json.dumps(described, ensure_ascii=False).encode(),
            "ca.pem": ca_pem.encode(),
        }
    )


def encode(order: Order, guest: Guest, ca_pem: str) -> bytes:
    """Everything at once, for a sandbox that does not wait."""
    return settle(order, guest, wait=False) + take(order, guest, ca_pem)


def _message(values: dict[str, object]) -> bytes:
    """marshal of plain values: the reader is the same interpreter, and it needs no import to read it."""
    data = marshal.dumps(values)
    return len(data).to_bytes(8, "little") + data
