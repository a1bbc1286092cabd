"""Which addresses are this door's own: the Host a request names, the Origin a page was loaded from. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def own_host(host: str, public_url: str) -> bool:
    """Loopback names with any port, or exactly the public address; everything else is a stranger's name
    that happens to lead here (DNS rebinding)."""
    name, _, port = host.lower().partition("]") if host.startswith("[") else (host.lower(), "", "")
    if host.startswith("["):
        name, port = name + "]", port.removeprefix(":")
    else:
        name, _, port = name.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return False
    if name in _LOOPBACK:
        return True
    return bool(public_url) and host.lower() == urlsplit(public_url).netloc.lower()


def own_origin(origin: str, scheme: str, host: str, public_url: str) -> bool:
    """The page that sends this request was served by this door."""
    if origin.lower() == f"{scheme}://{host}".lower():
        return True
    public = urlsplit(public_url)
    return bool(public_url) and origin.lower() == f"{public.scheme}://{public.netloc}".lower()


def secure(public_url: str) -> bool:
    return urlsplit(public_url).scheme == "https"
