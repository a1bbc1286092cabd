"""Each event's docstring tells the truth about who emits and who handles it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

from shared.events.catalog import TYPES
from shared.events.envelope import Event
from tests.repo.tree import SERVICES, Source, python

_LINE = r"{}: *([a-z, \n]*?)(?:\n *\n|\n *[A-Z]|\.?\s*$)"


def said(kind: type[Event], what: str) -> set[str]:
    """Services named after `what` ("Emitted by"); `every service` stands for all five, `nobody` for none."""
    match = re.search(_LINE.format(what), kind.__doc__ or "")
    if match is None:
        return {"(the docstring does not say)"}
    words = " ".join(match.group(1).split())
    if words in ("every service", "all", "all five"):
        return set(SERVICES)
    return set() if words == "nobody" else {word.strip() for word in words.split(",") if word.strip()}


def handled(sources: Iterable[Source]) -> dict[str, set[str]]:
    """Event class name -> services whose HANDLERS table has it, read from the source without importing it."""
    found: dict[str, set[str]] = {}
    for source in sources:
        parts = source.name.split("/")
        if parts[0] != "services" or len(parts) < 3 or "handlers" not in source.name:
            continue
        for key in _table_keys(source.tree):
            found.setdefault(key, set()).add(parts[1])
    return found


def _table_keys(tree: ast.Module) -> Iterable[str]:
    for node in tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        named = any(isinstance(target, ast.Name) and target.id == "HANDLERS" for target in targets)
        value = getattr(node, "value", None)
        if named and value is not None:
            yield from (
                part.id if isinstance(part, ast.Name) else part.attr
                for entry in ast.walk(value)
                for part in (entry,)
                if isinstance(part, ast.Name | ast.Attribute)
            )


def stale(kinds: Iterable[type[Event]], handlers: Mapping[str, set[str]]) -> list[str]:
    found = []
    for kind in kinds:
        says, true = said(kind, "Handled by"), handlers.get(kind.__name__, set())
        if says != true:
            found.append(f"{kind.__name__}: says {sorted(says)}, is {sorted(true)}")
    return found


def test_docstrings_name_exactly_the_declared_producers() -> None:
    wrong = {
        kind.__name__: said(kind, "Emitted by")
        for kind in TYPES.values()
        if said(kind, "Emitted by") != kind.producers
    }

    assert wrong == {}


def test_docstrings_name_exactly_the_services_that_handle_the_event() -> None:
    assert stale(TYPES.values(), handled(python())) == []


def test_rule_notices_a_handler_that_nobody_wrote_down() -> None:
    table = Source(
        "services/ledger/handlers.py",
        "HANDLERS = {RunRequested: on_run_requested, run.RunFunded: on_run_funded}\n",
    )

    handlers = handled([table])

    assert handlers["RunRequested"] == {"ledger"}
    assert handlers["RunFunded"] == {"ledger"}
    assert stale(TYPES.values(), {}) != []
