"""The plan for watching shops or pages: agent file, the bundle's files, the sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from services.planner.recipes.addresses import PRACTICE_HOST, short_name
from services.planner.recipes.found import found_sentence
from services.planner.recipes.program import package_names, requirements_lock, watch_program
from services.planner.recipes.readme import readme
from services.planner.recipes.says import says
from services.planner.recipes.talk import Estimate, LookFound, PackageUse, Propose, SecretNeed
from shared.agentfile.describe import describe
from shared.agentfile.model import AgentFile, AgentMeta, Channel, Check, HostRule, Manifest, Schedule

SLACK_SECRET, SLACK_HOST = "SLACK_WEBHOOK_URL", "hooks.slack.com"
PACE_S = 1.0
# Of a path that every server reads the same way; only such a path can narrow a host rule down.
_PLAIN_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?!2[FfEe5]|5[Cc]|00)[0-9A-Fa-f]{2})+)+/?")
_PRACTICE_NAMES = {
    "/shop-a": ("연습 가게 A", "Practice shop A"),
    "/shop-b": ("연습 가게 B", "Practice shop B"),
    "/shop-c": ("연습 가게 C", "Practice shop C"),
}


@dataclass(frozen=True)
class Wanted:
    """Everything that is known when nothing is missing any more. `schedule` None: run by hand only."""

    language: Literal["ko", "en"]
    looks: tuple[LookFound, ...]
    schedule: Schedule | None
    channels: tuple[Literal["inbox", "slack"], ...]
    keywords: bool
    noun: Literal["item", "entry"]
    wont: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    known_secrets: frozenset[str] = frozenset()


def propose(wanted: Wanted) -> Propose:
    agent_file = AgentFile(
        agent=AgentMeta(
            name=_title(wanted),
            summary=_summary(wanted),
            language=wanted.language,
            packages=package_names(),
        ),
        schedule=wanted.schedule,
        manifest=Manifest(
            hosts=_hosts(wanted),
            channels=tuple(_channel(kind, wanted.language) for kind in wanted.channels),
            state=True,
        ),
        contract=_contract(wanted),
    )
    files = dict(watch_program())
    files["settings.json"] = _settings(wanted)
    files["README.md"] = _readme(wanted, agent_file)
    return Propose(
        agent_file=agent_file,
        files=files,
        requirements_lock=requirements_lock(),
        summary=agent_file.agent.summary,
        steps=_steps(wanted),
        packages=tuple(
            PackageUse(name, says(wanted.language, f"package_{name}")) for name in package_names()
        ),
        found=tuple(_found(look, wanted) for look in wanted.looks),
        wont=(*wanted.wont, says(wanted.language, "wont_act"), says(wanted.language, "wont_model")),
        estimate=Estimate(seconds=_seconds(wanted)),
        secrets=_secrets(wanted),
        assumed=wanted.assumed,
    )


def _source_name(address: str, language: str) -> str:
    parts = urlsplit(address)
    if parts.hostname == PRACTICE_HOST:
        names = _PRACTICE_NAMES.get("/" + parts.path.split("/")[1])
        if names:
            return names[0 if language == "ko" else 1]
    return short_name(address)


def _found(look: LookFound, wanted: Wanted) -> str:
    name = _source_name(look.address, wanted.language)
    return found_sentence(look, name, wanted.language, wanted.noun)


def _readable(wanted: Wanted) -> list[LookFound]:
    return [look for look in wanted.looks if look.ok]


def _page(look: LookFound) -> str:
    return look.final_address or look.address


def _title(wanted: Wanted) -> str:
    looks = _readable(wanted)
    hosts = list(dict.fromkeys((urlsplit(_page(look)).netloc).removeprefix("www.") for look in looks))
    practice = all(urlsplit(_page(look)).hostname == PRACTICE_HOST for look in looks)
    first = says(wanted.language, "practice_name") if practice else hosts[0][:40]
    more = says(wanted.language, "and_more", count=len(hosts) - 1) if len(hosts) > 1 else ""
    return says(wanted.language, f"title_{wanted.noun}", place=first + more)[:80]


def _summary(wanted: Wanted) -> str:
    language = wanted.language
    when = describe(wanted.schedule, language) if wanted.schedule else says(language, "when_by_hand")
    return says(
        language,
        "summary",
        when=when,
        pages=says(
            language, "pages_one" if len(_readable(wanted)) == 1 else "pages", count=len(_readable(wanted))
        ),
        noun=says(language, f"noun_{wanted.noun}"),
        keywords=says(language, "summary_keywords") if wanted.keywords else "",
        channels=says(language, "and").join(says(language, f"channel_{kind}") for kind in wanted.channels),
    )


def _steps(wanted: Wanted) -> tuple[str, ...]:
    language, noun = wanted.language, says(wanted.language, f"noun_{wanted.noun}")
    reads = [
        says(language, "step_read", name=_source_name(look.address, language)) for look in _readable(wanted)
    ]
    keywords = [says(language, "step_keywords")] if wanted.keywords else []
    sends = [says(language, f"step_send_{kind}") for kind in wanted.channels]
    return (
        *reads,
        says(language, "step_compare", noun=noun),
        *keywords,
        says(language, "step_report"),
        *sends,
    )


def _hosts(wanted: Wanted) -> tuple[HostRule, ...]:
    """For each page one rule with its path, its feed's if it has one, and one for the site's robots.txt."""
    rules: dict[tuple[str, int, str, str], HostRule] = {}
    for look in _readable(wanted):
        page = _page(look)
        whys = [(page, "why_page"), (look.feed, "why_feed"), (_robots(page), "why_robots")]
        for address, why in whys:
            if address:
                rule = _host_rule(address, says(wanted.language, why))
                rules.setdefault((rule.scheme, rule.port, rule.host, rule.path), rule)
    anywhere = {(rule.scheme, rule.port, rule.host) for rule in rules.values() if not rule.path}
    return tuple(
        rule
        for rule in rules.values()
        if not rule.path or (rule.scheme, rule.port, rule.host) not in anywhere
    )


def _robots(page: str) -> str:
    parts = urlsplit(page)
    return f"{parts.scheme}://{parts.netloc}/robots.txt"


def _host_rule(address: str, why: str) -> HostRule:
    parts = urlsplit(address)
    scheme: Literal["http", "https"] = "http" if parts.scheme == "http" else "https"
    port = parts.port or (80 if scheme == "http" else 443)
    path = parts.path.rstrip("/") if _PLAIN_PATH.fullmatch(parts.path) else ""
    if "/." in path:
        path = ""
    return HostRule(host=(parts.hostname or "").lower(), port=port, scheme=scheme, path=path, why=why)


def _channel(kind: Literal["inbox", "slack"], language: str) -> Channel:
    if kind == "slack":
        return Channel(kind="slack", secret=SLACK_SECRET, why=says(language, "why_channel"))
    return Channel(kind="inbox", why=says(language, "why_channel"))


def _secrets(wanted: Wanted) -> tuple[SecretNeed, ...]:
    if "slack" not in wanted.channels:
        return ()
    known = SLACK_SECRET in wanted.known_secrets
    return (SecretNeed(SLACK_SECRET, SLACK_HOST, says(wanted.language, "why_slack_secret"), known),)


def _contract(wanted: Wanted) -> tuple[Check, ...]:
    """Holds when every source was read and had entries, also on a day with nothing new."""
    language, count = wanted.language, len(_readable(wanted))
    sources = "outputs/sources.csv"
    return (
        Check(
            check="rows", path=sources, min=count, max=count, says=says(language, "check_all", count=count)
        ),
        Check(
            check="fields",
            path=sources,
            fields=("result",),
            contains=("ok",),
            says=says(language, "check_ok"),
        ),
        Check(check="fields", path=sources, fields=("items",), min=1, says=says(language, "check_read")),
        Check(check="rows", path="outputs/items.csv", min=1, says=says(language, "check_items")),
        Check(check="file", path="outputs/report.md", min=1, says=says(language, "check_report")),
        Check(check="file", path="outputs/report.xlsx", min=1, says=says(language, "check_workbook")),
        Check(check="delivered", contains=tuple(wanted.channels), says=says(language, "check_delivered")),
    )


def _settings(wanted: Wanted) -> bytes:
    language = wanted.language
    settings = {
        "title": _title(wanted),
        "language": language,
        "noun": wanted.noun,
        "sources": [
            {"name": name, "address": _page(look), "feed": look.feed}
            for name, look in zip(_names(wanted), _readable(wanted), strict=True)
        ],
        "keywords": wanted.keywords,
        "channels": list(wanted.channels),
        "pace_s": PACE_S,
    }
    return (json.dumps(settings, ensure_ascii=False, indent=2) + "\n").encode()


def _names(wanted: Wanted) -> list[str]:
    """A name for each source, no two alike."""
    names: list[str] = []
    for look in _readable(wanted):
        name = _source_name(look.address, wanted.language)
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    return names


def _readme(wanted: Wanted, agent_file: AgentFile) -> bytes:
    pages = "\n".join(
        f"- {name}: {_page(look)}" for name, look in zip(_names(wanted), _readable(wanted), strict=True)
    )
    text = readme(
        wanted.language,
        title=agent_file.agent.name,
        summary=agent_file.agent.summary,
        pages=pages,
        steps=_numbered(_steps(wanted)),
    )
    return text.encode()


def _numbered(steps: Sequence[str]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def _seconds(wanted: Wanted) -> int:
    """Start and report, and for each page about two reads at one a second."""
    return 4 + 2 * len(_readable(wanted))
