"""Why a limit is not enforced on a machine, by code, in Korean and English. Pure; codes are what backends say."""

from __future__ import annotations

from typing import Literal

from services.executor.ports import Enforcement

Language = Literal["ko", "en"]

_KOREAN = "이 컴퓨터에는 이 사용자가 쓸 수 있는 컨트롤 그룹이 없어서"
_ENGLISH = "no control group of this machine can be written by this user"
_SENTENCES: dict[str, tuple[str, str]] = {
    "memory_measured": (
        f"{_KOREAN}, 메모리를 50ms마다 재고 넘으면 밖에서 실행을 끝내요.",
        f"{_ENGLISH}; memory is measured every 50 ms and the run ended from outside instead",
    ),
    "cpu_measured": (
        f"{_KOREAN}, 프로세스들의 CPU 시간을 더해 보고 넘으면 밖에서 실행을 끝내요.",
        f"{_ENGLISH}; CPU time is summed over processes and the run ended from outside instead",
    ),
    "disk_measured": (
        "작업 폴더가 이 사용자의 보통 폴더라서, 들어 있는 것을 50ms마다 재고 넘으면 밖에서 실행을 끝내요.",
        "a box is a folder of this user's: what is in it is measured every 50 ms and the run ended from outside",
    ),
    "docker_memory": (
        "Docker가 이 커널은 메모리를 제한하지 못한다고 해요.",
        "Docker says that this kernel bounds no memory",
    ),
    "docker_processes": (
        "Docker가 이 커널은 프로세스 수를 제한하지 못한다고 해요.",
        "Docker says that this kernel bounds no number of processes",
    ),
}
_INSTEAD = (
    "{first}이(가) 여기서 되지 않아 {used}을(를) 써요: {why}",
    "{first} does not work here, so {used} is used: {why}",
)


def told(text: str, language: Language) -> str:
    """The sentence of a code. What is no code (a cure with its command) is told as it is."""
    korean, english = _SENTENCES.get(text, (text, text))
    return korean if language == "ko" else english


def note(found: Enforcement, language: Language) -> str:
    """Why it is this backend; "" when it is the one that is preferred."""
    if not found.denied:
        return ""
    korean, english = _INSTEAD
    text = korean if language == "ko" else english
    return text.format(first=found.preferred, used=found.backend, why=told(found.denied, language))
