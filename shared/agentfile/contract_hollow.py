"""Runs that brought nothing, as facts: did nothing, left everything empty, got an error page, spoke only for
themselves, repeated yesterday. A contract that one of them keeps proves nothing; see `contract.is_vacuous`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.agentfile import expressions
from shared.agentfile.contract_checks import look
from shared.agentfile.facts import ColumnFact, DeliveryFact, Facts, FileFact
from shared.agentfile.model import Check

_TABLES = frozenset({"csv", "tsv", "json", "jsonl", "xlsx", "srt", "vtt"})
# What programs happily draw or print of nothing: empty axes, a page with a heading.
_DRAWN = frozenset({"png", "jpg", "jpeg", "gif", "webp", "pdf", "docx", "pptx", "zip", "svg"})
_DRAWN_SIZE = 8192
_DRAWN_WIDTH, _DRAWN_HEIGHT = 640, 480
_PAGE_LENGTH = 3000

# What stands where the content should be. One that a contract does not exclude is enough to refuse it.
_PAGES = (
    "403 Forbidden. Access Denied. You don't have permission to access this resource. 접근이 거부되었습니다.",
    "Just a moment... Verify you are human. 자동 입력 방지 문자를 입력해 주세요. captcha",
    "Sign in to continue. 로그인이 필요한 서비스입니다. 아이디와 비밀번호를 입력하세요.",
    "서비스 점검 중입니다. 잠시 후 다시 이용해 주세요. We'll be back soon.",
    "페이지를 찾을 수 없습니다. 404 Not Found",
    "검색 결과가 없습니다. 0건",
)


def idle_run() -> Facts:
    return Facts()


def blank_run(checks: Sequence[Check]) -> Facts:
    """Every file the checks name is there and empty; one blank report went to each channel they name."""
    return Facts(
        files={path: FileFact(size=0, kind=_ending(path), rows=0, text_length=0) for path in _paths(checks)},
        deliveries=_reports(checks, ""),
    )


def error_runs(checks: Sequence[Check]) -> Iterator[Facts]:
    """For each page: once read as one that holds nothing (headers without rows, the page's words in the report),
    once saved as it was under every name."""
    for page in _PAGES:
        words = _long(page)
        for saved in (False, True):
            files = {
                path: _page_file(words) if saved else _found_nothing(path, checks, words)
                for path in _paths(checks)
            }
            yield Facts(files=files, deliveries=_reports(checks, words))


def own_words_run(checks: Sequence[Check], words: Sequence[str]) -> Facts:
    """Nothing but what the code could say without having read anything, and tables without rows."""
    if not words:
        return Facts()
    text = _long("\n".join(words))
    files = {path: _found_nothing(path, checks, text) for path in _paths(checks)}
    return Facts(files=files, deliveries=_reports(checks, text))


def tells_a_repeat(check: Check, every_s: int, keeps_state: bool) -> bool:
    """Whether a check surely breaks when a run leaves exactly what the last one left, `every_s` seconds later."""
    if check.check == "fresh":
        return (check.max_age_s or 0) <= every_s
    if not keeps_state:
        return False
    if check.check == "change":
        if check.min is None and check.max is None:
            return True
        return (check.min is not None and check.min > 1) or (check.max is not None and check.max < 1)
    if check.check == "expr" and "rows_before" in (check.expr or ""):
        return not any(look(check, _repeated(check, rows)).held for rows in (1, 7, 1000))
    return False


def _repeated(check: Check, rows: int) -> Facts:
    files = {path: FileFact(size=100, kind="csv", rows=rows) for path in _paths([check])}
    return Facts(files=files, previous=files, deliveries=(DeliveryFact(channel="inbox"),))


def _paths(checks: Sequence[Check]) -> list[str]:
    named = [check.path for check in checks if check.path is not None]
    for check in checks:
        if check.expr is not None:
            named += expressions.paths(check.expr)
    return list(dict.fromkeys(named))


def _ending(path: str) -> str:
    return path.rsplit(".", 1)[-1].lower()


def _long(text: str) -> str:
    return (text + "\n") * (_PAGE_LENGTH // (len(text) + 1) + 1)


def _reports(checks: Sequence[Check], text: str) -> tuple[DeliveryFact, ...]:
    channels = {channel for check in checks if check.check == "delivered" for channel in check.contains}
    return tuple(DeliveryFact(channel=channel, text=text) for channel in sorted(channels) or ["inbox"])


def _page_file(words: str) -> FileFact:
    return FileFact(size=len(words.encode()), kind="html", text=words, text_length=len(words))


def _found_nothing(path: str, checks: Sequence[Check], words: str) -> FileFact:
    """What code that did not notice leaves under that name."""
    kind = _ending(path)
    if kind in _TABLES:
        columns = dict.fromkeys(name for check in checks if check.path == path for name in check.fields)
        header = ",".join(columns)
        return FileFact(
            size=len(header.encode()) + 1,
            kind=kind,
            rows=0,
            columns=tuple(ColumnFact(name=name, distinct=0, repeats=0) for name in columns),
            text=header,
            text_length=len(header) + 1,
        )
    if kind in _DRAWN:
        return FileFact(
            size=_DRAWN_SIZE,
            kind="jpeg" if kind == "jpg" else kind,
            width=_DRAWN_WIDTH,
            height=_DRAWN_HEIGHT,
        )
    return FileFact(size=len(words.encode()), kind=kind, text=words, text_length=len(words))
