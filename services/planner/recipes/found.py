"""What the look program handed back, read without trusting it, and the sentences that say what was found."""

from __future__ import annotations

import json
import unicodedata
from typing import Literal, cast, get_args

from services.planner.recipes.addresses import MAX_CHARS
from services.planner.recipes.talk import LookFound
from shared.errors import DecodeError

MAX_BYTES = 64 * 1024
MAX_ADDRESSES = 5
_SAMPLES, _SAMPLE_CHARS, _PROBLEM_CHARS = 3, 120, 40
_MOST = 500  # as many entries as the program reads from one page
_Kind = Literal["json-ld", "feed", "table", "blocks", "none"]

# What can be done about a page that cannot be read; "" for http_NNN.
_WHY_KO = {
    "robots": (
        "사이트의 robots.txt가 자동 읽기를 막고 있어요. 공식 RSS나 API 주소가 있으면 그 주소로 할 수 있어요."
    ),
    "login": "로그인해야 볼 수 있어요. 로그인 없이 보이는 목록 페이지나 RSS 주소라면 할 수 있어요.",
    "needs_browser": (
        "브라우저에서만 내용이 나타나는 페이지예요. 같은 목록의 RSS나 사이트맵 주소라면 읽을 수 있어요."
    ),
    "no_items": "페이지는 열렸지만 목록을 찾지 못했어요. 상품이나 글이 나열된 페이지의 주소를 알려 주세요.",
    "timeout": "제때 답이 오지 않았어요. 잠시 뒤에 다시 하거나 주소를 확인해 주세요.",
    "refused": "연결되지 않아요. 주소가 맞는지 확인해 주세요.",
    "blocked": "이 주소에는 연결할 수 없어요. 인터넷에서 누구나 볼 수 있는 주소인지 확인해 주세요.",
    "moved": "다른 곳으로 옮겨졌어요: {to}. 그 주소로 다시 적어 주세요.",
    "not_html": "웹 페이지가 아니에요. 목록이 있는 페이지의 주소를 알려 주세요.",
    "too_large": "페이지가 너무 커요. 목록만 있는 더 작은 페이지라면 할 수 있어요.",
    "": "서버가 오류({code})로 답했어요. 주소를 확인하거나 잠시 뒤에 다시 해 주세요.",
}
_WHY_EN = {
    "robots": "its robots.txt does not allow automatic reading. An official feed or API address would work.",
    "login": "it needs a login. A list that is visible without one, or a feed, would work.",
    "needs_browser": "it only fills in inside a browser. A feed or sitemap of the same list would work.",
    "no_items": (
        "it opened, but no list was found. Give the address of the page that lists the products or posts."
    ),
    "timeout": "no answer came in time. Try again later or check the address.",
    "refused": "the connection failed. Check the address.",
    "blocked": "it cannot be reached. Check that it is an address anybody on the internet can open.",
    "moved": "it moved to {to}. Please write that address instead.",
    "not_html": "it is not a web page. Give the address of the page with the list.",
    "too_large": "it is too large. A smaller page with only the list would work.",
    "": "the server answered with an error ({code}). Check the address or try again later.",
}
_KINDS = {
    "ko": {"json-ld": "JSON-LD", "feed": "피드", "table": "표", "blocks": "반복되는 목록"},
    "en": {"json-ld": "JSON-LD", "feed": "feed", "table": "table", "blocks": "repeated list"},
}


def parse_look(data: bytes) -> dict[str, LookFound]:
    """Address -> what was found, from outputs/look.json. Odd entries are left out, long texts cut.

    Raises DecodeError for bytes that are not such a file; a look that failed as a whole has no entries.
    """
    if len(data) > MAX_BYTES:
        raise DecodeError(f"look.json has {len(data)} bytes, more than {MAX_BYTES}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError("look.json is not JSON") from error
    entries = value.get("addresses") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise DecodeError("look.json has no list of addresses")
    found = [_found(entry) for entry in entries[:MAX_ADDRESSES] if isinstance(entry, dict)]
    return {look.address: look for look in found if look.address}


def found_sentence(look: LookFound, name: str, language: str, noun: str) -> str:
    """What was found at one address, called `name`, or why it cannot be read and what would work."""
    if not look.ok:
        return f"{name}: {why_unreadable(look, language)}"
    kind = _KINDS[language].get(look.kind, look.kind)
    samples = ", ".join(look.samples)
    if language == "ko":
        examples = f" 예: {samples}" if samples else ""
        return (
            f"{name}: {'글' if noun == 'entry' else '상품'} {look.count}개를 찾았어요 ({kind}). "
            f"맞나요?{examples}"
        )
    examples = f" For example: {samples}" if samples else ""
    word = "entry" if noun == "entry" else "product"
    plural = word if look.count == 1 else {"entry": "entries", "product": "products"}[word]
    return f"{name}: found {look.count} {plural} ({kind}). Is that right?{examples}"


def why_unreadable(look: LookFound, language: str) -> str:
    table = _WHY_KO if language == "ko" else _WHY_EN
    code = look.problem.removeprefix("http_")
    return table.get(look.problem, table[""]).format(code=code or "?", to=look.final_address)


def _found(entry: dict[str, object]) -> LookFound:
    kind = entry.get("kind")
    count = entry.get("count")
    number = min(count, _MOST) if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0
    samples = entry.get("samples")
    titles = [
        _line(title, _SAMPLE_CHARS) for title in (samples if isinstance(samples, list) else [])[:_SAMPLES]
    ]
    problem = _line(entry.get("problem"), _PROBLEM_CHARS)
    ok = entry.get("ok") is True and number > 0 and kind in get_args(_Kind)[:-1]
    return LookFound(
        address=_address(entry.get("address")),
        ok=ok,
        kind=cast("_Kind", kind) if ok else "none",
        count=number if ok else 0,
        samples=tuple(filter(None, titles)) if ok else (),
        problem="" if ok else problem or "no_items",
        final_address=_address(entry.get("final_address")),
        feed=_address(entry.get("feed")),
    )


def _address(value: object) -> str:
    text = value if isinstance(value, str) else ""
    fits = text.isascii() and text.isprintable() and " " not in text and len(text) <= MAX_CHARS
    return text if fits and text.startswith(("https://", "http://")) else ""


def _line(value: object, limit: int) -> str:
    """One line of visible characters; page text cannot bring in control or direction marks."""
    text = value if isinstance(value, str) else ""
    spaced = (" " if char.isspace() else char for char in text[: limit * 4])
    kept = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:limit]
