"""`make docs`: pages under docs/ that are written from the code; `--check` says which are out of date."""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Callable
from pathlib import Path

from scripts import cloud
from scripts.console import CannotContinue, run_command, say
from scripts.layout import ROOT

SERVICES = ("gateway", "planner", "executor", "scheduler", "ledger")
_NOTE = "Written by `make docs` from the code; do not edit."


def settings_page() -> str:
    from shared.runtime.settings import Settings, variable_names

    names = variable_names()
    lines = ["# Settings", "", _NOTE, "", "| variable | default | meaning |", "|---|---|---|"]
    for field, info in Settings.model_fields.items():
        default = str(info.get_default())
        shown = f"`{default}`" if default else "empty"
        lines.append(f"| `{names[field]}` | {shown} | {_cell(info.description or '')} |")
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    from shared.telemetry.metrics import METRICS
    from shared.telemetry.trace import ATTRIBUTES, SPANS

    lines = ["# What an operator can watch", "", _NOTE, ""]
    lines += [
        "All of it: nothing else is counted or traced. `GET /metrics` shows the numbers of its process; with",
        "",
    ]
    lines[-2] += " `AB_OTLP_ENDPOINT` set, and on Google Cloud, numbers and traces are sent."
    lines += ["## Numbers", "", "| name | kind | unit | labels | meaning |", "|---|---|---|---|---|"]
    for name, metric in sorted(METRICS.items()):
        labels = ", ".join(metric.labels) or "none"
        lines.append(f"| `{name}` | {metric.kind} | {metric.unit} | {labels} | {_cell(metric.says)} |")
    lines += ["", "## Spans of a trace", "", "| span | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(says)} |" for name, says in SPANS.items()]
    lines += ["", "Their attributes, each as `ab.<name>`:", "", "| attribute | meaning |", "|---|---|"]
    lines += [f"| `{attribute}` | {_cell(says)} |" for attribute, says in ATTRIBUTES.items()]
    return "\n".join(lines) + "\n"


def events_page() -> str:
    from shared.events.catalog import TYPES

    lines = ["# Events", "", _NOTE, ""]
    for wire, kind in sorted(TYPES.items()):
        lines += [f"## {kind.__name__}", "", f"`{wire}` on topic `{kind.topic()}`", ""]
        lines += [*_paragraphs(inspect.cleandoc(kind.__doc__ or "")), ""]
        lines += ["| field | type | needed |", "|---|---|---|"]
        for name, info in kind.model_fields.items():
            text = inspect.formatannotation(info.annotation).replace("typing.", "")
            lines.append(f"| `{name}` | `{_cell(text)}` | {'yes' if info.is_required() else 'no'} |")
        lines.append("")
    return "\n".join(lines)


def flows_page() -> str:
    from shared.events.catalog import TYPES

    tables = handlers()
    lines = [
        "# What happens when",
        "",
        _NOTE,
        "",
        "| event | topic | emitted by | handled in |",
        "|---|---|---|---|",
    ]
    for _, kind in sorted(TYPES.items()):
        places = "<br>".join(f"`{place}`" for place in tables.get(kind.__name__, [])) or "nobody"
        lines.append(f"| {kind.__name__} | {kind.topic()} | {', '.join(sorted(kind.producers))} | {places} |")
    return "\n".join(lines) + "\n"


def handlers() -> dict[str, list[str]]:
    """Event class -> `services/<name>/<file> function` of every HANDLERS table, read without importing."""
    found: dict[str, list[str]] = {}
    for service in SERVICES:
        folder = ROOT / "services" / service
        files = [folder / "handlers.py", *sorted((folder / "handlers").glob("*.py"))]
        trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files if file.exists()}
        written = {
            node.name: file
            for file, tree in trees.items()
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
        }
        for file, tree in trees.items():
            for event, function in _table(tree):
                place = written.get(function, file).relative_to(ROOT)
                found.setdefault(event, []).append(f"{place} {function}".strip())
    return found


def _table(tree: ast.Module) -> list[tuple[str, str]]:
    """(event class, handler name) of the HANDLERS table; the name is empty where it is not plain."""
    rows = []
    for node in tree.body:
        value = getattr(node, "value", None)
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if not any(isinstance(target, ast.Name) and target.id == "HANDLERS" for target in targets):
            continue
        if isinstance(value, ast.Dict):
            for key, entry in zip(value.keys, value.values, strict=True):
                names = [_last_name(part) for part in ast.walk(entry) if isinstance(part, ast.expr)]
                mine = [name for name in names if name.startswith(("on_", "claim_"))]
                rows.append((_last_name(key), mine[0] if mine else ""))
    return rows


def _last_name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _paragraphs(text: str) -> list[str]:
    """Docstring lines; `Emitted by` and `Handled by` stay lines of their own."""
    return [
        line + ("  " if line.startswith(("Emitted by", "Handled by")) else "") for line in text.splitlines()
    ]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/metrics.md": metrics_page,
    "docs/events.md": events_page,
    "docs/flows.md": flows_page,
    "docs/events.json": cloud.events,
    "docs/databases.json": cloud.databases,
    "docs/keys.json": cloud.keys,
}


def main() -> int:
    options = argparse.ArgumentParser(description="Write the generated pages under docs/.")
    options.add_argument(
        "--check", action="store_true", help="write nothing; fail when a page is out of date"
    )
    check = options.parse_args().check
    stale = []
    for name, write in PAGES.items():
        page, path = write(), ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == page:
            continue
        stale.append(name)
        if not check:
            Path(path).parent.mkdir(exist_ok=True)
            path.write_text(page, encoding="utf-8")
            say(f"wrote {name}")
    if check and stale:
        raise CannotContinue(f"Out of date: {', '.join(stale)}. Run 'make docs' and commit what it writes.")
    return 0


if __name__ == "__main__":
    run_command(main)
