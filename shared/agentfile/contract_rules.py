"""Which fields each kind of check needs and takes, and whether a contract says anything at all."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from shared.agentfile import expressions
from shared.agentfile.model import Check

Sentences = tuple[str, str]

# kind -> (needed, also taken). `says` and `check` are always there.
TAKES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "file": (frozenset({"path"}), frozenset({"min", "max", "contains", "min_width", "min_height"})),
    "rows": (frozenset({"path"}), frozenset({"min", "max"})),
    "fields": (
        frozenset({"path", "fields"}),
        frozenset({"min", "max", "contains", "excludes", "unique", "format", "language"}),
    ),
    "fresh": (frozenset({"path", "fields", "max_age_s"}), frozenset()),
    "change": (frozenset({"path"}), frozenset({"min", "max", "fields"})),
    "text": (frozenset(), frozenset({"path", "min", "max", "contains", "excludes", "language"})),
    "delivered": (frozenset(), frozenset({"min", "max", "contains"})),
    "expr": (frozenset({"expr"}), frozenset()),
}
_OPTIONAL = (
    *("path", "min", "max", "fields", "contains", "excludes", "max_age_s", "expr"),
    *("unique", "format", "language", "min_width", "min_height"),
)


def contract_problems(checks: tuple[Check, ...]) -> Iterator[tuple[str, Sentences]]:
    """(key, sentence in Korean and English) for each field that cannot be evaluated."""
    for index, check in enumerate(checks):
        key = f"contract[{index}]"
        yield from _field_problems(key, check)
        if not check.says or len(check.says) > 200:
            yield (
                f"{key}.says",
                (
                    "사람이 읽을 한 문장을 적어 주세요(200자까지).",
                    "Give one sentence people can read (up to 200 characters).",
                ),
            )
        if check.path is not None and not plain_output(check.path):
            yield (
                f"{key}.path",
                (
                    "'outputs/'로 시작하는 파일 하나를 적어 주세요. 예: outputs/items.csv",
                    "Name one file under outputs/, such as outputs/items.csv.",
                ),
            )
        if check.min is not None and check.max is not None and check.min > check.max:
            yield f"{key}.min", ("min이 max보다 커요. 둘을 바꿔 주세요.", "min is above max. Swap them.")
        if check.max_age_s is not None and check.max_age_s <= 0:
            yield f"{key}.max_age_s", ("0보다 큰 초를 적어 주세요.", "Give seconds above 0.")
        if check.expr is not None:
            yield from _expr_problems(f"{key}.expr", check.expr)


def plain_output(path: str) -> bool:
    """Whether a path is one file under outputs/, in NFC, without tricks."""
    parts = path.split("/")
    return (
        len(parts) >= 2
        and parts[0] == "outputs"
        and all(part not in ("", ".", "..") for part in parts)
        and len(path) <= 200
        and unicodedata.is_normalized("NFC", path)
        and not any(character in '\\*?"' or unicodedata.category(character)[0] == "C" for character in path)
    )


def _field_problems(key: str, check: Check) -> Iterator[tuple[str, Sentences]]:
    needed, also = TAKES[check.check]
    for name in _OPTIONAL:
        given = getattr(check, name) not in (None, (), False)
        if name in needed and not given:
            yield (
                f"{key}.{name}",
                (f"'{check.check}' 확인에 꼭 있어야 해요.", f"A '{check.check}' check needs this."),
            )
        if given and name not in needed | also:
            yield (
                f"{key}.{name}",
                (
                    f"'{check.check}' 확인에는 쓰지 않아요. 빼 주세요.",
                    f"A '{check.check}' check does not use this. Remove it.",
                ),
            )
    yield from _odd_together(key, check)


def _odd_together(key: str, check: Check) -> Iterator[tuple[str, Sentences]]:
    """Fields that are right each by itself and say nothing, or nothing that can hold, together."""
    bounded = check.min is not None or check.max is not None
    if check.check == "text" and not (check.contains or check.excludes or check.language or bounded):
        yield (
            f"{key}.contains",
            (
                "contains, excludes, language, min, max 가운데 하나는 적어 주세요.",
                "Give contains, excludes, language, min or max.",
            ),
        )
    if check.check == "fresh" and len(check.fields) > 1:
        yield f"{key}.fields", ("날짜가 든 열 하나만 적어 주세요.", "Name the one column with the date.")
    if check.check == "change" and check.fields:
        if len(check.fields) > 1:
            yield f"{key}.fields", ("숫자가 든 열 하나만 적어 주세요.", "Name the one column with numbers.")
        if not bounded:
            yield (
                f"{key}.min",
                ("지난번의 몇 배까지 괜찮은지 min이나 max를 적어 주세요.", "Give min or max, as a factor."),
            )
    if check.check == "fields" and bounded and check.format not in (None, "number"):
        yield (
            f"{key}.format",
            (
                "min이나 max가 있으면 숫자 열이에요. format을 빼 주세요.",
                "min and max mean numbers. Remove format.",
            ),
        )


def _expr_problems(key: str, text: str) -> Iterator[tuple[str, Sentences]]:
    try:
        odd = [path for path in expressions.paths(text) if not plain_output(path)]
    except ValueError as error:
        functions = ", ".join(expressions.FUNCTIONS)
        yield (
            key,
            (
                f"'{error}' 부분은 쓸 수 없어요. 숫자 비교와 이 함수들만 쓸 수 있어요: {functions}",
                f"'{error}' is not allowed. Only comparisons of numbers and these functions are: {functions}",
            ),
        )
        return
    if odd:
        yield key, ("파일은 'outputs/'로 시작해야 해요.", "Files must start with outputs/.")
