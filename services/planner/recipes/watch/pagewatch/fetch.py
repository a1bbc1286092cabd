"""Reads one address at a time: GET only, one request a second per host, robots.txt asked first.

Every way this can go wrong becomes a `Problem` with a short status, so that one shop's bad day stays its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests

from .decode import decode
from .robots import ROBOT, Robots, read_robots

USER_AGENT = f"Mozilla/5.0 (compatible; {ROBOT}/1.0)"
PAGE_BYTES = 3_000_000
ROBOTS_BYTES = 512_000
CONNECT_S, READ_S, WHOLE_S = 10.0, 15.0, 40.0
REDIRECTS = 3
# The platform's way out answers by itself when a request is not let through or nothing answers behind it;
# the reason stands in the status line. Every other reason means that the address is not allowed.
_TUNNEL = re.compile(r"Tunnel connection failed: \d+ (\w+)")
_GATEWAY = {
    "timeout": "timeout",
    "unreachable": "refused",
    "no_answer": "refused",
    "no_such_host": "refused",
    "no_name_service": "refused",
    "bad_certificate": "refused",
    "unreadable_answer": "refused",
    "run_cap": "http_429",
}
TEXTS = ("text/", "xml", "html", "json")


class Problem(Exception):
    """Why an address could not be read.

    status  robots · http_NNN · timeout · refused · blocked · moved · not_html · too_large
    detail  what a person needs beside it: the new address of a page that moved, the type of a file
    """

    def __init__(self, status: str, detail: str = "") -> None:
        super().__init__(f"{status} {detail}".strip())
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Page:
    text: str
    address: str  # where the text was in the end, after redirects
    content_type: str


def place_of(address: str) -> str:
    """Host and path: "https://shop.example/new?page=1" → "shop.example/new"."""
    parts = urlsplit(address)
    return parts.netloc.lower() + (parts.path or "/").rstrip("/")


class Reader:
    """`pace_s` is the least time between two reads of one host; its robots.txt, read once, is not counted.

    `places` are where a redirect may lead: a host ("shop.example", "127.0.0.1:8000"), perhaps with the path
    that the target must lie under ("shop.example/new"). Anywhere else is a `moved` problem: it was never
    allowed.
    """

    def __init__(
        self,
        places: Collection[str],
        pace_s: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._places = [place.rstrip("/") for place in places]
        self._pace_s = pace_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._next_read: dict[str, float] = {}
        self._robots: dict[str, Robots] = {}
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": USER_AGENT, "Accept-Language": "ko,en;q=0.8", "Accept": "text/html,*/*;q=0.8"}
        )

    def read(self, address: str) -> Page:
        """The text behind `address`. Raises `Problem`."""
        for _ in range(REDIRECTS + 1):
            parts = urlsplit(address)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            if not self._robots_of(address).allows(path):
                raise Problem("robots")
            self._wait_for_turn(parts.netloc)
            response = self._get(address)
            with response:
                if not response.is_redirect:
                    return self._page(response, address)
                target = urljoin(address, response.headers["Location"])
            if not self._is_allowed(target):
                raise Problem("moved", target[:300])
            address = target
        raise Problem("moved", address[:300])

    def _is_allowed(self, target: str) -> bool:
        place = place_of(target)
        return any(place == allowed or place.startswith(f"{allowed}/") for allowed in self._places)

    def _page(self, response: requests.Response, address: str) -> Page:
        if response.status_code != 200:
            raise Problem(f"http_{response.status_code}")
        content_type = response.headers.get("Content-Type", "text/html").lower()
        if not any(kind in content_type for kind in TEXTS):
            raise Problem("not_html", content_type.partition(";")[0][:80])
        text = decode(self._body(response, PAGE_BYTES), content_type)
        return Page(text, address, content_type.partition(";")[0])

    def _robots_of(self, address: str) -> Robots:
        """RFC 9309: no file means all is allowed; a host whose robots.txt fails with 5xx is not read."""
        parts = urlsplit(address)
        if parts.netloc not in self._robots:
            with self._get(f"{parts.scheme}://{parts.netloc}/robots.txt") as response:
                if response.status_code >= 500:
                    raise Problem(f"http_{response.status_code}")
                text = decode(self._body(response, ROBOTS_BYTES)) if response.status_code == 200 else ""
            self._robots[parts.netloc] = read_robots(text)
        return self._robots[parts.netloc]

    def _wait_for_turn(self, host: str) -> None:
        wait_s = self._next_read.get(host, 0.0) - self._monotonic()
        if wait_s > 0:
            self._sleep(wait_s)
        self._next_read[host] = self._monotonic() + self._pace_s

    def _get(self, address: str) -> requests.Response:
        try:
            response = self._session.get(
                address, timeout=(CONNECT_S, READ_S), stream=True, allow_redirects=False
            )
        except requests.exceptions.ProxyError as error:
            tunnel = _TUNNEL.search(str(error))
            raise Problem(_GATEWAY.get(tunnel.group(1), "blocked") if tunnel else "refused") from error
        except requests.Timeout as error:
            raise Problem("timeout") from error
        except (requests.RequestException, ValueError) as error:
            raise Problem("refused") from error
        if "X-Egress-Gateway" in response.headers and "problem+json" in response.headers["Content-Type"]:
            response.close()
            raise Problem(_GATEWAY.get(response.reason.partition(":")[0], "blocked"))
        return response

    def _body(self, response: requests.Response, limit: int) -> bytes:
        """At most `limit` bytes within `WHOLE_S`: a page that drips for ever is a timeout."""
        end = self._monotonic() + WHOLE_S
        body = bytearray()
        try:
            for chunk in response.iter_content(65_536):
                body += chunk
                if len(body) > limit:
                    raise Problem("too_large")
                if self._monotonic() > end:
                    raise Problem("timeout")
        except requests.Timeout as error:
            raise Problem("timeout") from error
        except requests.RequestException as error:
            raise Problem("refused") from error
        return bytes(body)
