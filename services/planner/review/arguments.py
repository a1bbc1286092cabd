"""The arguments of a call, each with all it may be."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.planner.review.values import NOTHING, Value


@dataclass(frozen=True)
class Arguments:
    """`rest`: what *args or **kwargs of unknown shape may bring to any parameter."""

    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    rest: Value = NOTHING

    def at(self, index: int, *names: str) -> Value:
        """The argument at a position or under one of its names; nothing when it is not given."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        if 0 <= index < len(self.positional):
            return self.positional[index]
        return self.rest

    def every(self) -> list[Value]:
        return [*self.positional, *self.keywords.values(), self.rest]
