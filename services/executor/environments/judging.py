"""Which packages of a lock need a person's yes, judged by what the index says of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from packaging.utils import canonicalize_name

from services.executor.environments import guard, sentences
from services.executor.environments.facts import Facts
from services.executor.environments.wheels import Pinned, read_wish
from services.executor.ports import Asking, Wish
from shared.clock import Clock
from shared.errors import BadRequest


class Judge:
    def __init__(self, facts: Facts, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock

    def asking(self, pins: Sequence[Pinned], wish: Wish, built: Collection[str] = ()) -> Asking | None:
        """Judges every package, whoever asked for it before: a yes is never inherited. built: hashes of wheels that
        were made from source. Raises BadRequest for an invented package, Unavailable."""
        labels, reasons = [], []
        popular = guard.shipped()
        direct = {canonicalize_name(read_wish(text).name) for text in wish.packages}
        needed_by = {pin.name: () if pin.name in direct else tuple(pin.via) for pin in pins}
        vouched = guard.vouched_for(needed_by, popular)
        for pin in pins:
            project = self._facts.of(pin.name, pin.version)
            doubt = guard.judge(
                pin.name, pin.version, project, self._clock.now(), popular, pin.name in vouched
            )
            if doubt is not None and doubt.kind == "invented":
                raise no_such(pin.name)
            if pin.label in wish.approved:
                continue
            if doubt is None and not pin.hashes.isdisjoint(built):
                doubt = guard.Doubt("no_wheel")
            if doubt is not None:
                labels.append(pin.label)
                reasons.append(sentences.doubt(pin.label, doubt, wish.language))
        return Asking(tuple(labels), tuple(reasons)) if labels else None


def no_such(name: str) -> BadRequest:
    text = sentences.no_such(name, guard.shipped().taken_for(name))
    return BadRequest(text, code="no_such_package", fields={"packages": name})
