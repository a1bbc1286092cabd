"""The files of the three programs, as they lie beside this module. Read when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_HERE = Path(__file__).parent


@cache
def watch_program() -> Mapping[str, bytes]:
    """The watching agent's code without its settings.json and README.md."""
    return _program("watch")


@cache
def look_program() -> Mapping[str, bytes]:
    """The program that looks at addresses, run with input {"addresses": [...]}; it shares the reading and
    finding modules with the agent, so what is seen before the plan is what the agent will see."""
    return _program("look")


@cache
def read_program() -> Mapping[str, bytes]:
    """As `look_program`, for a reader that understands text: it brings back a part of each page as well."""
    return _program("read")


@cache
def requirements_lock() -> bytes:
    """Pinned with hashes for every platform; all of them run in this environment."""
    return (_HERE / "requirements.lock").read_bytes()


@cache
def package_names() -> tuple[str, ...]:
    return tuple((_HERE / "requirements.in").read_text(encoding="utf-8").split())


def _program(folder: str) -> Mapping[str, bytes]:
    modules = sorted((_HERE / "watch" / "pagewatch").glob("*.py"))
    files = {f"pagewatch/{module.name}": module.read_bytes() for module in modules}
    files["main.py"] = (_HERE / folder / "main.py").read_bytes()
    return MappingProxyType(files)
