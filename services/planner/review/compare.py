"""Holds what was found against the manifest: what the plan does not say, what cannot be told, what is refused."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from services.planner.review.addresses import canonical
from services.planner.review.finding import Trace
from services.planner.review.values import HOLE
from shared.agentfile.model import HostRule, Manifest
from shared.net.model_endpoint import MODEL_HOST

Weight = Literal["difference", "doubt", "refusal"]
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METADATA = frozenset(
    {"169.254.169.254", "metadata.google.internal", "metadata", "100.100.100.200", "fd00:ec2::254"}
)


@dataclass(frozen=True)
class Remark:
    """A sentence to be: `key` in says.py, with what is filled in. `curable`: code can be changed so that it goes."""

    weight: Weight
    key: str
    file: str
    line: int
    values: dict[str, str] = field(default_factory=dict)
    curable: bool = True


def compare(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    yield from _JUDGES[trace.finding.kind](trace, manifest)


def _remark(trace: Trace, weight: Weight, key: str, *, curable: bool = True, **values: str) -> Remark:
    found = trace.finding
    return Remark(weight, key, found.file, found.line, {"what": found.what, **values}, curable)


def _host(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    host = trace.finding.what
    rules = [rule for rule in manifest.hosts if canonical(rule.host) == host]
    if host in _METADATA:
        yield _remark(trace, "refusal", "refuse_platform")
    elif host == MODEL_HOST:
        yield from _model(trace, manifest)
    elif not host:
        yield _remark(trace, "doubt", "host_unknown", curable=not manifest.hosts)
    elif _is_inside(host) and not rules:
        yield _remark(trace, "difference", "host_inside")
    elif not rules:
        yield _new_host(trace)
    else:
        yield from _known_host(trace, rules)
    yield from _secrets_there(trace, manifest)


def _new_host(trace: Trace) -> Remark:
    if trace.about == "library" and not trace.finding.certain:
        return _remark(trace, "doubt", "host_library")
    if trace.finding.certain or trace.about == "library":
        return _remark(trace, "difference", "host_new")
    return _remark(trace, "difference", "host_part")


def _is_inside(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".internal", ".local"))
    return not address.is_global


def _known_host(trace: Trace, rules: list[HostRule]) -> Iterator[Remark]:
    call = trace.call
    if call.port is not None and all(rule.port != call.port for rule in rules):
        yield _remark(trace, "difference", "host_port", port=str(call.port))
        return
    allowed = [rule for rule in rules if not call.method or call.method in _methods(rule)]
    if not allowed:
        key = (
            "host_write"
            if call.method in _WRITES and not any(_may_write(rule) for rule in rules)
            else "host_method"
        )
        yield _remark(trace, "difference", key, method=call.method)
        return
    if call.path is not None and not call.linked:
        yield from _path(trace, call.path, allowed)


def _methods(rule: HostRule) -> frozenset[str]:
    if rule.methods:
        return frozenset(rule.methods)
    return _READS | _WRITES if rule.effect == "write" else _READS


def _may_write(rule: HostRule) -> bool:
    return bool(_methods(rule) & _WRITES)


def _path(trace: Trace, path: str, rules: list[HostRule]) -> Iterator[Remark]:
    path = HOLE.join(quote(part, safe="/%!$&'()*+,;=:@-._~") for part in path.split(HOLE)) or "/"
    verdicts = {_lies(path, rule) for rule in rules}
    if "inside" in verdicts:
        return
    shown = path.replace(HOLE, "…")
    if "several" in verdicts:
        yield _remark(trace, "difference", "host_exact")
    elif "open" in verdicts:
        yield _remark(trace, "doubt", "host_path_open")
    else:
        yield _remark(trace, "difference", "host_path", path=shown)


def _lies(path: str, rule: HostRule) -> Literal["inside", "outside", "open", "several"]:
    """`several`: the rule names one exact page and the path may be that one or others."""
    prefix = quote(rule.path.rstrip("/"), safe="/%!$&'()*+,;=:@-._~")
    known, hole, _ = path.partition(HOLE)
    if not prefix and not rule.exact:
        return "inside"
    if rule.exact:
        if not hole:
            return "inside" if path.rstrip("/") == prefix else "outside"
        return "several" if prefix.startswith(known.rstrip("/")) or known.startswith(prefix) else "outside"
    if known.rstrip("/") == prefix or known.startswith(f"{prefix}/"):
        return "inside" if ".." not in path.split("/") else "outside"
    return "open" if hole and prefix.startswith(known) else "outside"


def _secrets_there(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    host, call = trace.finding.what, trace.call
    bound = {use.name: canonical(use.host) for use in manifest.secrets}
    for name in sorted(call.secrets):
        if host and name in bound and bound[name] != host:
            yield _remark(trace, "difference", "secret_elsewhere", what=name, host=host)
    if call.insecure:
        gets_secret = bool(call.secrets) or host in bound.values() or (not host and bool(bound))
        if gets_secret:
            yield _remark(trace, "refusal", "refuse_insecure")
        else:
            yield _remark(trace, "difference", "host_insecure")


def _secret(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    name = trace.finding.what
    if trace.about == "environment":
        yield _remark(trace, "difference", "secret_environment")
    elif not trace.finding.certain:
        yield _remark(trace, "doubt", "secret_unknown")
    elif name not in {use.name for use in manifest.secrets}:
        of_channel = name in {channel.secret for channel in manifest.channels}
        yield _remark(trace, "difference", "secret_channel" if of_channel else "secret_new")


def _file(trace: Trace, _manifest: Manifest) -> Iterator[Remark]:
    if trace.about == "platform":
        yield _remark(trace, "refusal", "refuse_platform")
    elif not trace.finding.certain:
        yield _remark(trace, "doubt", "file_unknown")
    else:
        yield _remark(trace, "difference", f"file_{trace.about}")


def _dynamic(trace: Trace, _manifest: Manifest) -> Iterator[Remark]:
    if trace.about == "decoded":
        yield _remark(trace, "refusal", "refuse_decoded")
    elif trace.about == "changed":
        yield _remark(trace, "doubt", "changed")
    elif trace.finding.certain:
        yield _remark(trace, "difference", "dynamic_code")
    else:
        yield _remark(trace, "doubt", "dynamic_code_unknown")


def _native(trace: Trace, _manifest: Manifest) -> Iterator[Remark]:
    yield _remark(trace, "refusal", "refuse_native")


def _always(key: str) -> Callable[[Trace, Manifest], Iterator[Remark]]:
    """The plan has no place to say this, so it is always a difference."""

    def judge(trace: Trace, _manifest: Manifest) -> Iterator[Remark]:
        yield _remark(trace, "difference", key)

    return judge


def _state(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    if not manifest.state:
        yield _remark(trace, "difference", "state")


def _channel(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    if not trace.finding.certain:
        yield _remark(trace, "doubt", "channel_unknown")
    elif trace.finding.what not in {channel.kind for channel in manifest.channels}:
        yield _remark(trace, "difference", "channel_new")


def _model(trace: Trace, manifest: Manifest) -> Iterator[Remark]:
    if manifest.tokens.per_run == 0:
        yield _remark(trace, "difference", "model")


def _package(trace: Trace, _manifest: Manifest) -> Iterator[Remark]:
    if trace.about == "miner":
        yield _remark(trace, "refusal", "refuse_miner")
    elif trace.about == "browser":
        yield _remark(trace, "difference", "package_browser")
    elif trace.about == "power":
        yield _remark(trace, "doubt", "package_power")
    else:
        yield _remark(trace, "difference", "package_missing")


_JUDGES: dict[str, Callable[[Trace, Manifest], Iterator[Remark]]] = {
    "host": _host,
    "secret": _secret,
    "file": _file,
    "subprocess": _always("subprocess"),
    "dynamic_code": _dynamic,
    "mail": _always("mail"),
    "socket": _always("socket"),
    "native": _native,
    "state": _state,
    "channel": _channel,
    "model": _model,
    "package": _package,
}
