"""Which files of a project fit the sandbox's interpreter, and what a lock says. Pure but for the tags."""

from __future__ import annotations

import functools
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, sys_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from services.executor.environments.pages import IndexFile, Project, project_name
from shared.errors import BadRequest

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"\s+#(?:\s+via)?\s+(\S.*?)\s*$")


@dataclass(frozen=True)
class Pinned:
    """via: packages of the same lock that need it, where the lock says so."""

    name: str
    version: Version
    hashes: frozenset[str]
    via: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return f"{self.name}=={self.version}"


def read_lock(text: str) -> tuple[Pinned, ...]:
    """The packages of a lock that count here, by name. Raises BadRequest for anything but
    `name[extras]==version` with hashes: no URL, path, option or bare name gets in."""
    found: dict[str, Pinned] = {}
    last = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        entry = line.partition(" #")[0].strip()
        if entry and not entry.startswith("#"):
            pinned = _pinned(entry)
            last = pinned.name if pinned is not None else ""
            if pinned is not None:
                found[last] = pinned
        elif last and (by := _VIA.match(line)) and project_name(by[1]) and by[1] != "via":
            found[last] = replace(found[last], via=found[last].via | {str(canonicalize_name(by[1]))})
    return tuple(found[name] for name in sorted(found))


def _pinned(entry: str) -> Pinned | None:
    hashes = frozenset(_HASH.findall(entry))
    plain = _HASH.sub("", entry).strip()
    try:
        wish = Requirement(plain)
        pins = [spec for spec in wish.specifier if spec.operator == "=="]
        if wish.url or len(pins) != 1 or len(wish.specifier) != 1 or not hashes:
            raise BadRequest(f"A lock may not say {plain[:120]!r}.", code="bad_lock")
        if wish.marker is not None and not wish.marker.evaluate():
            return None
        return Pinned(str(canonicalize_name(wish.name)), Version(pins[0].version), hashes)
    except (InvalidRequirement, InvalidVersion, InvalidMarker) as error:
        raise BadRequest(f"A lock may not say {plain[:120]!r}.", code="bad_lock") from error


def fingerprint(pins: Iterable[Pinned]) -> str:
    """The same for locks that install the same files, however they are written down."""
    return "\n".join(f"{pin.label} {' '.join(sorted(pin.hashes))}" for pin in pins)


def read_wish(text: str) -> Requirement:
    """Raises BadRequest for what is not a name with versions: URLs, paths and options never reach the tool."""
    try:
        asked = Requirement(text)
    except InvalidRequirement as error:
        raise BadRequest(f"{text[:120]!r} 은(는) 패키지 이름이 아니에요. (Not a package name.)") from error
    if asked.url:
        raise BadRequest(f"{text[:120]!r}: 주소로는 설치하지 않아요. (Packages are named, not linked.)")
    return asked


def applies(asked: Requirement) -> bool:
    return asked.marker is None or Marker(str(asked.marker)).evaluate()


@functools.cache
def _ranks() -> dict[Tag, int]:
    return {tag: rank for rank, tag in enumerate(sys_tags())}


def rank(file_name: str) -> int | None:
    """The smaller the better; None when the wheel does not fit this interpreter and machine."""
    fitting = [_ranks()[tag] for tag in parse_wheel_filename(file_name)[3] if tag in _ranks()]
    return min(fitting, default=None)


def fits(file: IndexFile) -> bool:
    return python_fits(file) and file.wheel and rank(file.name) is not None


def python_fits(file: IndexFile) -> bool:

    try:
        return not file.requires_python or SpecifierSet(file.requires_python).contains(
            platform.python_version(), prereleases=True
        )
    except InvalidSpecifier:
        return True


def best_wheel(files: Iterable[IndexFile], pinned: Pinned) -> IndexFile | None:
    """The locked version's wheel that fits best, among those whose hash the lock names."""
    able = [f for f in files if f.wheel and f.version == pinned.version and f.sha256 in pinned.hashes]
    ranked = [(found, file) for file in able if (found := rank(file.name)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def newest_source(project: Project, wishes: Sequence[Requirement]) -> IndexFile | None:
    """The source archive that a build would start from: newest that the wishes for it allow, no preview
    while there is a release."""
    allowed = SpecifierSet()
    for wish in wishes:
        allowed &= wish.specifier
    able = [f for f in project.files if not f.wheel and not f.yanked and python_fits(f)]
    versions = set(allowed.filter({f.version for f in able}))
    chosen = [f for f in able if f.version in versions]
    return max(chosen, key=lambda f: (f.version, f.name.endswith(".tar.gz")), default=None)
