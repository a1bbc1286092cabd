"""What a sample is: an agent's files, its plan, and what a review must say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

from shared.agentfile.model import (
    AgentFile,
    AgentMeta,
    Channel,
    HostRule,
    Manifest,
    SecretUse,
    TokenCaps,
)

Wanted = tuple[str, str]


def plan(
    *hosts: str,
    packages: tuple[str, ...] = ("requests", "beautifulsoup4"),
    secrets: tuple[tuple[str, str], ...] = (),
    channels: tuple[str, ...] = ("inbox",),
    state: bool = False,
    tokens: int = 0,
) -> AgentFile:
    """`hosts`: "shop.example.com", "shop.example.com/new", "= …" for an exact page, "+ …" for one written to."""
    return AgentFile(
        agent=AgentMeta(name="견본", packages=packages),
        manifest=Manifest(
            hosts=tuple(map(_rule, hosts)),
            secrets=tuple(SecretUse(name=name, host=host, why="조회") for name, host in secrets),
            channels=tuple(_channel(kind) for kind in channels),
            state=state,
            tokens=TokenCaps(per_run=tokens, per_day=tokens),
        ),
    )


def _rule(text: str) -> HostRule:
    mark, _, place = text.rpartition(" ")
    host, slash, path = place.partition("/")
    return HostRule(
        host=host,
        path=slash + path,
        exact=mark == "=",
        effect="write" if mark == "+" else "read",
        why="읽어요",
    )


def _channel(kind: str) -> Channel:
    if kind == "slack":
        return Channel(kind="slack", secret="SLACK_WEBHOOK_URL")
    return Channel(kind="email", to="me@example.com") if kind == "email" else Channel(kind="inbox")


@dataclass(frozen=True)
class Sample:
    """
    found    (kind, what) of what must be found for certain
    cannot   (kind, what) of what must be found as "cannot tell"
    refused  whether it may not run
    Whatever else is found is a false finding.
    """

    name: str
    code: str
    plan: AgentFile
    found: tuple[Wanted, ...] = ()
    cannot: tuple[Wanted, ...] = ()
    refused: bool = False
    differs: bool = False
    more: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        texts = {"main.py": self.code} | self.more
        return {name: dedent(text).lstrip("\n").encode() for name, text in texts.items()}
