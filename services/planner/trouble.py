"""What went wrong between the builder and its model, as one sentence that says what to do next. Pure."""

from __future__ import annotations

from typing import Literal

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")

_DETAIL_CHARS = 200
# Only here do the server's own words help: everywhere else the sentence says all there is to do.
_QUOTED = frozenset({"request_refused"})

SENTENCES: dict[str, tuple[str, str]] = {
    "disconnected": (
        "연결된 Claude가 없어서 멈췄어요. 한 것은 그대로예요. 설정에서 Claude를 연결하고 ‘다시’를 눌러 주세요.",
        "There is no Claude connected any more. Everything so far is kept. Connect it in the settings and press Retry.",
    ),
    "key_refused": (
        "Claude가 이 키를 받아 주지 않아요. 설정에서 다른 키를 연결해 주세요.",
        "Claude does not accept this key. Connect another one in the settings.",
    ),
    "no_credit": (
        "이 키의 계정에 남은 크레딧이 없어요. 크레딧을 채우거나 설정에서 다른 키를 연결해 주세요.",
        "The account of this key has no credit left. Add credit, or connect another key in the settings.",
    ),
    "model_unknown": (
        "이 키로는 쓸 수 없는 모델이에요. 설정에서 다른 모델을 골라 주세요.",
        "This key cannot use that model. Choose another model in the settings.",
    ),
    "server_refused": (
        "Claude 서버가 다른 주소를 알려 줘요. 운영자에게 ANTHROPIC_BASE_URL을 확인해 달라고 해 주세요.",
        "The Claude server points to another address. Ask the operator to check ANTHROPIC_BASE_URL.",
    ),
    "rate_limited": (
        "이 키로 한 번에 보낼 수 있는 만큼을 다 썼어요. 1분쯤 뒤에 ‘다시’를 눌러 주세요.",
        "This key has reached its limit for now. Press Retry in about a minute.",
    ),
    "overloaded": (
        "지금 Claude에 요청이 몰려 있어요. 잠시 뒤에 ‘다시’를 눌러 주세요.",
        "Claude is very busy right now. Press Retry in a moment.",
    ),
    "unreachable": (
        "Claude에 연결되지 않아요. 인터넷 연결을 확인한 뒤 ‘다시’를 눌러 주세요.",
        "Claude cannot be reached. Check the internet connection, then press Retry.",
    ),
    "cut": (
        "답을 받는 중에 연결이 끊겼어요. ‘다시’를 누르면 이어서 해요.",
        "The connection broke during the answer. Press Retry to go on.",
    ),
    "silent": (
        "Claude가 오래 대답하지 않아 멈췄어요. ‘다시’를 누르면 이어서 해요.",
        "Claude said nothing for a long time, so the call was given up. Press Retry to go on.",
    ),
    "overdue": (
        "답이 너무 길어 시간 안에 끝나지 않았어요. 한 번에 하나씩 나누어 부탁해 주세요.",
        "The answer took longer than one call may. Ask for less at a time.",
    ),
    "unfinished": (
        "답이 끝까지 오지 않았어요. ‘다시’를 누르면 이어서 해요.",
        "The answer ended before it was complete. Press Retry to go on.",
    ),
    "garbled": (
        "Claude 서버의 답을 읽을 수 없었어요. ‘다시’를 눌러 보고, 계속되면 운영자에게 알려 주세요.",
        "What came back could not be read. Press Retry; if it stays so, tell the operator.",
    ),
    "failed": (
        "Claude 쪽에서 문제가 생겼어요. 잠시 뒤에 ‘다시’를 눌러 주세요.",
        "Something failed on Claude's side. Press Retry in a moment.",
    ),
    "context_window": (
        "대화와 자료가 한 번에 읽기에는 너무 길어요. 새 대화에서 꼭 필요한 것만 적어 주세요.",
        "This is more than the model can read at once. Start a new conversation with what is needed.",
    ),
    "request_refused": (
        "Claude가 이 요청을 받아 주지 않았어요. 다르게 적어서 다시 보내 주세요.",
        "Claude did not accept this request. Put it differently and send it again.",
    ),
    "lease_full": (
        "이 답에 쓰기로 한 토큰을 다 썼어요. 여기까지 한 것은 그대로예요. 이어서 하려면 ‘다시’를 눌러 주세요.",
        "The tokens set aside for this answer are used up. Everything so far is kept. Press Retry to go on.",
    ),
    "lease_late": (
        "이 답에 쓸 수 있는 시간이 다 됐어요. 여기까지 한 것은 그대로예요. 이어서 하려면 ‘다시’를 눌러 주세요.",
        "The time set aside for this answer is over. Everything so far is kept. Press Retry to go on.",
    ),
    "refusal": (
        "Claude가 이 일은 도울 수 없다고 해요. 무엇을 하려는지 다르게 적어 주세요.",
        "Claude will not help with this. Say differently what you want to do.",
    ),
    "max_tokens": (
        "답이 너무 길어 중간에 끊겼어요. 더 작은 일로 나누어 부탁해 주세요.",
        "The answer was too long and was cut off. Ask for a smaller piece.",
    ),
    "empty": (
        "Claude가 빈 답을 보냈어요. ‘다시’를 누르거나 조금 더 자세히 적어 주세요.",
        "Claude answered with nothing. Press Retry, or say a little more.",
    ),
    "looping": (
        "같은 일을 되풀이해서 멈췄어요. 막힌 부분을 어떻게 하면 좋을지 적어 주세요.",
        "It kept doing the same thing and was stopped. Say how it should get past this point.",
    ),
    "tests_fail": (
        "여러 번 고쳐도 시험을 통과하지 못해 멈췄어요. 무엇을 바꾸면 좋을지 적어 주세요.",
        "It did not pass its tests after several repairs and was stopped. Say what should change.",
    ),
    "too_many_turns": (
        "생각보다 오래 걸려 멈췄어요. 여기까지 한 것은 그대로예요. 이어서 하려면 ‘다시’를 눌러 주세요.",
        "It took more steps than it should and was stopped. Everything so far is kept. Press Retry to go on.",
    ),
    "asks_forever": (
        "질문만 이어져서 멈췄어요. 원하는 것을 한 번에 자세히 적어 주세요.",
        "It only kept asking and was stopped. Say in one message exactly what you want.",
    ),
}


def model_trouble(code: str, language: Language, detail: str = "") -> str:
    """The sentence for a code of the Llm port, the meter or the builder; a code not listed is a failure on
    Claude's side. detail: what the server said, or ""; it is shown only where it helps a person."""
    sentence = SENTENCES.get(code, SENTENCES["failed"])[0 if language == "ko" else 1]
    said = " ".join(detail.split())[:_DETAIL_CHARS]
    return f"{sentence} ({said})" if said and code in _QUOTED else sentence
