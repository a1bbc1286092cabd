"""Package entries: a name, optional extras, optional versions. What could fetch code from elsewhere (a URL, a
path, an option) or mean different things on different machines (a marker) is refused.
"""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from shared.agentfile.model import Language
from shared.errors import BadRequest

MAX_PACKAGES = 60


def check_packages(packages: tuple[str, ...], language: Language = "ko") -> None:
    """Raises BadRequest whose `fields` names each refused entry ("agent.packages[1]")."""
    fields: dict[str, str] = {}
    seen: dict[str, int] = {}
    for index, entry in enumerate(packages):
        problem = _problem(entry, language)
        if problem is None:
            name = canonicalize_name(Requirement(entry).name)
            if name in seen:
                problem = (
                    f"{name} 패키지가 두 번 적혀 있어요. 하나만 남겨 주세요."
                    if language == "ko"
                    else f"{name} is listed twice. Keep one."
                )
            seen[name] = index
        if problem is not None:
            fields[f"agent.packages[{index}]"] = problem
    if len(packages) > MAX_PACKAGES:
        fields["agent.packages"] = (
            f"패키지는 {MAX_PACKAGES}개까지 쓸 수 있어요."
            if language == "ko"
            else f"At most {MAX_PACKAGES} packages."
        )
    if fields:
        raise BadRequest(next(iter(fields.values())), code="bad_package", fields=fields)


def _problem(entry: str, language: Language) -> str | None:
    shown = entry[:80]
    ko = language == "ko"
    try:
        requirement = Requirement(entry)
    except (InvalidRequirement, ValueError, RecursionError):
        requirement = None
    if requirement is None or "\n" in entry or len(entry) > 200:
        return (
            f"'{shown}'은(는) 패키지 이름이 아니에요. 'requests'나 'requests>=2.31'처럼 적어 주세요."
            if ko
            else f"'{shown}' is not a package name. Write it like 'requests' or 'requests>=2.31'."
        )
    if requirement.url is not None:
        return (
            f"'{shown}': 주소로는 설치할 수 없어요. 이름과 버전만 적어 주세요."
            if ko
            else f"'{shown}': packages cannot come from an address. Give a name and a version only."
        )
    if requirement.marker is not None:
        return (
            f"'{shown}': 조건(;)은 쓸 수 없어요. 이름과 버전만 적어 주세요."
            if ko
            else f"'{shown}': conditions after ';' are not allowed. Give a name and a version only."
        )
    return None
