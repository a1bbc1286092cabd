"""Which addresses are this door's own: the Host a request names, the Origin a page was loaded from. Pure.

Files that runs made are answered under another host name than the page, so that nothing in them is ever in the
page's origin: docs/decisions/ "files have a host name of their own".
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# RFC 6761, section 6.3: every name below localhost is this machine; browsers see to it without any set-up.
_FILES = "files.localhost"


def place(host: str, public_url: str, files_url: str = "") -> Literal["app", "files"] | None:
    """What is answered under that Host: the app, files only, or nothing (DNS rebinding, a stranger's name)."""
    split = _split(host)
    if split is None:
        return None
    name, _port = split
    if name == _FILES or (files_url and host.lower() == urlsplit(files_url).netloc.lower()):
        return "files"
    return "app" if own_host(host, public_url) else None


def own_host(host: str, public_url: str) -> bool:
    """Loopback names with any port, or exactly the public address; everything else is a stranger's name
    that happens to lead here (DNS rebinding)."""
    split = _split(host)
    if split is None:
        return False
    if split[0] in _LOOPBACK:
        return True
    return bool(public_url) and host.lower() == urlsplit(public_url).netloc.lower()


def files_origin(host: str, public_url: str, files_url: str = "") -> str:
    """Where a browser that sees the page under `host` finds files; "" when this door has no such name."""
    if files_url:
        return files_url
    split = _split(host)
    if split is None or split[0] not in _LOOPBACK:
        return ""
    return f"http://{_FILES}{split[1]}"


def other_loopback(host: str) -> str:
    """Where a program that calls the API under `host` finds files: names below localhost are known to browsers
    alone, and these two to everybody. "" when `host` is no loopback name."""
    split = _split(host)
    if split is None or split[0] not in _LOOPBACK:
        return ""
    name = "127.0.0.1" if split[0] == "localhost" else "localhost"
    return f"http://{name}{split[1]}"


def _split(host: str) -> tuple[str, str] | None:
    """(name, ":port" or ""), lower case; None for what is no Host at all."""
    text = host.lower()
    if text.startswith("["):
        name, _, port = text.partition("]")
        name += "]"
    else:
        name, colon, port = text.partition(":")
        port = colon + port
    digits = port.removeprefix(":")
    if port and (not port.startswith(":") or not (digits.isascii() and digits.isdigit())):
        return None
    return (name, port) if name else None


def own_origin(origin: str, scheme: str, host: str, public_url: str) -> bool:
    """The page that sends this request was served by this door."""
    if origin.lower() == f"{scheme}://{host}".lower():
        return True
    public = urlsplit(public_url)
    return bool(public_url) and origin.lower() == f"{public.scheme}://{public.netloc}".lower()


def secure(public_url: str) -> bool:
    return urlsplit(public_url).scheme == "https"
