"""Every sentence this service says to a person, by code, in two languages. Errors say what to do next."""

from __future__ import annotations

from typing import Literal

Language = Literal["ko", "en"]

SENTENCES: dict[str, tuple[str, str]] = {
    "bad_request": (
        "보낸 내용을 읽을 수 없어요. JSON 형식을 확인해 주세요.",
        "The body could not be read. Send valid JSON.",
    ),
    "bad_fields": ("고쳐야 할 항목이 있어요: {fields}", "Some fields need fixing: {fields}"),
    "not_authenticated": (
        "먼저 로그인해 주세요. 서버를 켠 창에 로그인 링크가 있어요. 새로 받으려면 make link를 실행하세요.",
        "Sign in first. The sign-in link is in the window that runs the server; `make link` prints another.",
    ),
    "link_used": (
        "이 로그인 링크는 이미 썼거나 10분이 지났어요. make link로 새 링크를 받으세요.",
        "This sign-in link was used or is older than 10 minutes. Run `make link` for a new one.",
    ),
    "slow_down": (
        "시도가 너무 많아요. 1분 뒤에 다시 해 주세요.",
        "Too many attempts. Try again in a minute.",
    ),
    "misdirected": (
        "이 주소로는 열 수 없어요. 서버가 알려준 주소로 열어 주세요.",
        "This address is not ours. Open the address the server printed.",
    ),
    "foreign_origin": (
        "다른 사이트에서 온 요청이라 받지 않았어요. 이 앱 화면에서 다시 해 주세요.",
        "This came from another site and was refused. Do it from this app's page.",
    ),
    "not_found": (
        "찾을 수 없어요. 주소를 확인하거나 목록에서 다시 골라 주세요.",
        "Not found. Check the address or choose it again from the list.",
    ),
    "method_not_allowed": ("이 주소에서는 할 수 없는 요청이에요.", "That cannot be done at this address."),
    "too_large": (
        "보낸 내용이 너무 커요. 최대 {limit}까지 보낼 수 있어요.",
        "That is too large; at most {limit} can be sent.",
    ),
    "internal": (
        "저희 쪽에서 문제가 생겼어요. 잠시 뒤 다시 해 주세요.",
        "Something went wrong on our side. Try again in a moment.",
    ),
    "unavailable": (
        "지금은 답할 수 없어요. 잠시 뒤 다시 해 주세요.",
        "Not available right now. Try again in a moment.",
    ),
    "too_many_streams": (
        "열린 화면이 너무 많아요. 다른 탭을 닫고 다시 해 주세요.",
        "Too many live views are open. Close another tab and try again.",
    ),
    "repair_asked": ("이 실행이 잘되지 않았어요. 고쳐 줘", "This run did not go well. Mend it."),
    "nothing_to_repair": (
        "이 실행에는 고칠 것이 없어요. 전달되지 않은 실행에서 눌러 주세요.",
        "There is nothing to mend in this run. Choose one that was not delivered.",
    ),
    "repair_needs_model": (
        "고치려면 Claude가 있어야 해요. 설정에서 연결해 주세요.",
        "Mending needs Claude. Connect it in the settings.",
    ),
    "empty_message": ("무엇을 해 드릴지 한 문장으로 적어 주세요.", "Say in a sentence what should be done."),
    "long_message": (
        "메시지가 너무 길어요. 2만 자 안으로 줄여 주세요.",
        "The message is too long. Keep it under 20,000 characters.",
    ),
    "bad_timezone": (
        "모르는 시간대예요. Asia/Seoul 같은 이름으로 적어 주세요.",
        "Unknown time zone. Use a name such as Asia/Seoul.",
    ),
    "no_tape": (
        "이 실행은 녹화가 없거나 30일이 지나 지워졌어요.",
        "There is no recording of this run, or it was deleted after 30 days.",
    ),
    "run_not_over": (
        "아직 끝나지 않은 실행이에요. 끝난 뒤에 다시 재생해 주세요.",
        "This run is not over yet. Replay it when it has ended.",
    ),
    "not_confirmed": (
        "지우려면 작업 공간 이름을 똑같이 적어 주세요. 이름이 없으면 ‘삭제’라고 적어 주세요.",
        "To delete it, type the workspace's name exactly; where it has none, type: delete",
    ),
    "no_conversation": ("그 대화를 찾을 수 없어요.", "There is no such conversation."),
    "no_agent": (
        "그 에이전트를 찾을 수 없어요. 목록에서 다시 골라 주세요.",
        "There is no such agent. Choose it again from the list.",
    ),
    "no_state": (
        "그 기억 버전은 남아 있지 않아요. 목록에서 다시 골라 주세요.",
        "That version of its memory is not kept any more. Choose another from the list.",
    ),
    "state_gone": (
        "되돌리려던 기억 버전이 그 사이에 정리됐어요. 목록에서 다시 골라 주세요.",
        "The version to go back to was cleared away meanwhile. Choose another from the list.",
    ),
    "state_candidate": (
        "확인 조건에 맞지 않은 실행이 남긴 기억이라 되돌릴 수 없어요. 다른 버전을 골라 주세요.",
        "A run whose conditions did not hold left this memory, so it cannot be used. Choose another version.",
    ),
    "plan_changed": (
        "그 사이에 계획이 바뀌었어요. 새 계획을 읽고 다시 골라 주세요.",
        "The plan has changed meanwhile. Read the new one and decide again.",
    ),
    "plan_decided": (
        "이미 결정한 계획이에요. 바꾸려면 대화에서 말해 주세요.",
        "This plan is already decided. To change it, say so in the conversation.",
    ),
    "secrets_missing": ("값을 넣어야 할 항목이 있어요: {names}", "These values are needed: {names}"),
    "secret_not_asked": ("이 계획이 요청하지 않은 값이에요: {names}", "This plan does not ask for: {names}"),
    "bad_webhook": (
        "웹훅 주소를 통째로 붙여넣어 주세요. https://로 시작해요.",
        "Paste the whole webhook address; it starts with https://.",
    ),
    "bad_secret": ("빈 값이나 너무 긴 값은 넣을 수 없어요.", "An empty or very long value cannot be stored."),
    "bad_model_key": (
        "Claude 키를 통째로 붙여넣어 주세요. 보통 sk-ant-로 시작해요.",
        "Paste the whole Claude key; it usually begins with sk-ant-.",
    ),
    "not_rehearsed": (
        "아직 연습 실행이 끝나지 않았어요. 연습 실행이 통과하면 켤 수 있어요.",
        "The rehearsal has not passed yet. It can be switched on after that.",
    ),
    "newer_version": (
        "더 새로운 버전이 있어요. 달라진 점을 보고 골라 주세요.",
        "There is a newer version. Look at what changed and choose.",
    ),
    "no_grant": (
        "이 버전은 아직 허락받지 않았어요. 대화에서 계획을 허락해 주세요.",
        "This version has not been allowed yet. Allow its plan in the conversation.",
    ),
    "caps_by_talk": ("한도를 늘리려면 대화에서 말해 주세요.", "To raise limits, say so in the conversation."),
    "secret_unbound": ("이 값을 보낼 곳(host)을 적어 주세요.", "Say which host this value may be sent to."),
    "not_unknown": (
        "보내지 못했거나 확인이 필요한 것만 다시 보낼 수 있어요.",
        "Only a message that failed or is unsure can be sent again.",
    ),
    "request_closed": ("이미 답한 질문이에요.", "This question has been answered."),
    "key_reused": (
        "같은 Idempotency-Key로 다른 내용이 왔어요. 새 키를 쓰세요.",
        "That Idempotency-Key came with another body. Use a new key.",
    ),
    "key_busy": (
        "같은 요청을 처리하고 있어요. 잠시 뒤 다시 물어봐 주세요.",
        "The same request is being worked on. Ask again in a moment.",
    ),
    "bad_key": ("Idempotency-Key는 200자까지예요.", "An Idempotency-Key has at most 200 characters."),
    "bad_cursor": (
        "목록의 다음 위치를 알 수 없어요. 처음부터 다시 읽어 주세요.",
        "That cursor is not one of ours. Read the list from its start.",
    ),
    "link_over": (
        "이 링크는 끝났어요. 실행 화면에서 파일을 다시 눌러 주세요.",
        "This link is over. Open the file again from the run's page.",
    ),
    "file_gone": (
        "이 파일은 더 이상 남아 있지 않아요.",
        "This file is not kept any more.",
    ),
    "not_text": ("글자로 볼 수 없는 파일이에요.", "This file is not text."),
    "quarantined": (
        "격리된 에이전트예요. 무슨 일이 있었는지 보고, 괜찮으면 격리를 먼저 풀어 주세요.",
        "This agent is quarantined. See what happened and, if it is all right, lift the quarantine first.",
    ),
    "write_not_now": (
        "끝난 시험 실행에서 보여 준 쓰기만 보낼 수 있어요.",
        "Only a write shown by a rehearsal that is over can be sent.",
    ),
    "request_void": (
        "이 질문은 예전 버전이 한 거예요. 지금 버전이 다시 필요로 하면 새로 여쭤볼게요.",
        "An earlier version asked this. If the present one needs it, it will ask again.",
    ),
    "run_over": ("이미 끝난 실행이에요.", "This run is already over."),
    "notice_failed": ("{name}: 실행이 끝까지 가지 못했어요. {why}", "{name}: a run did not finish. {why}"),
    "notice_quarantine": (
        "{name}: 격리했어요. {why} 다시 켜려면 격리를 풀어 주세요.",
        "{name}: quarantined. {why} To switch it on again, lift the quarantine.",
    ),
    "notice_repaired": (
        "{name}: 설정해 두신 대로 고친 버전({number})을 켰어요. 허락하신 내용과 약속은 그대로예요.",
        "{name}: the mended version {number} was switched on, as you have set. What it may do is the same.",
    ),
    "notice_not_delivered": (
        "{name}: 보고를 전달하지 못했어요. {why}",
        "{name}: the report was not delivered. {why}",
    ),
    "notice_doubtful": (
        "{name}: 결과를 확인해 주세요. {why}",
        "{name}: please check this result. {why}",
    ),
    "notice_unknown": (
        "{name}: 보내는 중에 끊겨서 도착했는지 알 수 없어요. 받은 곳을 확인하고 다시 보낼지 정해 주세요.",
        "{name}: cut off while sending. Check whether it arrived, and send it again if it did not.",
    ),
    "notice_delivery_failed": (
        "{name}: 메시지를 보내지 못했어요. {why}",
        "{name}: a message could not be sent. {why}",
    ),
    "send_cut": (
        "보내는 중에 끊겨서 도착했는지 알 수 없어요.",
        "Cut off while sending; it may or may not have arrived.",
    ),
    "send_refused": (
        "받는 곳이 거절했어요 ({why}). 웹훅 주소가 살아 있는지 확인해 주세요.",
        "The other side refused it ({why}). Check that the webhook still exists.",
    ),
    "send_unreachable": (
        "받는 곳에 연결할 수 없었어요. 잠시 뒤 다시 보내 주세요.",
        "The other side could not be reached. Send it again later.",
    ),
    "send_not_allowed": (
        "이 주소로는 보낼 수 없어요: 공개된 인터넷 주소가 아니에요.",
        "Cannot send there: it is not a public internet address.",
    ),
    "send_no_address": (
        "보낼 주소가 보관함에 없어요. 웹훅 주소를 다시 넣어 주세요.",
        "Its address is not in the vault. Enter the webhook address again.",
    ),
    "send_no_channel": ("이 방법으로는 아직 보낼 수 없어요.", "This channel cannot be sent to yet."),
}


def say(code: str, language: str, **values: object) -> str:
    """The sentence for `code`; unknown codes get the general one, never the bare code."""
    korean, english = SENTENCES.get(code, SENTENCES["internal"])
    return (korean if language == "ko" else english).format(**values)


def language_of(text: str, accepted: str) -> Language:
    """The language of what was written; else the one asked for (`ko`, `en` or "")."""
    if any("가" <= character <= "힣" for character in text):
        return "ko"
    if text.strip():
        return "en" if accepted != "ko" or text.isascii() else "ko"
    return "en" if accepted == "en" else "ko"
