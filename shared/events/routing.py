"""Which service needs which topic, read from the events' own docstrings (a test holds them to the handlers).

What makes subscriptions before any process has started starts here: the emulators' and terraform's.
"""

from __future__ import annotations

import re

from shared.events.catalog import TYPES

_HANDLED_BY = re.compile(r"^\s*Handled by: *(.+?)\s*$", re.MULTILINE)


def subscriptions() -> dict[str, tuple[str, ...]]:
    """Topics by service, both in alphabetical order."""
    wanted: dict[str, set[str]] = {}
    for kind in TYPES.values():
        for line in _HANDLED_BY.findall(kind.__doc__ or ""):
            for service in re.findall(r"[a-z]+", line):
                wanted.setdefault(service, set()).add(kind.topic())
    return {service: tuple(sorted(wanted[service])) for service in sorted(wanted)}
