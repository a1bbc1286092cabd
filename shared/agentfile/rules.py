"""What an agent file must keep beyond its shape: addresses, channels, packages, schedule, checks that can be
evaluated. `toml.parse` calls it; whoever builds an `AgentFile` by hand (the planner, an edit) calls it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.agentfile.contract_rules import contract_problems
from shared.agentfile.model import AgentFile, Channel, HostRule, Language, Manifest
from shared.agentfile.packages import check_packages
from shared.agentfile.schedule import check_schedule
from shared.agentfile.shared_hosts import says_too_little
from shared.errors import BadRequest

MAX_HOSTS = 50
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_METHOD = re.compile(r"GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE")
_ADDRESS = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,190}\.[^@\s<>\"',;.]{2,63}")


def check_agent_file(agent_file: AgentFile, language: Language = "ko") -> None:
    """Raises BadRequest; `fields` names every key that breaks a rule, with what is expected there."""
    fields: dict[str, str] = {}
    for key, (ko, en) in [*_manifest_problems(agent_file.manifest), *contract_problems(agent_file.contract)]:
        fields.setdefault(key, ko if language == "ko" else en)
    try:
        check_packages(agent_file.agent.packages, language)
    except BadRequest as error:
        fields |= error.fields
    if agent_file.schedule is not None:
        try:
            check_schedule(agent_file.schedule, language)
        except BadRequest as error:
            fields |= error.fields
    if fields:
        raise BadRequest(next(iter(fields.values())), fields=fields)


def _manifest_problems(manifest: Manifest) -> Iterator[tuple[str, tuple[str, str]]]:
    if len(manifest.hosts) > MAX_HOSTS:
        yield "manifest.hosts", (f"주소는 {MAX_HOSTS}개까지예요.", f"At most {MAX_HOSTS} hosts.")
    for index, rule in enumerate(manifest.hosts):
        yield from _host_problems(f"manifest.hosts[{index}]", rule)
    names: set[str] = set()
    for index, secret in enumerate(manifest.secrets):
        key = f"manifest.secrets[{index}]"
        if not _HOST.fullmatch(secret.host):
            yield f"{key}.host", _HOST_SENTENCE
        if secret.name in names:
            yield f"{key}.name", ("같은 이름이 두 번 있어요.", "This name is there twice.")
        names.add(secret.name)
    for index, channel in enumerate(manifest.channels):
        yield from _channel_problems(f"manifest.channels[{index}]", channel)


_HOST_SENTENCE = (
    "소문자 도메인 이름 하나만 적어 주세요. 예: shop.example.com (https://, 경로, * 없이)",
    "Give one lowercase domain name such as shop.example.com (no https://, no path, no *).",
)


def _host_problems(key: str, rule: HostRule) -> Iterator[tuple[str, tuple[str, str]]]:
    if not _HOST.fullmatch(rule.host):
        yield f"{key}.host", _HOST_SENTENCE
    if rule.scheme == "http" and rule.port == 443:
        yield (
            f"{key}.port",
            (
                "http에는 포트도 적어 주세요. 보통 port = 80이에요.",
                "Name the port with http, usually port = 80.",
            ),
        )
    bad_path = rule.path and (
        not re.fullmatch(r"/[!-~]*", rule.path) or any(p in ("..", ".") for p in rule.path.split("/"))
    )
    if bad_path or "?" in rule.path or "#" in rule.path:
        yield (
            f"{key}.path",
            (
                "'/'로 시작하는 경로만 적어 주세요. 예: /new",
                "Give a path that starts with '/', such as /new.",
            ),
        )
    if says_too_little(rule.host, rule.path):
        yield (
            f"{key}.path",
            (
                f"{rule.host} 은 여러 사람이 함께 쓰는 곳이에요. 어느 경로인지 적어 주세요. 예: /my-name/folder",
                f"Many people share {rule.host}. Say which path, such as /my-name/folder.",
            ),
        )
    if not all(_METHOD.fullmatch(method) for method in rule.methods):
        yield (
            f"{key}.methods",
            (
                "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE 가운데 적어 주세요.",
                "Use GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.",
            ),
        )
    elif rule.effect == "read" and not set(rule.methods) <= {"GET", "HEAD", "OPTIONS", "POST"}:
        yield (
            f"{key}.effect",
            (
                'PUT, PATCH, DELETE는 effect = "write"여야 해요.',
                'PUT, PATCH and DELETE need effect = "write".',
            ),
        )
    elif rule.effect == "read" and "POST" in rule.methods and not rule.why:
        yield (
            f"{key}.why",
            ("POST인데 읽기만 하는 까닭을 적어 주세요.", "Say why this POST only reads."),
        )


def _channel_problems(key: str, channel: Channel) -> Iterator[tuple[str, tuple[str, str]]]:
    if channel.kind == "slack" and not re.fullmatch(r"[A-Z][A-Z0-9_]{1,63}", channel.secret or ""):
        yield (
            f"{key}.secret",
            (
                "웹훅 주소가 담긴 비밀의 이름을 적어 주세요. 예: SLACK_WEBHOOK_URL",
                "Name the secret that holds the webhook, e.g. SLACK_WEBHOOK_URL.",
            ),
        )
    if channel.kind == "email" and not _ADDRESS.fullmatch(channel.to or ""):
        yield (
            f"{key}.to",
            ("받는 이메일 주소를 적어 주세요.", "Give the e-mail address that receives it."),
        )
    if channel.kind != "slack" and channel.secret is not None:
        yield f"{key}.secret", ("slack에만 쓰는 항목이에요. 빼 주세요.", "Only for slack. Remove it.")
    if channel.kind != "email" and channel.to is not None:
        yield f"{key}.to", ("email에만 쓰는 항목이에요. 빼 주세요.", "Only for email. Remove it.")
