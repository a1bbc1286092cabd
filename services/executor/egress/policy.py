"""What a run's host rules say about one request. Pure; asks no name service.

Read next: `paths.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.executor.egress.model import Effect
from services.executor.egress.paths import canonical_path, lies_under, rule_path
from shared.agentfile.model import HostRule
from shared.agentfile.shared_hosts import says_too_little
from shared.errors import BadRequest, NotAllowed
from shared.net.allowance import Allowance

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# A read rule may name POST (searches, model calls) and says why; the others change things by definition.
_READ_AT_MOST = _SAFE | {"POST"}


@dataclass(frozen=True)
class _Rule:
    scheme: str
    host: str
    port: int
    path: str
    methods: frozenset[str]
    effect: Effect
    exact: bool = False

    def covers(self, path: str) -> bool:
        """`path` in canonical spelling."""
        return path.rstrip("/") == self.path if self.exact else lies_under(path, self.path)

    def effect_of(self, method: str) -> Effect:
        return "write" if self.effect == "write" and method not in _SAFE else "read"


class Policy:
    """Rules that name no valid host (for example an unlisted address literal) match nothing, nor do rules that
    open a host which many people share without saying which part."""

    def __init__(self, hosts: Sequence[HostRule], allowance: Allowance) -> None:
        self._rules = tuple(rule for rule in (_compiled(host, allowance) for host in hosts) if rule)

    def check_host(self, scheme: str, host: str, port: int) -> None:
        """`host` canonical. Raises: NotAllowed, code `undeclared_host`, `undeclared_port` or
        `undeclared_scheme`, whichever is the nearest miss."""
        of_host = [rule for rule in self._rules if rule.host == host]
        if not of_host:
            raise NotAllowed(f"{host} is not among the hosts this agent may reach", code="undeclared_host")
        of_port = [rule for rule in of_host if rule.port == port]
        if not of_port:
            raise NotAllowed(f"{host} may not be reached on port {port}", code="undeclared_port")
        if not any(rule.scheme == scheme for rule in of_port):
            raise NotAllowed(f"{host} may not be reached by {scheme}", code="undeclared_scheme")

    def effect(self, scheme: str, host: str, port: int, method: str, path: str) -> Effect:
        """What an allowed request does, after the most specific rule that allows it (among equals the one
        that says write). `path` has no query.

        Raises: NotAllowed as `check_host`, or `undeclared_path`, `undeclared_method`; BadRequest
        `ambiguous_path` when only rules with a path could match and the path is not plain.
        """
        self.check_host(scheme, host, port)
        rules = [r for r in self._rules if (r.scheme, r.host, r.port) == (scheme, host, port)]
        under = _covering(rules, path)
        if not under:
            raise NotAllowed(f"{host} may be reached, but not {path[:200]}", code="undeclared_path")
        able = [rule for rule in under if method in rule.methods]
        if not able:
            raise NotAllowed(f"{method[:20]} is not allowed at {host}{path[:200]}", code="undeclared_method")
        return max(able, key=lambda rule: (len(rule.path), rule.effect == "write")).effect_of(method)


def _covering(rules: list[_Rule], path: str) -> list[_Rule]:
    try:
        plain = canonical_path(path)
    except BadRequest:
        anywhere = [rule for rule in rules if not rule.path and not rule.exact]
        if not anywhere or len(anywhere) < len(rules):
            # Some rule narrows this host down: a path that servers read differently could slip past it.
            raise
        return anywhere
    return [rule for rule in rules if rule.covers(plain)]


def _compiled(rule: HostRule, allowance: Allowance) -> _Rule | None:
    # 443 is the model's default for every scheme; nobody speaks plain http there.
    port = 80 if rule.scheme == "http" and rule.port == 443 else rule.port
    try:
        host, path = allowance.host(rule.host, port), rule_path(rule.path)
    except BadRequest:
        return None
    if says_too_little(host, path):
        return None
    named = frozenset(method.upper() for method in rule.methods)
    implied = _SAFE if rule.effect == "read" else _SAFE | _WRITES
    methods = (named or implied) - {"CONNECT", "TRACE"}
    if rule.effect == "read":
        methods &= _READ_AT_MOST
    return _Rule(rule.scheme, host, port, path, methods, rule.effect, rule.exact)
