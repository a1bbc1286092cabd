"""What running code is told when the model it asked for did not answer: both languages in one sentence, since it ends
in logs and messages of people who speak either. Pure.
"""

from __future__ import annotations

from shared.errors import ProjectError

_SENTENCES: dict[str, tuple[str, str]] = {
    "key_refused": (
        "연결된 Claude 키를 쓸 수 없어요. 설정에서 다른 키를 연결해 주세요.",
        "The connected key is not accepted. Connect another one in the settings.",
    ),
    "no_credit": (
        "연결된 키의 계정에 남은 크레딧이 없어요.",
        "The account of the connected key has no credit left.",
    ),
    "model_unknown": (
        "연결된 키로는 쓸 수 없는 모델이에요.",
        "The connected key cannot use this model.",
    ),
    "server_refused": (
        "Claude 서버가 다른 주소를 알려 줘요. 운영자가 ANTHROPIC_BASE_URL을 확인해야 해요.",
        "The Claude server points to another address. The operator should check ANTHROPIC_BASE_URL.",
    ),
    "rate_limited": (
        "연결된 키로 한 번에 보낼 수 있는 만큼을 다 썼어요.",
        "The connected key takes no more for now.",
    ),
    "overloaded": ("지금 Claude에 요청이 몰려 있어요.", "Claude is very busy right now."),
    "unreachable": ("Claude에 연결되지 않아요.", "Claude cannot be reached."),
    "context_window": (
        "한 번에 읽기에는 너무 길어요.",
        "This is more than the model can hold at once.",
    ),
    "request_refused": ("Claude가 이 요청을 받아 주지 않았어요.", "Claude did not accept this request."),
    "cut": (
        "답을 받는 중에 연결이 끊겼어요.",
        "The connection broke before the answer was complete.",
    ),
    "silent": ("Claude가 오래 대답하지 않았어요.", "Claude said nothing for a long time."),
    "overdue": (
        "답이 너무 길어 시간 안에 끝나지 않았어요.",
        "The answer took longer than one call may.",
    ),
    "garbled": ("Claude 서버의 답을 읽을 수 없었어요.", "What came back could not be read."),
    "failed": ("Claude 쪽에서 문제가 생겼어요.", "Something failed on Claude's side."),
    "call_over": ("이미 끝난 질문이에요.", "This call is over already."),
    "no_run": (
        "이 주소는 실행 중인 에이전트만 쓸 수 있어요.",
        "Only a running agent may ask here.",
    ),
}
# The server's own words say what to change; everywhere else the sentence says all there is to do.
_QUOTED = frozenset({"request_refused", "context_window"})


def told(error: ProjectError) -> str:
    """Errors that this package made say it in both languages already."""
    found = _SENTENCES.get(error.code)
    if found is None or _both(error.detail):
        return error.detail
    korean, english = found
    english = f"{english} {error.detail}" if error.code in _QUOTED else english
    return f"{korean} ({english})"


def _both(text: str) -> bool:
    return any("가" <= character <= "힣" for character in text)
