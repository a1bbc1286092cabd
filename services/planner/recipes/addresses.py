"""Web addresses in what a person writes: no scheme, several at once, Korean particles glued on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

PRACTICE_HOST = "practice.agentbuilder.test"
PRACTICE_ENTRANCE = f"https://{PRACTICE_HOST}/"
PRACTICE_PATHS = ("/shop-a/new", "/shop-b/", "/shop-c/")
MAX_CHARS = 2_000

# Endings of a bare name that mean an address rather than a file or a version. Reserved ones (RFC 2606, 6761)
# are in because examples use them.
_ENDINGS = (
    "com net org kr io shop store app dev me ai jp cn us uk eu de fr biz info site online xyz tv cc so page "
    "blog news mall market co gov edu asia club test example localhost"
)
_STOPS = r"\s<>\"'`|，、。「」『』“”‘’"
_FULL = rf"https?://[^{_STOPS}]+"
_BARE = (
    rf"(?<![@\w./%-])(?:(?:[a-z0-9가-힣](?:[a-z0-9가-힣-]*[a-z0-9가-힣])?\.)+"
    rf"(?:{_ENDINGS.replace(' ', '|')})(?![a-z0-9-]|\.[a-z0-9])"
    rf"(?::\d+)?(?:[/?][^{_STOPS}]*)?"
    rf"|(?:localhost|\d{{1,3}}(?:\.\d{{1,3}}){{3}})(?::\d+(?:/[^{_STOPS}]*)?|/[^{_STOPS}]*))"
)
_ADDRESS = re.compile(f"{_FULL}|{_BARE}", re.IGNORECASE)
_GLUED = re.compile(r"[,;](?=https?://|[\w가-힣-]+\.[\w가-힣])", re.IGNORECASE)
_TAIL = re.compile(r"^(.*?)([가-힣]+)$", re.DOTALL)
_PARTICLE = re.compile(
    r"(에서부터|에서의|에서는|에서도|에서만|에서|으로부터|으로|이랑|하고|까지|부터|에도|에는|"
    r"에게|이라는|라는|이란|이고|이에요|예요|"
    r"입니다|이야|을|를|은|는|이|가|와|과|랑|의|에|도|만|로|나)$"
)
_CLOSING = {")": "(", "]": "[", "}": "{"}

_SECRET_TEXT = re.compile(
    r"https?://hooks\.slack\.com/\S+|https?://\S{1,200}/webhooks?/\S+|https?://[^\s/]+/services/T\w+/\S+"
    r"|\b(?:xox[abeprs]-|sk-|ghp_|github_pat_|AKIA|AIza)[\w-]{8,}",
    re.IGNORECASE,
)
_SECRET_PARAMETER = re.compile(r"key|token|secret|passw|auth|signature|credential|session", re.IGNORECASE)


@dataclass(frozen=True)
class Addresses:
    """`urls` in the order written, each once. `with_secret`: how many were left out because they carry a
    password or key, which must never stand in a plan."""

    urls: tuple[str, ...] = ()
    with_secret: int = 0


def practice_addresses() -> tuple[str, ...]:
    return tuple(f"https://{PRACTICE_HOST}{path}" for path in PRACTICE_PATHS)


def read_addresses(text: str) -> Addresses:
    """Every address in `text` as a complete ASCII URL. `https` is assumed where no scheme is written, `http`
    for names of the machine itself (localhost, a numeric address)."""
    text, secrets = _SECRET_TEXT.subn(" ", text)
    urls: list[str] = []
    for match in _ADDRESS.finditer(_GLUED.sub(" ", text)):
        raw = match.group()
        url = _complete(_trim(raw)) if len(raw) <= MAX_CHARS else ""
        if not url or len(url) > MAX_CHARS:
            continue
        if _carries_secret(url):
            secrets += 1
        elif url not in urls:
            urls.append(url)
    return Addresses(tuple(urls), secrets)


def without_addresses(text: str) -> str:
    """`text` with every address blanked, so that its words are not read as wishes ("…/news")."""
    return _ADDRESS.sub(" ", _GLUED.sub(" ", _SECRET_TEXT.sub(" ", text)))


def short_name(url: str) -> str:
    """As shown to people and used as a source's name: "shop.example/new"."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    shown = parts.netloc.removeprefix("www.") + parts.path.rstrip("/") + query
    return shown if len(shown) <= 80 else shown[:79] + "…"


def same_site(one: str, other: str) -> bool:
    """Whether two addresses differ at most in scheme, "www." and what comes after the host."""
    first, second = urlsplit(one), urlsplit(other)
    return bool(first.hostname) and (first.hostname or "").removeprefix("www.") == (
        second.hostname or ""
    ).removeprefix("www.")


def _trim(raw: str) -> str:
    """Without closing punctuation and without Korean that belongs to the sentence."""
    raw = re.split(r"[(\[](?=[가-힣])", raw)[0]
    while raw:
        last = raw[-1]
        if last in ".,;:!?~…·" or (last in _CLOSING and raw.count(_CLOSING[last]) < raw.count(last)):
            raw = raw[:-1]
            continue
        shorter = _without_korean_end(raw)
        if shorter == raw:
            return raw
        raw = shorter
    return raw


def _without_korean_end(raw: str) -> str:
    """Hangul right after Latin letters is the sentence going on; after "/", "=", "-" or "_" it is part of the
    address and loses only a particle, unless a particle is all it is."""
    match = _TAIL.match(raw)
    if match is None:
        return raw
    before, run = match.groups()
    in_path = "/" in re.sub(r"^https?://", "", before) or "?" in before
    if before and (not in_path or before[-1] not in "/=-_+&%"):
        return str(before)
    stem = _PARTICLE.sub("", run)
    return raw if stem == run else before + (stem if len(stem) >= 2 else "")


def _complete(raw: str) -> str:
    """The URL in ASCII; "" when it is not a possible one."""
    if not re.match(r"https?://", raw, re.IGNORECASE):
        local = re.match(r"localhost|\d+\.\d+\.\d+\.\d+", raw, re.IGNORECASE)
        raw = f"{'http' if local else 'https'}://{raw}"
    try:
        parts = urlsplit(raw)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except (ValueError, UnicodeError):
        return ""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", host):
        return ""
    user = f"{parts.username}@" if parts.username or parts.password else ""
    place = f"{user}{host}" + (f":{port}" if port else "")
    return urlunsplit(
        (
            parts.scheme.lower(),
            place,
            quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"),
            quote(parts.query, safe="/%:@!$&'()*+,;=~-._?"),
            "",
        )
    )


def _carries_secret(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.username) or any(
        _SECRET_PARAMETER.search(name) and len(value) >= 8 for name, value in parse_qsl(parts.query)
    )
