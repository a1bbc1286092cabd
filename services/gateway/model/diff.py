"""How two versions of an agent differ, as a person reads it: code line by line, the rest in sentences. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.gateway.model.words import Language
from shared.agentfile.contract_changes import contract_diff
from shared.agentfile.describe import describe, describe_rules
from shared.agentfile.model import AgentFile, Channel, HostRule, Manifest, Schedule

# Decision: nobody reads more at once, and comparing takes time that grows with the square of the lines.
_MOST_LINES = 4000
_MOST_CHARACTERS = 60_000
_MOST_FILES = 60
_CONTEXT = 3

Moved = Literal["added", "removed", "changed"]


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class FileDiff(_Shown):
    """unified: the lines of a unified diff without its two head lines; "" for a file that is no text, or too long to
    compare. cut: there is more than is shown. added and removed count lines."""

    name: str
    change: Moved
    added: int = 0
    removed: int = 0
    unified: str = ""
    cut: bool = False


class Row(_Shown):
    change: Literal["added", "removed"]
    text: str


class ScheduleDiff(_Shown):
    """One sentence for each rule, the words of the time first; empty: only by hand."""

    before: tuple[str, ...]
    after: tuple[str, ...]


class ContractChange(_Shown):
    """Sentences: promises it no longer makes, and new or stricter ones."""

    weaker: tuple[str, ...] = ()
    stronger: tuple[str, ...] = ()


class Differences(_Shown):
    """Empty parts did not change. schedule null: the same. more_files: that many further files differ."""

    files: tuple[FileDiff, ...] = ()
    more_files: int = 0
    packages: tuple[Row, ...] = ()
    permissions: tuple[Row, ...] = ()
    schedule: ScheduleDiff | None = None
    contract: ContractChange = ContractChange()


def differences(
    before: AgentFile,
    after: AgentFile,
    files_before: Mapping[str, bytes],
    files_after: Mapping[str, bytes],
    language: Language,
) -> Differences:
    """What `after` is that `before` was not. agent.toml is told by the other parts and left out of the files."""
    files = [
        difference
        for name in sorted((files_before.keys() | files_after.keys()) - {"agent.toml"})
        if (difference := _file(name, files_before.get(name), files_after.get(name))) is not None
    ]
    weaker, stronger = contract_diff(before.contract, after.contract, language)
    same = before.schedule == after.schedule
    return Differences(
        files=tuple(files[:_MOST_FILES]),
        more_files=max(0, len(files) - _MOST_FILES),
        packages=_rows(before.agent.packages, after.agent.packages),
        permissions=_rows(
            tuple(_permissions(before.manifest, language)), tuple(_permissions(after.manifest, language))
        ),
        schedule=None
        if same
        else ScheduleDiff(before=_when(before.schedule, language), after=_when(after.schedule, language)),
        contract=ContractChange(weaker=weaker, stronger=stronger),
    )


def _file(name: str, before: bytes | None, after: bytes | None) -> FileDiff | None:
    """None when nothing changed."""
    if before == after:
        return None
    change: Moved = "added" if before is None else "removed" if after is None else "changed"
    old, new = _lines(before), _lines(after)
    if old is None or new is None or len(old) > _MOST_LINES or len(new) > _MOST_LINES:
        return FileDiff(name=name, change=change, cut=old is not None and new is not None)
    lines = list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]
    shown: list[str] = []
    room = _MOST_CHARACTERS
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    return FileDiff(
        name=name,
        change=change,
        added=sum(line.startswith("+") for line in lines),
        removed=sum(line.startswith("-") for line in lines),
        unified="\n".join(shown),
        cut=len(shown) < len(lines),
    )


def _lines(data: bytes | None) -> list[str] | None:
    """None: no text."""
    try:
        text = (data or b"").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text.split("\n")[: -1 if text.endswith("\n") or not text else None]


def _rows(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[Row, ...]:
    gone = [Row(change="removed", text=text) for text in before if text not in after]
    fresh = [Row(change="added", text=text) for text in after if text not in before]
    return (*gone, *fresh)


def _when(schedule: Schedule | None, language: Language) -> tuple[str, ...]:
    return () if schedule is None else (describe(schedule, language), *describe_rules(schedule, language))


def _permissions(manifest: Manifest, language: Language) -> Iterator[str]:
    """One sentence for each thing the agent may do."""
    ko = language == "ko"
    for rule in manifest.hosts:
        yield _host(rule, ko)
    for secret in manifest.secrets:
        name, host = secret.name, secret.host
        yield f"{name} 값을 {host}에만 보내요" if ko else f"Sends {name} to {host} only"
    for channel in manifest.channels:
        yield _channel(channel, ko)
    if manifest.state:
        yield "지난 실행을 기억해요" if ko else "Remembers between runs"
    yield _TAPES[manifest.tape][0 if ko else 1]
    tokens, limits = manifest.tokens, manifest.limits
    yield (
        f"토큰: 한 번에 {tokens.per_run:,}, 하루 {tokens.per_day:,}까지"
        if ko
        else f"Tokens: up to {tokens.per_run:,} a run, {tokens.per_day:,} a day"
    )
    yield (
        f"한 번에 {limits.wall_s}초, 메모리 {limits.memory_mb}MB, 디스크 {limits.disk_mb}MB까지"
        if ko
        else f"Up to {limits.wall_s} s, {limits.memory_mb} MB of memory and {limits.disk_mb} MB of disk a run"
    )


_TAPES = {
    "full": ("실행을 모두 기록해요", "Records everything a run sends and gets"),
    "headers": ("실행을 본문 없이 기록해요", "Records runs without the bodies"),
    "off": ("실행을 기록하지 않아요", "Records nothing of its runs"),
}


def _host(rule: HostRule, ko: bool) -> str:
    usual = 443 if rule.scheme == "https" else 80
    port = "" if rule.port == usual else f":{rule.port}"
    scheme = "http://" if rule.scheme == "http" else ""
    where = f"{scheme}{rule.host}{port}{rule.path}"
    methods = f" ({', '.join(rule.methods)})" if rule.methods else ""
    exact = (", 이 주소만" if ko else ", this address alone") if rule.exact else ""
    if rule.effect == "read":
        return f"{where} 읽기{methods}{exact}" if ko else f"Reads {where}{methods}{exact}"
    return (
        f"{where} 바꾸거나 보내기{methods}{exact}" if ko else f"Changes or sends to {where}{methods}{exact}"
    )


def _channel(channel: Channel, ko: bool) -> str:
    to = f" ({channel.to or channel.secret})" if channel.to or channel.secret else ""
    name = {"inbox": ("받은 보고서", "the inbox"), "slack": ("슬랙", "Slack"), "email": ("이메일", "e-mail")}
    korean, english = name[channel.kind]
    return f"{korean}{to}로 보고" if ko else f"Reports to {english}{to}"
