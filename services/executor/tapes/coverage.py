"""Whether a mended program takes from today's page what it took on a good day: every row of a list, and of two
numbers beside each other the same one. Pure.

`True` yes · `False` no, and the differences say where · `None` cannot be told, and the differences say why.
A good day is the measure: who chose rows then may choose them now, and nobody can say which are missing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.executor.tapes.differences import Teller
from services.executor.tapes.following import Report
from services.executor.tapes.numbers import Number, numbers_in, telling
from services.executor.tapes.places import Leaf, Node, Page
from services.executor.tapes.renaming import names_something, phrases_in, squeezed

_SHOWN = 3
_MOST_ROWS = 2_000


@dataclass(frozen=True)
class Day:
    """What came out, and the pages it was read from. kept: what stands in the code or in its agent file."""

    report: Report
    pages: Sequence[Page]
    kept: str


@dataclass(frozen=True)
class Item:
    """A row of a page's list. title: without spaces and case; look: what it is built of; numbers: that stand in it."""

    title: str
    shown: str
    look: frozenset[str]
    numbers: tuple[Number, ...]


@dataclass(frozen=True)
class Listed:
    """The list of a page that most of a report was read from. taken: its rows that were reported, left: the others."""

    taken: tuple[Item, ...]
    left: tuple[Item, ...]


def covered(then: Day, now: Day, teller: Teller) -> bool | None:
    """then: a good day. now: today. Both without memory, so that nothing was left out as known already."""
    lists_then, lists_now = _lists(then), _lists(now)
    if not lists_then or not lists_now:
        _tell_unlisted(teller)
        return None
    whole = _whole(lists_then, lists_now, teller)
    return whole if whole is False else _same_numbers((then, lists_then), (now, lists_now), teller) and whole


def _whole(then: Sequence[Listed], now: Sequence[Listed], teller: Teller) -> bool | None:
    left = [item for one in now for item in one.left]
    if not left:
        return True
    shown = ", ".join(f"「{item.shown}」" for item in left[:_SHOWN])
    looks = {item.look for one in now for item in one.taken}
    if any(one.left for one in then) or not any(item.look in looks for item in left):
        teller.tell(
            "value",
            left[0].shown,
            f"{shown}: 페이지의 같은 목록에 있지만 결과에는 없어요. 빠져도 되는 줄인지는 확인하지 못했어요.",
            f"{shown}: in the same list of the page, but not in the result. "
            "Whether it belongs there could not be checked.",
        )
        return None
    teller.tell(
        "value",
        left[0].shown,
        f"{shown}: 페이지의 같은 목록에 있는데 결과에서 빠졌어요. 잘됐던 날에는 목록을 모두 읽었어요.",
        f"{shown}: in the same list of the page, but left out. On a good day the whole list was read.",
    )
    return False


def _same_numbers(
    then: tuple[Day, Sequence[Listed]], now: tuple[Day, Sequence[Listed]], teller: Teller
) -> bool | None:
    """Of the rows that were there on both days: both of two numbers stood there on both days, and the other is
    reported now. A price that changed is another number, which did not stand there before."""
    rows_then, rows_now = _numbered(*then), _numbered(*now)
    kept, swapped, several = 0, list[tuple[str, str, str]](), False
    for title, row in rows_now.items():
        several = several or bool(row.beside)
        before = rows_then.get(title)
        for place, number in row.reported.items():
            old = before.reported.get(place) if before else None
            if before is None or old is None:
                continue
            if number.names & old.names:
                kept += bool(before.beside and row.beside)
            elif _among(old, row.numbers) and _among(number, before.numbers):
                swapped.append((row.shown, _shown(old), _shown(number)))
    if len(swapped) > kept:
        for shown, old_value, new_value in swapped[:_SHOWN]:
            teller.tell(
                "value",
                shown,
                f"「{shown}」: 지난번에는 {old_value}을(를) 읽었는데 이번에는 그 옆의 {new_value}을(를) 읽었어요. "
                "두 값은 두 날 모두 적혀 있었어요.",
                f"“{shown}”: last time {old_value} was read, now the {new_value} beside it. "
                "Both stood there on both days.",
                before=old_value,
                after=new_value,
            )
        return False
    if several and not kept:
        teller.tell(
            "value",
            "",
            "페이지에 값이 여럿 나란히 적혀 있어서, 그중 맞는 값을 읽었는지 확인하지 못했어요.",
            "Several values stand beside each other on the page; whether the right one was read could not be checked.",
        )
        return None
    return True


@dataclass(frozen=True)
class _Row:
    """reported: by where it stands in the report. numbers: of the page's row; beside: those that are not reported."""

    shown: str
    reported: dict[tuple[str, int, int], Number]
    numbers: tuple[Number, ...]

    @property
    def beside(self) -> bool:
        mine = {name for number in self.reported.values() for name in number.names}
        return bool(self.reported) and any(not number.names & mine for number in self.numbers)


def _numbered(day: Day, lists: Sequence[Listed]) -> dict[str, _Row]:
    """By title, the rows whose reported numbers stand in the page's row."""
    items = {item.title: item for one in lists for item in one.taken}
    found: dict[str, _Row] = {}
    for name, cells in _cells(day.report):
        item = next((items[title] for cell in cells for title in _titles(cell) if title in items), None)
        if item is None:
            continue
        reported = {
            (name, place, at): number
            for place, cell in enumerate(cells)
            for at, number in enumerate(numbers_in(cell))
            if telling(number) and _among(number, item.numbers)
        }
        before = found.get(item.title)
        reported = {**(before.reported if before else {}), **reported}
        found[item.title] = _Row(item.shown, reported, item.numbers)
    return found


def _cells(report: Report) -> Iterator[tuple[str, Sequence[str]]]:
    for file in report.files:
        for row in file.rows:
            yield file.name, row
    for message in report.messages:
        for line in message.splitlines():
            title = next((phrase for phrase in phrases_in([line]) if phrase != line.strip()), "")
            before, _, after = line.partition(title) if title else (line, "", "")
            yield "", (title, before, after)


def _titles(cell: str) -> list[str]:
    return [squeezed(phrase) for phrase in phrases_in([cell])]


def _among(number: Number, others: Sequence[Number]) -> bool:
    return any(number.names & other.names for other in others)


def _shown(number: Number) -> str:
    return f"{number.value:,f}"


def _lists(day: Day) -> list[Listed]:
    texts = day.report.texts()
    reported = {squeezed(phrase) for phrase in phrases_in(texts)}
    said = squeezed("\n".join(texts))
    return [found for page in day.pages if (found := _listed(page, reported, said, day.kept)) is not None]


def _listed(page: Page, reported: set[str], said: str, kept: str) -> Listed | None:
    """None when not even two places of one kind hold anything of the report."""
    places: dict[tuple[int, str, str], list[Leaf]] = defaultdict(list)
    for leaf in page.leaves:
        if names_something(leaf.text):
            places[leaf.kind].append(leaf)
    found = [
        listed
        for leaves in places.values()
        if len(leaves) > 1 and (listed := _around(leaves[:_MOST_ROWS], reported, said, kept)) is not None
    ]
    return max(found, key=lambda one: (len(one.taken), -len(one.left)), default=None)


def _around(leaves: Sequence[Leaf], reported: set[str], said: str, kept: str) -> Listed | None:
    """The list these places make: what encloses the reported ones, and whatever repeats beside it."""
    taken = {leaf for leaf in leaves if squeezed(leaf.text) in reported and leaf.text not in kept}
    if not taken:
        return None
    count = Counter(node for leaf in leaves for node in leaf.node.upwards())
    whole = _enclosing([leaf.node for leaf in taken], count)
    inside = [leaf for leaf in leaves if any(node is whole for node in leaf.node.upwards())]
    others = [leaf for leaf in inside if leaf not in taken and leaf.text not in kept]
    left = [leaf for leaf in others if squeezed(leaf.text) not in said]
    if len(taken) + len(left) < 2:
        return None
    return Listed(
        tuple(_item(leaf, count) for leaf in inside if leaf in taken),
        tuple(_item(leaf, count) for leaf in left),
    )


def _enclosing(nodes: Sequence[Node], count: Counter[Node]) -> Node:
    """The closest node around all of them that has two such places; further up while that itself is repeated."""
    common = list(nodes[0].upwards())
    for node in nodes[1:]:
        others = set(node.upwards())
        common = [one for one in common if one in others]
    around = next((node for node in common if count[node] > 1), common[-1])
    while around.parent is not None and len(around.parent.children) > 1:
        if any(sibling.look != around.look for sibling in around.parent.children):
            break
        around = around.parent
    return around


def _item(leaf: Leaf, count: Counter[Node]) -> Item:
    """All around the title up to the next one. In a flat list that is what follows it."""
    top = leaf.node
    while top.parent is not None and count[top.parent] == 1:
        top = top.parent
    nodes = list(top.downwards())
    if top.parent is not None and not _numbers(nodes, leaf):
        beside, at = top.parent.children, top.place + 1
        while at < len(beside) and not count[beside[at]]:
            nodes += beside[at].downwards()
            at += 1
    look = frozenset(node.look for node in nodes)
    return Item(squeezed(leaf.text), leaf.text, look, _numbers(nodes, leaf))


def _numbers(nodes: Sequence[Node], title: Leaf) -> tuple[Number, ...]:
    texts = (text for node in nodes for text in node.texts if text != title.text)
    return tuple(number for text in texts for number in numbers_in(text) if telling(number))


def _tell_unlisted(teller: Teller) -> None:
    teller.tell(
        "value",
        "",
        "결과가 페이지의 어느 목록에서 온 것인지 알 수 없어서, 빠진 줄이 없는지는 확인하지 못했어요.",
        "Which list of the page it was read from cannot be told, so whether rows are missing could not be checked.",
    )
