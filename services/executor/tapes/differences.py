"""What a replay did otherwise than what was recorded, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.executor.checker.moments import blurred
from services.executor.model import AttemptResult
from shared.agentfile.model import Language
from shared.records.executor import Difference, QueuedDelivery
from shared.records.tapes import TapeEntry

MOST = 20
_EXCERPT = 600


@dataclass(frozen=True)
class FilePair:
    """One name on both sides: equal, or what differs; how: bytes, text, pixels, contents or clock."""

    name: str
    same: bool
    how: str = "bytes"
    before: str = ""
    after: str = ""


class Teller:
    """Collects differences in the agent's language; the last of too many says how many there are."""

    def __init__(self, language: Language) -> None:
        self._korean = language == "ko"
        self._found: list[Difference] = []
        self._more = 0

    def tell(
        self, kind: str, name: str, korean: str, english: str, before: str = "", after: str = ""
    ) -> None:
        if len(self._found) >= MOST:
            self._more += 1
            return
        text = korean if self._korean else english
        self._found.append(
            Difference.model_validate(
                {
                    "kind": kind,
                    "name": name[:_EXCERPT],
                    "text": text,
                    "before": before[:_EXCERPT],
                    "after": after[:_EXCERPT],
                }
            )
        )

    def all(self) -> tuple[Difference, ...]:
        if not self._more:
            return tuple(self._found)
        text = f"그 밖에 {self._more}가지가 더 달라요." if self._korean else f"{self._more} more differ."
        return (*self._found, Difference(kind="tape", name="", text=text))


def requests(before: Sequence[TapeEntry], after: Sequence[TapeEntry], teller: Teller) -> None:
    """Missing, extra, with another body, in another order. Of requests that were under way together, none was
    before the other."""
    pairs, missing, extra = _matched(before, after)
    for old, new in pairs:
        if old.url != new.url:
            teller.tell(
                "request",
                _shown(old),
                "주소에 든 시각만 다른 요청이에요.",
                "The same request but for a time in its address.",
                _shown(old),
                _shown(new),
            )
        elif old.request_sha256 != new.request_sha256:
            teller.tell(
                "request",
                _shown(old),
                "같은 주소로 보낸 내용이 달라요.",
                "The same request was sent with another body.",
                f"{old.request_size} bytes {old.request_sha256[:12]}",
                f"{new.request_size} bytes {new.request_sha256[:12]}",
            )
    for entry in missing:
        teller.tell(
            "request",
            _shown(entry),
            "녹화에는 있는데 이번에는 보내지 않은 요청이에요.",
            "This request is on the recording but was not made now.",
            before=_shown(entry),
        )
    for entry in extra:
        teller.tell(
            "request",
            _shown(entry),
            "녹화에는 없던 요청이에요. 바깥으로 나가지 않았고, 답도 받지 못했어요.",
            "This request is not on the recording. It was not sent, and got no answer.",
            after=_shown(entry),
        )
    swapped = _out_of_order([pair for pair in pairs if _key(pair[0]) == _key(pair[1])])
    if swapped is not None:
        first, second = swapped
        teller.tell(
            "request",
            _shown(first),
            "요청을 보낸 순서가 달라요.",
            "Requests were made in another order.",
            f"{_shown(first)} → {_shown(second)}",
            f"{_shown(second)} → {_shown(first)}",
        )


Pairs = list[tuple[TapeEntry, TapeEntry]]


def _matched(
    before: Sequence[TapeEntry], after: Sequence[TapeEntry]
) -> tuple[Pairs, list[TapeEntry], list[TapeEntry]]:
    """By method, address and body where possible, else by method and address, else but for times in it."""
    left, pairs = list(before), []
    unmatched = []
    for entry in after:
        found = next((old for old in left if _key(old) == _key(entry)), None)
        if found is None:
            unmatched.append(entry)
        else:
            left.remove(found)
            pairs.append((found, entry))
    extra = []
    for entry in unmatched:
        found = next((old for old in left if _key(old)[:2] == _key(entry)[:2]), None)
        found = found or next((old for old in left if _blurred_key(old) == _blurred_key(entry)), None)
        if found is None:
            extra.append(entry)
        else:
            left.remove(found)
            pairs.append((found, entry))
    return sorted(pairs, key=lambda pair: pair[1].n), left, extra


def _key(entry: TapeEntry) -> tuple[str, str, str]:
    return entry.method, entry.url, entry.request_sha256


def _blurred_key(entry: TapeEntry) -> tuple[str, str]:
    return entry.method, blurred(entry.url)


def _out_of_order(pairs: Pairs) -> tuple[TapeEntry, TapeEntry] | None:
    """The first two, in the recorded order, of which the second is over now before the first begins."""
    for place, (old, new) in enumerate(pairs):
        for later_old, later_new in pairs[place + 1 :]:
            if later_old.ended_s < old.began_s and new.ended_s <= later_new.began_s:
                return later_old, old
    return None


def _shown(entry: TapeEntry) -> str:
    return f"{entry.method} {entry.url}"[:300]


def files(
    before: Mapping[str, str], after: Mapping[str, str], pairs: Sequence[FilePair], teller: Teller
) -> None:
    """before, after: name -> digest. pairs: of the names whose digests differ."""
    for name in sorted(set(before) - set(after)):
        teller.tell("output", name, "이번에는 만들지 않은 파일이에요.", "This file was not made now.", name)
    for name in sorted(set(after) - set(before)):
        teller.tell("output", name, "녹화에는 없던 파일이에요.", "This file is new.", after=name)
    for pair in pairs:
        if not pair.same:
            korean, english = _HOW.get(pair.how, _HOW["bytes"])
            teller.tell("output", pair.name, korean, english, pair.before, pair.after)


_HOW = {
    "text": ("파일 내용이 달라요.", "The file says something else."),
    "pixels": ("그림이 달라요.", "The picture looks different."),
    "contents": ("안에 든 파일이 달라요.", "What is inside the file differs."),
    "bytes": ("파일이 달라요.", "The file differs."),
    "clock": (
        "적힌 시각만 달라요. 다시 재생할 때는 기다리는 시간이 짧아서 시계가 다르게 가요.",
        "Only times differ. A replay waits less, so its clock shows other times.",
    ),
}


def deliveries(before: Sequence[QueuedDelivery], after: Sequence[QueuedDelivery], teller: Teller) -> None:
    for place in range(max(len(before), len(after))):
        old = before[place] if place < len(before) else None
        new = after[place] if place < len(after) else None
        name = (old or new or before[0]).channel
        if old is None or new is None:
            korean = "녹화에는 없던 메시지예요." if old is None else "이번에는 보내려고 하지 않은 메시지예요."
            english = "This message is new." if old is None else "This message was not asked for now."
            texts = (old.text if old else "", new.text if new else "")
            teller.tell("delivery", name, korean, english, *texts)
        elif (old.text, old.files) != (new.text, new.files) or "" != old.channel != new.channel != "":
            one, other = _first_difference(old.text, new.text)
            clock = old.files == new.files and blurred(old.text) == blurred(new.text)
            texts = _HOW["clock"] if clock and one != other else ("메시지가 달라요.", "The message differs.")
            teller.tell("delivery", name, *texts, one, other)


def _first_difference(before: str, after: str) -> tuple[str, str]:
    """From the first line that differs on."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    return "\n".join(old[start:]), "\n".join(new[start:])


def ends(before: AttemptResult, after: AttemptResult, teller: Teller) -> None:
    if (before.reason, before.exit_code) != (after.reason, after.exit_code):
        teller.tell("end", "", "다르게 끝났어요.", "It ended in another way.", _end(before), _end(after))


def _end(result: AttemptResult) -> str:
    last = result.error_lines[-1:] if result.exit_code else ()
    return " ".join([result.reason, *([] if result.exit_code is None else [str(result.exit_code)]), *last])


def state(before: AttemptResult, after: AttemptResult, pair: FilePair | None, teller: Teller) -> None:
    """pair: how the archives compare, where both are still there."""
    if before.state_sha256 == after.state_sha256 or (pair is not None and pair.same):
        return
    one, other = (pair.before, pair.after) if pair else ("", "")
    teller.tell(
        "state",
        "",
        "다음 실행을 위해 기억한 내용이 달라요.",
        "What it remembered for the next run differs.",
        one,
        other,
    )
