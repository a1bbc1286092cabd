"""Project pages of a package index ⇄ values: the JSON form of PEP 691, the HTML form of PEP 503. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

JSON_PAGE = "application/vnd.pypi.simple.v1+json"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")


@dataclass(frozen=True)
class IndexFile:
    """One file of a project. size 0 and uploaded None: the index does not say. metadata: sha256 of the
    metadata file beside it, "" when there is one of unknown hash, None when there is none."""

    name: str
    url: str
    sha256: str
    version: Version
    wheel: bool
    size: int = 0
    uploaded: datetime | None = None
    requires_python: str = ""
    yanked: bool = False
    metadata: str | None = None


@dataclass(frozen=True)
class Project:
    """Files in the index's order; those without a sha256 or with an unreadable name are left out."""

    name: str
    files: tuple[IndexFile, ...]


def project_name(text: str) -> str | None:
    """The canonical spelling, None for what no index has as a name."""
    return str(canonicalize_name(text)) if _NAME.fullmatch(text) else None


def read_page(name: str, body: bytes, content_type: str, url: str) -> Project:
    """Raises ValueError when the page is not what its type says."""
    if "json" in content_type:
        page = json.loads(body)
        entries = [_from_json(entry, url) for entry in page["files"] if isinstance(entry, dict)]
    else:
        reader = _Links()
        reader.feed(body.decode("utf-8", errors="replace"))
        entries = [_from_link(link, url) for link in reader.links]
    return Project(name, tuple(entry for entry in entries if entry is not None))


def write_page(project: Project, base: str) -> bytes:
    """The page as a door shows it: every file below `base`, by its hash."""
    files = []
    for file in project.files:
        entry: dict[str, Any] = {
            "filename": file.name,
            "url": f"{base}/files/{file.sha256}/{file.name}",
            "hashes": {"sha256": file.sha256},
        }
        if file.requires_python:
            entry["requires-python"] = file.requires_python
        if file.yanked:
            entry["yanked"] = True
        if file.size:
            entry["size"] = file.size
        if file.uploaded:
            entry["upload-time"] = file.uploaded.isoformat()
        if file.metadata is not None:
            entry["core-metadata"] = {"sha256": file.metadata} if file.metadata else True
        files.append(entry)
    return json.dumps({"meta": {"api-version": "1.0"}, "name": project.name, "files": files}).encode()


def _from_json(entry: dict[str, Any], page_url: str) -> IndexFile | None:
    hashes = entry.get("hashes")
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    told = entry.get("core-metadata", entry.get("dist-info-metadata"))
    metadata = str(told.get("sha256", "")) if isinstance(told, dict) else "" if told else None
    uploaded = entry.get("upload-time")
    size = entry.get("size")
    return _file(
        str(entry.get("filename")),
        urljoin(page_url, str(entry.get("url"))),
        sha256,
        size=size if isinstance(size, int) else 0,
        uploaded=_moment(uploaded),
        requires_python=str(entry.get("requires-python") or ""),
        yanked=bool(entry.get("yanked")),
        metadata=metadata,
    )


def _from_link(link: dict[str, str | None], page_url: str) -> IndexFile | None:
    address, fragment = urldefrag(urljoin(page_url, link.get("href") or ""))
    found = re.match(r"sha256=([0-9a-f]{64})", fragment)
    told = link.get("data-core-metadata", link.get("data-dist-info-metadata"))
    return _file(
        address.rpartition("/")[2],
        address,
        found[1] if found else None,
        requires_python=link.get("data-requires-python") or "",
        yanked="data-yanked" in link,
        metadata=None if told is None else told.removeprefix("sha256=") if "=" in told else "",
    )


def _file(name: str, url: str, sha256: object, **more: Any) -> IndexFile | None:
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        return None
    try:
        if name.endswith(".whl"):
            return IndexFile(name, url, sha256, parse_wheel_filename(name)[1], True, **more)
        return IndexFile(name, url, sha256, parse_sdist_filename(name)[1], False, **more)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs))
