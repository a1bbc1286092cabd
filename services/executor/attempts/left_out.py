"""What of a run's leavings was not taken, and why, in words. The names in it are the code's: shown harmlessly."""

from __future__ import annotations

from dataclasses import dataclass

from shared.agentfile.model import Language

WHY: dict[str, tuple[str, str]] = {
    "link": ("다른 파일을 가리키는 링크예요", "it is a link to another file"),
    "special": ("일반 파일이 아니에요", "it is not a regular file"),
    "setuid": ("실행 권한을 넘겨주는 파일이에요", "it passes on somebody's rights (setuid)"),
    "odd_name": (
        "이름에 보이지 않는 문자나 방향을 바꾸는 문자가 있어요",
        "its name holds invisible or direction-changing characters",
    ),
    "unfit_name": (
        "다른 컴퓨터에서 쓸 수 없는 이름이에요",
        "its name cannot be used on other computers",
    ),
    "hidden": ("이름이 점(.)으로 시작해요", "its name begins with a dot"),
    "dash": ("이름이 빼기(-)로 시작해요", "its name begins with a dash"),
    "long_name": ("이름이 너무 길어요", "its name is too long"),
    "not_composed": (
        "한글 이름이 자모로 나뉘어 있어요(NFD)",
        "its name is written in decomposed characters (NFD)",
    ),
    "twin": (
        "대소문자나 글자 조합만 다른 같은 이름이 또 있어요",
        "another name differs only in case or composition",
    ),
    "too_deep": ("폴더가 너무 깊어요", "it lies too deep"),
    "too_many": ("파일이 너무 많아요", "there are too many files"),
    "too_big": ("크기 한도를 넘어요", "it is over the size limit"),
    "changed": ("읽는 동안 바뀌었어요", "it changed while it was read"),
    "unreadable": ("읽을 수 없어요", "it cannot be read"),
    "too_many_messages": (
        "한 번에 보낼 수 있는 것보다 메시지가 많거나 길어요",
        "there are more or longer messages than may be sent at once",
    ),
    "long_report": (
        "한 번에 알릴 수 있는 것보다 긴 내용이 있어서 받지 못했어요",
        "it said more at once than can be taken (64 KiB)",
    ),
}


@dataclass(frozen=True)
class LeftOut:
    """name: as it may be shown, plain. code: a key of WHY."""

    name: str
    code: str

    def sentence(self, language: Language) -> str:
        korean, english = WHY[self.code]
        if language == "ko":
            return f"{self.name}: {korean}."
        return f"{self.name}: {english}."
