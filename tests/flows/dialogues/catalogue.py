"""All dialogues, by name."""

from __future__ import annotations

from collections.abc import Callable

from tests.flows.dialogues import english, korean
from tests.flows.dialogues.telling import Dialogue, World

DIALOGUES: dict[str, Callable[[World], Dialogue]] = {
    "three_shops": korean.three_shops,
    "subtitles": korean.subtitles,
    "yesterday": korean.yesterday,
    "summed_reviews": korean.summed_reviews,
    "mended": korean.mended,
    "changed": korean.changed,
    "reviewed": korean.reviewed,
    "invented": korean.invented,
    "charted": korean.charted,
    "edited": korean.edited,
    "jobs": english.jobs,
    "digest": english.digest,
}
# What a server without functions of the request can play.
PLAIN = ("three_shops", "yesterday", "changed", "digest")
# Their agents call agent.llm(), which the operator's key is not for; connecting one asks for a tiny answer.
WITH_A_KEY_OF_THEIR_OWN = frozenset({"summed_reviews"})
