"""The real package index, asked by the trusted side only: GET and HEAD, pages and the files they name.

The address is the operator's own, so it may lie inside a private network; what its pages name may only when
it does. Link-local and metadata addresses are refused for both.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from services.executor.environments import sentences
from services.executor.environments.pages import JSON_PAGE, IndexFile, Project, project_name, read_page
from shared.clock import Clock, SystemClock
from shared.errors import BadRequest, Misconfigured, TooLarge, Unavailable
from shared.net.addresses import is_global, is_metadata, is_multicast_or_unspecified
from shared.net.resolver import Resolver, system_resolver
from shared.net.tls import client_context

PAGE_BYTES = 64 << 20
_ACCEPT = f"{JSON_PAGE}, text/html;q=0.1"
_SILENCE_S = 30
_FRESH_S = 600  # how long a page is good for: the guard and the door ask for the same ones
_HOPS = 3
_KEPT = 8
_CHUNK = 256 << 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

Told = Callable[[int, int], None]
"""(bytes so far, bytes in all or 0)"""


class IndexSource:
    """url: says where the simple pages live, such as `https://<index>/simple`; asked once, when first needed.
    through: opens a connection to a proxy that knows the way there; None: it is dialled. Thread-safe."""

    def __init__(
        self,
        url: Callable[[], str],
        *,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        through: Callable[[], socket.socket] | None = None,
    ) -> None:
        self._through = through
        self._find = url
        self._resolver = resolver
        self._tls = tls
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._pages: dict[str, tuple[float, Project | None]] = {}
        self._idle: dict[tuple[str, str, int], list[http.client.HTTPConnection]] = {}
        self._private: bool | None = None

    @functools.cached_property
    def url(self) -> str:
        """Raises Misconfigured for an address that is neither https nor on this machine."""
        found = self._find().rstrip("/") + "/"
        parts = urlsplit(found)
        if parts.scheme != "https" and not (parts.scheme == "http" and self._plain(parts.hostname or "")):
            raise Misconfigured("The package index (AB_PACKAGE_INDEX) must be addressed with https://.")
        return found

    def _plain(self, host: str) -> bool:
        """Whether it may be spoken to without encryption."""
        return self._through is not None or host in _LOOPBACK

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def project(self, name: str) -> Project | None:
        """None when the index has no project of that name. Raises Unavailable when it does not answer."""
        canonical = project_name(name)
        if canonical is None:
            return None
        now = self._clock.monotonic()
        with self._lock:
            at, known = self._pages.get(canonical, (-_FRESH_S, None))
        if now - at < _FRESH_S:
            return known
        found = self._page(canonical)
        with self._lock:
            stale = [name for name, (at, _) in self._pages.items() if now - at >= _FRESH_S]
            for name in stale:
                del self._pages[name]
            self._pages[canonical] = (now, found)
        return found

    def download(self, file: IndexFile, into: Path, max_bytes: int, told: Told) -> None:
        """The file's bytes, verified by its sha256; `into` holds nothing useful when this raises."""
        digest, size = hashlib.sha256(), 0
        with self.answer("GET", file.url, {}) as answer, into.open("wb") as target:
            if answer.status != 200:
                raise Unavailable(f"The package index answered {answer.status} for {file.name}.")
            total = int(answer.headers.get("content-length") or file.size or 0)
            while part := _part(answer):
                size += len(part)
                if size > max_bytes:
                    raise TooLarge(
                        f"{file.name} is larger than {max_bytes >> 20} MB.", code="package_too_big"
                    )
                digest.update(part)
                target.write(part)
                told(size, total)
        if size < total:
            raise Unavailable("The package index broke off.", code="index_unreachable")
        if digest.hexdigest() != file.sha256:
            raise BadRequest(f"{file.name} does not match its hash.", code="wrong_hash")

    @contextmanager
    def answer(self, method: str, url: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """One exchange, redirects followed. The connection is kept when the answer was read to its end."""
        for _hop in range(_HOPS + 1):
            place = self._place(url)
            connection, answer = self._ask(place, method, url, headers)
            location = answer.headers.get("location")
            if answer.status in (301, 302, 303, 307, 308) and location:
                connection.close()
                url = urljoin(url, location)
                continue
            try:
                yield answer
            finally:
                if answer.isclosed() and not answer.will_close:
                    self._keep(place, connection)
                else:
                    connection.close()
            return
        raise Unavailable("The package index redirects in circles.")

    def close(self) -> None:
        with self._lock:
            kept, self._idle = self._idle, {}
        for connections in kept.values():
            for connection in connections:
                connection.close()

    def _page(self, name: str) -> Project | None:
        url = f"{self.url}{name}/"
        with self.answer("GET", url, {"accept": _ACCEPT, "accept-encoding": "gzip"}) as answer:
            body = _whole(answer)
            if answer.status == 404:
                return None
            if answer.status != 200:
                code = "index_unreachable" if answer.status == http.HTTPStatus.BAD_GATEWAY else ""
                raise Unavailable(f"The package index answered {answer.status} for {name}.", code=code)
            try:
                return read_page(name, body, answer.headers.get("content-type") or "", url)
            except (ValueError, KeyError, TypeError) as error:
                raise Unavailable(f"The package index's page of {name} is unreadable.") from error

    def _ask(
        self, place: tuple[str, str, int], method: str, url: str, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        target = path if self._through is None else f"http://{parts.netloc}{path}"
        sent = {"user-agent": "AgentBuilder/1", "accept-encoding": "identity", **headers}
        while True:
            kept = self._take(place)
            connection = kept or self._connect(place)
            try:
                connection.request(method, target, headers=sent)
                return connection, connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept is None:
                    raise Unavailable(f"{place[1]} broke off.", code="index_unreachable") from error

    def _place(self, url: str) -> tuple[str, str, int]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain_too = urlsplit(self.url).scheme == "http" and self._plain(host)
        if parts.scheme != "https" and not (parts.scheme == "http" and plain_too):
            raise BadRequest(f"The package index leads to {host} without encryption.", code="plain_http")
        return parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80)

    def _connect(self, place: tuple[str, str, int]) -> http.client.HTTPConnection:
        scheme, host, port = place
        connection = http.client.HTTPConnection(host, port, timeout=_SILENCE_S)
        connection.auto_open = 0
        if self._through is not None:
            connection.sock = self._through()
            connection.sock.settimeout(_SILENCE_S)
            return connection
        for address in self._addresses(host, port):
            with suppress(OSError):
                plain = socket.create_connection((address, port), timeout=_SILENCE_S)
                if scheme == "https":
                    self._tls = self._tls or client_context()
                    connection.sock = self._tls.wrap_socket(plain, server_hostname=host)
                else:
                    connection.sock = plain
                return connection
        raise Unavailable(f"{host} cannot be reached.", code="index_unreachable")

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        try:
            found = tuple(self._resolver(host, port))
        except BadRequest as error:
            raise Unavailable(f"There is no host {host}.", code="index_unreachable") from error
        parsed = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
        if any(is_metadata(address) or is_multicast_or_unspecified(address) for address in parsed):
            raise BadRequest(f"{host} leads to an address that is never reachable.", code="address_refused")
        private = not all(is_global(address) for address in parsed)
        if host == self._host:
            self._private = private
        elif private and not self._is_private():
            raise BadRequest(f"{host} leads into a private network.", code="address_refused")
        return found

    def _is_private(self) -> bool:
        if self._private is None:
            self._addresses(self._host, 443)
        return bool(self._private)

    def _take(self, place: tuple[str, str, int]) -> http.client.HTTPConnection | None:
        with self._lock:
            kept = self._idle.get(place)
            return kept.pop() if kept else None

    def _keep(self, place: tuple[str, str, int], connection: http.client.HTTPConnection) -> None:
        with self._lock:
            kept = self._idle.setdefault(place, [])
            if len(kept) < _KEPT:
                kept.append(connection)
                return
        connection.close()


def _part(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("The package index broke off.", code="index_unreachable") from error


def _whole(answer: http.client.HTTPResponse) -> bytes:
    """The body, unpacked. Raises Unavailable over PAGE_BYTES: no page is that long."""
    packed = answer.headers.get("content-encoding") == "gzip"
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    body = bytearray()
    try:
        while part := _part(answer):
            body += inflate.decompress(part, PAGE_BYTES) if packed else part
            if len(body) > PAGE_BYTES or inflate.unconsumed_tail:
                raise Unavailable("The package index sent a page without end.")
    except zlib.error as error:
        raise Unavailable("The package index's page is unreadable.") from error
    return bytes(body)


@contextmanager
def said_to_people() -> Iterator[None]:
    """An index that cannot be reached is Unavailable in a sentence for people, with the same code."""
    try:
        yield
    except Unavailable as error:
        if error.code == "index_unreachable":
            raise Unavailable(sentences.no_answer(), code=error.code) from error
        raise
