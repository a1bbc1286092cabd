"""What a person wants, read from their words: what to watch, where to report, which extras. Pure.

Schedules are read by `shared.agentfile.words`, addresses by `addresses.py`.
"""

from __future__ import annotations

import re
from typing import Literal

ChannelKind = Literal["inbox", "slack", "email", "other"]

_CHANNELS: tuple[tuple[ChannelKind, re.Pattern[str]], ...] = (
    ("slack", re.compile(r"슬랙|\bslack\b", re.IGNORECASE)),
    (
        "email",
        re.compile(
            r"이\s?메일|메일|지메일|\be-?mails?\b|\bgmail\b|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]", re.IGNORECASE
        ),
    ),
    (
        "other",
        re.compile(
            r"카카오톡|카톡|텔레그램|디스코드|문자(?:로|\s?메시지)|팀즈|라인으로|\btelegram\b|"
            r"\bdiscord\b|\bkakao ?talk\b|\bteams\b|\bsms\b",
            re.IGNORECASE,
        ),
    ),
    (
        "inbox",
        re.compile(
            r"받은\s?함|받은\s?보고서|앱(?:으로|에서|에|\s?안)|여기(?:로|에서)\s?(?:알려|보여|받)|"
            r"\binbox\b|\bin (?:the|this) app\b|\bhere\b",
            re.IGNORECASE,
        ),
    ),
)
_NEGATED = re.compile(
    r"\S{1,20}\s{0,3}말고|\S{1,20}\s{0,3}대신|\bnot (?:by|to|via|on|in)?\s*(?:the )?\w+|\binstead of (?:the "
    r")?\w+|\bno longer \w+",
    re.IGNORECASE,
)
_WATCH = re.compile(
    r"신제품|신상|새\s?상품|새로\s?(?:나|올라|들어|등록)|새\s?글|새\s?소식|새\s?공지|공지|"
    r"가격|품절|재입고|바뀌|바뀐|변경|변화|달라|모니터|"
    r"크롤|긁|스크랩|수집|지켜|감시|추적|확인해|체크|목록|경쟁사|쇼핑몰|가게|웹\s?사이트|"
    r"홈페이지|페이지|사이트|뉴스|기사|"
    r"\b(?:watch|monitor|track|scrape|crawl|check|new (?:products?|items?|posts?|arrivals?)|"
    r"price|prices|changes?|"
    r"competitors?|shops?|stores?|websites?|sites?|pages?|news|updates?|restock|collect|notices?|posts?|announcements?)",
    re.IGNORECASE,
)
_KEYWORDS = re.compile(
    r"키워드|자주\s?(?:나오|쓰)|단어|낱말|트렌드|\bkeywords?\b|\bword counts?\b|\btrends?\b", re.IGNORECASE
)
_ENTRIES = re.compile(
    r"새\s?글|공지|뉴스|기사|게시|소식|블로그|공고|\b(?:posts?|news|articles?|announcements?|"
    r"notices?|blogs?|jobs?)\b",
    re.IGNORECASE,
)
_PRODUCTS = re.compile(
    r"제품|상품|신상|가격|품절|\b(?:products?|price|prices|items?|arrivals?)\b", re.IGNORECASE
)
_PRACTICE = re.compile(
    r"연습(?:용)?\s?(?:가게|상점|쇼핑몰|사이트)|practice[\s.-]?(?:shops?|stores?|sites?|agentbuilder)",
    re.IGNORECASE,
)
_BY_HAND = re.compile(
    r"직접\s?실행|직접\s?누|누를\s?때만|지금\s?(?:바로\s?)?(?:한\s?번|확인|실행)|한\s?번만|"
    r"\b(?:by hand|manually|just once|only once|once only|right now|only when i (?:run|press|start))\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"유튜브|영상|동영상|자막|번역|캘린더|일정\s?등록|인스타|블로그에\s?(?:올|글)|"
    r"댓글을?\s?(?:달|써)|pdf|음성|노래|그림을?\s?그려|이미지를?\s?만들|"
    r"메일함|받은\s?메일|스프레드시트|구글\s?시트|\b(?:youtube|video|subtitles?|translate|"
    r"calendar|instagram|publish|my (?:emails?|files?)|"
    r"spreadsheet|google sheets?|podcast|draw|compose|weather|stock price)\b|날씨|주가|환율",
    re.IGNORECASE,
)
_ACTS = re.compile(
    r"주문(?:해|까지|도|을)|결제|구매해|사\s?줘|예약해|로그인해|장바구니|신청해|\b(?:order it|"
    r"buy|purchase|checkout|log ?in|sign in|book it|apply for)\b",
    re.IGNORECASE,
)
_NUMBERS = {
    "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,
}  # fmt: skip
_NUMBER = r"(\d{1,2}|" + "|".join(_NUMBERS) + r")"
_COUNT = re.compile(
    rf"(?<![\d가-힣]){_NUMBER}\s?(?:곳|군데|(?:개의?\s?)?(?:사이트|웹\s?사이트|가게|쇼핑몰|페이지|상점))"
    rf"|\b{_NUMBER}\s+(?:[a-z]+['’]?s?\s+){{0,3}}?(?:websites?|sites?|shops?|stores?|pages?)\b",
    re.IGNORECASE,
)
_HANGUL = re.compile(r"[가-힣]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def language_of(text: str, default: Literal["ko", "en"]) -> Literal["ko", "en"]:
    """Korean as soon as there is any Hangul, English with three Latin words and none; otherwise `default`.
    `text` should be without addresses."""
    if _HANGUL.search(text):
        return "ko"
    return "en" if len(_LATIN_WORD.findall(text)) >= 3 else default


def channels_of(text: str) -> tuple[ChannelKind, ...]:
    """The channels named, each once, in the table's order; "메일 말고 슬랙" names only the second."""
    kept = _NEGATED.sub(" ", text)
    return tuple(kind for kind, pattern in _CHANNELS if pattern.search(kept))


def wants_keywords(text: str) -> bool:
    return bool(_KEYWORDS.search(text))


def wants_watching(text: str) -> bool:
    return bool(_WATCH.search(text))


def wants_elsewhere(text: str) -> bool:
    """Whether the words ask for something no recipe does (a video, a translation, …)."""
    return bool(_ELSEWHERE.search(text))


def wants_acts(text: str) -> bool:
    """Whether the words also ask to buy, order or log in, which this recipe never does."""
    return bool(_ACTS.search(text))


def wants_practice(text: str) -> bool:
    return bool(_PRACTICE.search(text))


def wants_by_hand(text: str) -> bool:
    return bool(_BY_HAND.search(text))


def noun_of(text: str) -> Literal["item", "entry"]:
    """What the watched lists hold: goods, unless only writings are spoken of."""
    return "entry" if _ENTRIES.search(text) and not _PRODUCTS.search(text) else "item"


def count_of(text: str) -> int:
    """How many places are spoken of ("경쟁사 웹사이트 3곳"); 0 when no number is."""
    match = _COUNT.search(text)
    if match is None:
        return 0
    word = (match.group(1) or match.group(2)).lower()
    return int(word) if word.isdigit() else _NUMBERS[word]
