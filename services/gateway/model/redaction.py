"""Finds keys, webhook addresses and passwords in what a person wrote, before anything is stored. Pure.

It errs on the side of hiding: a long random word next to "key" is taken for a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_URL = re.compile(r"https?://[^\s<>\"'`()\[\]{}|\\^]+", re.IGNORECASE)
_TRAILING = ".,;:!?…。、)」』”’"
# Words that say "this address is a webhook".
_WEBHOOK_WORDS = re.compile(r"웹\s?훅|web-?\s?hook|incoming\s+hook|슬랙\s*주소|slack\s+url", re.IGNORECASE)
_SLACK_WORDS = re.compile(r"슬랙|slack", re.IGNORECASE)
_ASKS_FOR_SECRET = re.compile(
    r"비밀\s*번호|password|api\s*키|api[\s_-]?key|토큰|token|시크릿|secret", re.IGNORECASE
)
_NEAR = 40
_SLACK_PATH = re.compile(r"^/(?:services|workflows|triggers)/[A-Za-z0-9]+/[A-Za-z0-9]+", re.IGNORECASE)
_DISCORD_PATH = re.compile(r"^/api/(?:v\d+/)?webhooks/\d+/\S+", re.IGNORECASE)
_HOOK_PATH = re.compile(r"/(?:web)?hooks?(?:/|$)", re.IGNORECASE)
_SECRET_QUERY = re.compile(
    r"[?&](?:token|key|api_?key|secret|sig|signature|access_token|password)=[^&]{8,}", re.IGNORECASE
)

_SHAPES = (
    ("OPENAI_API_KEY", re.compile(r"\bsk-(?!ant-)[A-Za-z0-9_-]{16,}")),
    ("ANTHROPIC_API_KEY", re.compile(r"\bsk-ant-[A-Za-z0-9_-]{16,}")),
    ("SLACK_TOKEN", re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}")),
    ("SLACK_TOKEN", re.compile(r"\bxapp-[A-Za-z0-9-]{10,}")),
    ("GITHUB_TOKEN", re.compile(r"\b(?:gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")),
    ("GITLAB_TOKEN", re.compile(r"\bglpat-[A-Za-z0-9_-]{16,}")),
    ("AWS_ACCESS_KEY_ID", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("GOOGLE_API_KEY", re.compile(r"\bAIza[A-Za-z0-9_-]{30,}")),
    ("STRIPE_KEY", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("TELEGRAM_BOT_TOKEN", re.compile(r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b")),
    ("JSON_WEB_TOKEN", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
    (
        "PRIVATE_KEY",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
    ),
)
_JOIN = r"(?:\s*(?:은|는|이|가|:|=|->|→|is|as)\s*|\s+)[\"'`“‘]?"
_NAMED_KEY = re.compile(
    r"(?:api[\s_-]?key|access[\s_-]?key|secret(?:[\s_-]?key)?|auth[\s_-]?key|token|key|api\s*키|인증\s*키|시크릿\s*키|"
    r"시크릿|비밀\s*키|토큰|키|bearer)" + _JOIN + r"(?P<value>[A-Za-z0-9+/_.=~-]{16,})",
    re.IGNORECASE,
)
_NAMED_PASSWORD = re.compile(
    r"(?:비밀\s*번호|패스워드|암호|비번|password|passwd|passcode|\bpw\b)"
    r"(?P<join>\s*(?:은|는|이|가|:|=|->|→|is)\s*|\s+)[\"'`“‘]?(?P<value>[!-~]{4,128})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """One secret in a text: where, a name to keep it under, its own host ("" unless an address)."""

    start: int
    end: int
    name: str
    value: str
    host: str = ""
    channel: bool = False


def find_secrets(text: str, asked: str = "") -> list[Found]:
    """In the order of the text, never overlapping. asked: the question that `text` answers, if it does."""
    found = [*_addresses(text, asked), *_shapes(text), *_named(text), *_answered(text, asked)]
    # Where two overlap, the earlier kind knows more about it (an address, then a known shape, then a word).
    kept: list[Found] = []
    for item in found:
        if all(item.end <= other.start or item.start >= other.end for other in kept):
            kept.append(item)
    return sorted(kept, key=lambda item: item.start)


def replaced(text: str, found: list[Found], names: list[str], language: str) -> str:
    """The text with a readable mention of names[i] in place of found[i]."""
    parts, last = [], 0
    for item, name in zip(found, names, strict=True):
        parts += [text[last : item.start], mention(name, language)]
        last = item.end
    return "".join([*parts, text[last:]])


def mention(name: str, language: str) -> str:
    return f"[보관함: {name}]" if language == "ko" else f"[vault: {name}]"


def own_host(url: str) -> str:
    """The host an address would be called at: `host`, or `host:port` when the port is not 443. "" if none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    number = port or (80 if parts.scheme.lower() == "http" else 443)
    if not host:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return shown if number == 443 else f"{shown}:{number}"


def _answered(text: str, asked: str) -> list[Found]:
    """One long word given to a question about a key or a password."""
    value = text.strip()
    if len(value) < 8 or " " in value or "://" in value or not _ASKS_FOR_SECRET.search(asked):
        return []
    start = text.index(value)
    return [Found(start, start + len(value), "API_KEY", value)]


def _addresses(text: str, asked: str) -> list[Found]:
    found_urls = _URL.finditer(text)
    spans = [(match.start(), match.start() + len(match.group().rstrip(_TRAILING))) for match in found_urls]
    webhooks = _spoken_of(_WEBHOOK_WORDS, text, spans)
    slacks = _spoken_of(_SLACK_WORDS, text, spans)
    asked_for = bool(_WEBHOOK_WORDS.search(asked))
    found = []
    for start, end in spans:
        url = text[start:end]
        name = _webhook_name(url, called=asked_for or (start, end) in webhooks, slack=(start, end) in slacks)
        if name:
            channel = name.endswith("WEBHOOK_URL")
            found.append(Found(start, end, name, url, own_host(url), channel=channel))
    return found


def _spoken_of(words: re.Pattern[str], text: str, spans: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """The addresses words speak of: each of the nearest one, of the following one when both are as near."""
    spoken = set()
    for match in words.finditer(text):
        if any(start <= match.start() < end for start, end in spans):
            continue  # part of an address, such as a page about webhooks
        nearest = min(((_gap(match, span), span[0] < match.start(), span) for span in spans), default=None)
        if nearest is not None and nearest[0] <= _NEAR:
            spoken.add(nearest[2])
    return spoken


def _gap(word: re.Match[str], span: tuple[int, int]) -> int:
    """Characters between a word and an address."""
    return span[0] - word.end() if span[0] >= word.end() else word.start() - span[1]


def _webhook_name(url: str, *, called: bool, slack: bool) -> str | None:
    """called: a word for webhook stands beside it; slack: Slack is spoken of there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    if parts.username or parts.password:
        return "ADDRESS_WITH_PASSWORD"
    if host in ("discord.com", "discordapp.com") and _DISCORD_PATH.match(parts.path):
        return "DISCORD_WEBHOOK_URL"
    if host == "hooks.slack.com" or _SLACK_PATH.match(parts.path) or called:
        return "SLACK_WEBHOOK_URL"
    if _HOOK_PATH.search(parts.path) and (slack or _long_token(parts.path + parts.query)):
        return "SLACK_WEBHOOK_URL"
    return "ADDRESS_WITH_KEY" if _SECRET_QUERY.search(url) else None


def _long_token(text: str) -> bool:
    return any(len(part) >= 8 and re.search(r"\d", part) for part in re.split(r"[/?&=]", text))


def _shapes(text: str) -> list[Found]:
    return [
        Found(match.start(), match.end(), name, match.group())
        for name, shape in _SHAPES
        for match in shape.finditer(text)
    ]


def _named(text: str) -> list[Found]:
    found = []
    for match in _NAMED_PASSWORD.finditer(text):
        start, end = match.span("value")
        value = text[start:end].rstrip("\"'`,;.")
        if match["join"].strip() not in ("", "is") or not value.isalpha():
            found.append(Found(start, start + len(value), "PASSWORD", value))
    for match in _NAMED_KEY.finditer(text):
        start, end = match.span("value")
        value = text[start:end].rstrip("\"'`,;.")
        if _looks_random(value):
            found.append(Found(start, start + len(value), "API_KEY", value))
    return [item for item in found if item.value]


def _looks_random(value: str) -> bool:
    """Letters and digits mixed, or hex, or mixed case: not a word, a file name or a path of words."""
    if len(value) < 16 or "://" in value:
        return False
    digits = sum(character.isdigit() for character in value)
    mixed = any(c.islower() for c in value) and any(c.isupper() for c in value)
    return digits >= 3 or (mixed and "." not in value)
