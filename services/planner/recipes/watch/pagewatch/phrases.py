"""Every sentence of the report, in Korean and English."""

from __future__ import annotations

_KO = {
    "date": "{0}년 {1}월 {2}일",
    "first": (
        "처음이라 모두 기준으로 저장했어요. {noun} {count}개를 찾았고, 다음부터는 달라진 것만 알려 드릴게요."
    ),
    "nothing": "새 {noun}이 없어요. {count}개를 확인했고 지난번과 같아요.",
    "no_new": "새 {noun}이 없어요. 바뀐 것 {changed}개, 사라진 것 {gone}개가 있어요.",
    "news": "새 {noun} {new}개 · 바뀐 것 {changed}개 · 사라진 것 {gone}개",
    "unread": "읽은 곳이 없어서 무엇이 달라졌는지 알 수 없어요.",
    "some_failed": "⚠️ {total}곳 가운데 {failed}곳을 읽지 못했어요.",
    "kept": "지난번 기록은 그대로 두었어요.",
    "baseline": "기준으로 저장한 {noun} {count}개",
    "new": "새 {noun} {count}개",
    "changed": "바뀐 {noun} {count}개",
    "gone": "목록에서 사라진 {noun} {count}개",
    "same": "달라진 것이 없어요 ({count}개 확인)",
    "more": "그 밖의 {count}개는 report.xlsx에 있어요.",
    "keywords": "주요 키워드",
    "keywords_new": "새 {noun} {count}",
    "chart": "주요 키워드 (이름에 나온 횟수)",
    "chart_new": "그중 새로 나온 것",
    "no_words": "셀 낱말이 없어요",
    "sheet_items": "목록",
    "sheet_sources": "읽은 곳",
    "sheet_keywords": "키워드",
    "head_items": "곳,변화,이름,가격,이전 가격,설명,주소",
    "head_sources": "곳,상태,개수,새것,바뀜,사라짐,주소,설명",
    "head_keywords": "낱말,횟수,새것",
    "change_first": "기준",
    "change_new": "새로 나옴",
    "change_changed": "바뀜",
    "change_gone": "사라짐",
    "change_same": "그대로",
    "step_read": "{name} 읽는 중",
    "step_compare": "지난번과 비교하는 중",
    "step_report": "보고서 만드는 중",
    "noun_item": "상품",
    "noun_entry": "글",
}
_EN = {
    "date": "{0}-{1:02d}-{2:02d}",
    "first": (
        "First run: all {count} {noun}s are saved as the baseline. From now on only what differs is reported."
    ),
    "nothing": "No new {noun}s. Checked {count}, all as last time.",
    "no_new": "No new {noun}s. {changed} changed, {gone} gone.",
    "news": "{new} new · {changed} changed · {gone} gone",
    "unread": "No page could be read, so what changed is unknown.",
    "some_failed": "⚠️ {failed} of {total} pages could not be read.",
    "kept": "What was remembered of it is unchanged.",
    "baseline": "{count} {noun}s saved as the baseline",
    "new": "{count} new",
    "changed": "{count} changed",
    "gone": "{count} gone from the list",
    "same": "Nothing differs ({count} checked)",
    "more": "{count} more are in report.xlsx.",
    "keywords": "Keywords",
    "keywords_new": "{count} new",
    "chart": "Keywords (titles that hold the word)",
    "chart_new": "of these, new today",
    "no_words": "No words to count",
    "sheet_items": "List",
    "sheet_sources": "Pages",
    "sheet_keywords": "Keywords",
    "head_items": "page,change,title,price,price before,details,address",
    "head_sources": "page,status,items,new,changed,gone,address,note",
    "head_keywords": "word,titles,new",
    "change_first": "baseline",
    "change_new": "new",
    "change_changed": "changed",
    "change_gone": "gone",
    "change_same": "same",
    "step_read": "Reading {name}",
    "step_compare": "Comparing with last time",
    "step_report": "Writing the report",
    "noun_item": "product",
    "noun_entry": "post",
}
_PROBLEMS_KO = {
    "robots": "이 사이트의 robots.txt가 자동 읽기를 막고 있어요.",
    "timeout": "제때 답이 오지 않았어요.",
    "refused": "연결되지 않았어요.",
    "blocked": "허락받지 않은 주소라 막혔어요.",
    "moved": "다른 주소로 옮겨졌어요: {detail}",
    "not_html": "웹 페이지가 아니라 파일이에요 ({detail}).",
    "too_large": "페이지가 너무 커요.",
    "login": "로그인해야 볼 수 있는 페이지예요.",
    "needs_browser": "브라우저로만 내용이 나타나는 페이지예요.",
    "no_items": "페이지는 열렸지만 목록을 찾지 못했어요. 비어 있거나 모양이 바뀐 것 같아요.",
    "changed": "페이지 모양이 바뀐 것 같아요. 지난번과 겹치는 것이 하나도 없어요.",
    "http": "서버가 오류({code})로 답했어요.",
}
_PROBLEMS_EN = {
    "robots": "The site's robots.txt does not allow automatic reading.",
    "timeout": "No answer came in time.",
    "refused": "The connection failed.",
    "blocked": "The address is not among the allowed ones.",
    "moved": "The page moved to another address: {detail}",
    "not_html": "This is a file, not a web page ({detail}).",
    "too_large": "The page is too large.",
    "login": "The page needs a login.",
    "needs_browser": "The page only fills in inside a browser.",
    "no_items": "The page opened but no list was found: it is empty or its layout changed.",
    "changed": "The page seems rebuilt: nothing on it was there last time.",
    "http": "The server answered with an error ({code}).",
}


class Phrases:
    """`language` "ko" or "en"; `noun` names one entry of the list: "item" or "entry"."""

    def __init__(self, language: str, noun: str = "item") -> None:
        self._texts, self._problems = (_KO, _PROBLEMS_KO) if language == "ko" else (_EN, _PROBLEMS_EN)
        self._noun = self._texts.get(f"noun_{noun}", noun)

    def __call__(self, key: str, *parts: object, **values: object) -> str:
        return self._texts[key].format(*parts, noun=self._noun, **values)

    def problem(self, status: str, detail: str = "") -> str:
        """A sentence for a reading's status; "" for "ok"."""
        if status == "ok":
            return ""
        code = status.removeprefix("http_")
        return self._problems.get(status, self._problems["http"]).format(detail=detail, code=code)
