"""What people read about packages, in Korean and English. Pure."""

from __future__ import annotations

from typing import Literal

from services.executor.environments.guard import Doubt, one_edit

Language = Literal["ko", "en"]


def receiving(name: str, done: int, total: int, language: Language) -> str:
    size = _megabytes(done, total)
    return f"{name} 받는 중 {size}" if language == "ko" else f"Getting {name} {size}"


def preparing(name: str, language: Language) -> str:
    return f"{name} 준비하는 중" if language == "ko" else f"Preparing {name}"


def resolving(language: Language) -> str:
    return "맞는 버전을 찾는 중" if language == "ko" else "Finding the versions that fit"


def building(name: str, language: Language) -> str:
    return f"{name} 만드는 중" if language == "ko" else f"Building {name}"


def prepared(label: str, language: Language) -> str:
    return f"{label} 준비됨" if language == "ko" else f"{label} is ready"


def _megabytes(done: int, total: int) -> str:
    """`12/38 MB`; small files in KB, an unknown whole is left out."""
    unit, by = ("MB", 1 << 20) if max(done, total) >= 1 << 20 else ("KB", 1 << 10)
    first, whole = round(done / by), max(1, round(total / by))
    return f"{min(first, whole)}/{whole} {unit}" if total else f"{first} {unit}"


def doubt(label: str, about: Doubt, language: Language) -> str:
    """Why a package is asked about: one sentence that ends in what is to be decided."""
    name = label.partition("==")[0]
    korean, english = _DOUBTS[about.kind]
    text = korean if language == "ko" else english
    how = _likeness(name, about.other, language)
    return text.format(name=name, label=label, other=about.other, days=about.days, how=how)


_DOUBTS: dict[str, tuple[str, str]] = {
    "invented": ("{name} 패키지는 없어요.", "There is no package {name}."),
    "mistaken": (
        "{name} 은(는) {how} 정말 이 패키지인가요?",
        "{name} {how} Is it really this package?",
    ),
    "new_project": (
        "{name} 은(는) 나온 지 {days}일밖에 안 된 패키지예요. 그래도 쓸까요?",
        "{name} has been out for only {days} days. Use it anyway?",
    ),
    "new_version": (
        "{label} 은(는) 올라온 지 {days}일밖에 안 된 버전이에요. 그래도 쓸까요?",
        "{label} was uploaded only {days} days ago. Use it anyway?",
    ),
    "unknown_age": (
        "{name} 이(가) 언제 나왔는지 알 수 없고 많이 쓰이는 패키지도 아니에요. 그래도 쓸까요?",
        "It is unknown how old {name} is, and it is not widely used. Use it anyway?",
    ),
    "few_files": (
        "{name} 은(는) 한 번만 올라온, 잘 알려지지 않은 패키지예요. 그래도 쓸까요?",
        "{name} was uploaded only once and is little known. Use it anyway?",
    ),
    "no_wheel": (
        "{label} 은(는) 준비된 파일이 없어, 만들려면 그 코드를 잠긴 방에서 한 번 실행해야 해요. 그렇게 할까요?",
        "{label} has no ready-made wheel; building runs its code once in a locked room. Do that?",
    ),
}


def _likeness(name: str, other: str, language: Language) -> str:

    if one_edit(name, other):
        return f"{other} 와(과) 한 글자 달라요." if language == "ko" else f"is one letter away from {other}."
    if language == "ko":
        return f"{other} 와(과) 이름이 헷갈리게 비슷해요."
    return f"has a name that is easily taken for {other}."


def no_such(name: str, other: str) -> str:
    """Errors carry both languages: who reads them is not known where they are made."""
    korean, english = f"{name} 패키지를 찾을 수 없어요.", f"There is no package {name}."
    if other:
        return f"{korean} {other} 을(를) 쓰려던 건가요? ({english} Did you mean {other}?)"
    return f"{korean} 이름을 확인해 주세요. ({english} Check its name.)"


def no_wheel(names: str) -> str:
    return (
        f"{names} 은(는) 이 컴퓨터에서 쓸 수 있는 파일이 없어요. 다른 패키지를 써 주세요. "
        f"({names} has no file that fits this machine; use another package.)"
    )


def no_answer() -> str:
    return (
        "패키지 목록 서버에 닿지 않아요. 잠시 뒤 다시 시도해 주세요. "
        "(The package index cannot be reached; try again later.)"
    )


def not_built_elsewhere(why: str) -> str:
    return (
        "패키지를 준비하던 작업이 끝까지 가지 못했어요. 잠시 뒤 다시 시도해 주세요. "
        f"(The job that prepared the packages did not come to its end; try again later.{why and f' {why}'})"
    )


def took_too_long() -> str:
    return (
        "패키지를 준비하는 데 30분이 넘게 걸려 멈췄어요. 더 적은 패키지로 시도해 주세요. "
        "(Preparing the packages took more than 30 minutes and was stopped; try with fewer.)"
    )


def not_as_locked() -> str:
    return (
        "준비된 패키지가 정해 둔 목록과 달라서 쓰지 않았어요. 다시 시도해 주세요. "
        "(The prepared packages are not those that were locked, so they are not used; try again.)"
    )


def too_big(name: str) -> str:
    return (
        f"{name} 이(가) 너무 커서 설치하지 않았어요. 더 작은 패키지를 써 주세요. "
        f"({name} is too big to be installed; use a smaller package.)"
    )


def broken(label: str, why: str) -> str:
    return (
        f"{label} 의 파일이 올바르지 않아 설치하지 않았어요. "
        f"({label} was not installed, its file is not sound: {why})"
    )


def unsolvable(packages: str, said: str) -> str:
    return (
        f"{packages} 을(를) 함께 설치할 수 없어요. 버전을 바꿔 보세요. "
        f"({packages} cannot be installed together; try other versions: {said})"
    )


def not_built(label: str, said: str) -> str:
    return f"{label} 을(를) 만들지 못했어요. ({label} could not be built: {said})"


def question(reasons: tuple[str, ...]) -> str:
    return " ".join(reasons)


def denied(packages: tuple[str, ...], language: Language) -> str:
    names = ", ".join(packages)
    if language == "ko":
        return f"{names} 을(를) 쓰지 않기로 해서 만들기를 멈췄어요. 다른 방법을 말해 주세요."
    return f"Building stopped because {names} was not allowed. Say what to use instead."


def unanswered(packages: tuple[str, ...], language: Language) -> str:
    names = ", ".join(packages)
    if language == "ko":
        return f"{names} 을(를) 써도 되는지 사흘 동안 답이 없어 만들기를 멈췄어요."
    return f"Building stopped: nobody said within three days whether {names} may be used."
