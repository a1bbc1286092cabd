"""The engine: what to say next in a conversation about a new agent. Pure; the same state gives the same step.

`talk.py` has what goes in and out, `wishes.py` and `addresses.py` read, `proposal.py` makes the plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from services.planner.recipes.addresses import (
    PRACTICE_ENTRANCE,
    Addresses,
    practice_addresses,
    read_addresses,
    same_site,
    short_name,
    without_addresses,
)
from services.planner.recipes.found import MAX_ADDRESSES, why_unreadable
from services.planner.recipes.gallery import nearest
from services.planner.recipes.proposal import Wanted, propose
from services.planner.recipes.says import says
from services.planner.recipes.talk import (
    Ask,
    Choice,
    Estimate,
    Look,
    LookFound,
    PackageUse,
    Propose,
    Question,
    Refuse,
    SecretNeed,
    Step,
    TalkState,
)
from services.planner.recipes.wishes import (
    channels_of,
    count_of,
    language_of,
    noun_of,
    wants_acts,
    wants_by_hand,
    wants_elsewhere,
    wants_keywords,
    wants_practice,
    wants_watching,
)
from shared.agentfile.model import Schedule
from shared.agentfile.shared_hosts import says_too_little
from shared.agentfile.words import ScheduleReading, read_schedule

__all__ = [
    "Ask",
    "Choice",
    "Estimate",
    "Look",
    "LookFound",
    "PackageUse",
    "Propose",
    "Question",
    "Refuse",
    "SecretNeed",
    "Step",
    "TalkState",
    "next_step",
]

MAX_CHARACTERS = 4_000  # of one message or answer; what follows is not read
PRACTICE, ONLY_THESE, ONLY_READABLE, BY_HAND = "practice", "only_these", "only_readable", "by_hand"
_DAILY, _WEEKDAYS, _WEEKLY = "choice_daily", "choice_weekdays", "choice_weekly"
Language = Literal["ko", "en"]
SendTo = Literal["inbox", "slack"]


@dataclass(frozen=True)
class _When:
    """`known` with no schedule: by hand only. `open`: the sentence about what the words leave open."""

    known: bool
    schedule: Schedule | None = None
    open: str = ""
    assumed: tuple[str, ...] = ()


def next_step(state: TalkState) -> Step:
    """Asks for what is missing, all at once; looks at addresses not yet looked at; then proposes."""
    state = replace(
        state,
        messages=tuple(message[:MAX_CHARACTERS] for message in state.messages),
        answers={name: str(answer)[:MAX_CHARACTERS] for name, answer in state.answers.items()},
    )
    text = "\n".join(state.messages)
    words = without_addresses(text)
    language = language_of(words, state.language)
    places = _addresses(state, text)
    if not text.strip() and not state.answers and not state.practice:
        return Refuse(says(language, "refuse_empty"), nearest("", language))
    if not (places.urls or wants_watching(words)) or (
        wants_elsewhere(words) and not _is_about_lists(words, places)
    ):
        return Refuse(says(language, "refuse_elsewhere"), nearest(words, language))
    if len(places.urls) > MAX_ADDRESSES:
        return _refuse_many(places, language)
    open_host = next((host for host in map(_too_open, places.urls) if host), "")
    if open_host:
        return Refuse(says(language, "refuse_shared", host=open_host), nearest(words, language))
    questions = _missing(state, words, language, places)
    if questions:
        return Ask(tuple(questions), _note(state, words, places, language))
    return _look_or_propose(state, words, language, places)


def _too_open(url: str) -> str:
    """Its host, when that says nothing about whose page is meant; else empty."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return host if says_too_little(host, parts.path) else ""


def _is_about_lists(words: str, places: Addresses) -> bool:
    return wants_watching(words) and bool(places.urls)


def _addresses(state: TalkState, text: str) -> Addresses:
    """Those of the messages, then those of the answers; the practice shops when they were named or chosen."""
    answer = state.answers.get("addresses", "")
    replaced = state.answers.get("unreadable", "")
    found = read_addresses(f"{text}\n{answer}\n{replaced}")
    practice = state.practice or answer == PRACTICE or wants_practice(without_addresses(f"{text}\n{answer}"))
    instead = read_addresses(replaced).urls
    dropped = _unreadable_now(state, found.urls) if instead else ()
    urls = [url for url in found.urls if url in instead or url not in dropped]
    if PRACTICE_ENTRANCE in urls:
        urls.remove(PRACTICE_ENTRANCE)
        practice = True
    if practice:
        urls += [url for url in practice_addresses() if url not in urls]
    return Addresses(tuple(urls), found.with_secret)


def _unreadable_now(state: TalkState, urls: tuple[str, ...]) -> tuple[str, ...]:
    """Pages that were looked at and could not be read: an address given instead takes their place."""
    return tuple(url for url in urls if url in state.looks and not _seen(state, url).ok)


def _refuse_many(places: Addresses, language: Language) -> Refuse:
    first = " ".join(places.urls[:MAX_ADDRESSES])
    rest = " ".join(places.urls[MAX_ADDRESSES : 2 * MAX_ADDRESSES])
    return Refuse(
        says(language, "refuse_many", most=MAX_ADDRESSES),
        tuple(says(language, "suggest_first", addresses=part) for part in (first, rest)),
    )


def _missing(state: TalkState, words: str, language: Language, places: Addresses) -> list[Question]:
    questions = []
    about_addresses = _ask_addresses(state, words, language, places)
    if about_addresses:
        questions.append(about_addresses)
    when = _when(state)
    if not when.known:
        questions.append(_ask_schedule(language, when))
    if not _send_to(state):
        questions.append(_ask_channel(language))
    return questions


def _ask_addresses(state: TalkState, words: str, language: Language, places: Addresses) -> Question | None:
    have, count = len(places.urls), count_of(words)
    asked_before = "addresses" in state.answers
    practice = Choice(PRACTICE, says(language, "choice_practice"))
    why = says(language, "why_addresses")
    if not have:
        key = "ask_addresses_count" if 1 < count <= MAX_ADDRESSES else "ask_addresses"
        return Question("addresses", says(language, key, count=count), "url", (practice,), why)
    if have < count <= MAX_ADDRESSES and not asked_before:
        text = says(language, "ask_addresses_rest", count=count, have=have)
        only = Choice(ONLY_THESE, says(language, "choice_only_these", have=have))
        return Question("addresses", text, "url", (only, practice), why)
    return None


def _ask_schedule(language: Language, when: _When) -> Question:
    # The choices come back as words that the schedule reader understands, like anything typed instead.
    choices = [Choice(says(language, key), says(language, key)) for key in (_DAILY, _WEEKDAYS, _WEEKLY)]
    choices.append(Choice(BY_HAND, says(language, "choice_by_hand")))
    text = when.open or says(language, "ask_schedule")
    return Question("schedule", text, "text", tuple(choices), says(language, "why_schedule"))


def _ask_channel(language: Language) -> Question:
    choices = (
        Choice("inbox", says(language, "choice_inbox")),
        Choice("slack", says(language, "choice_slack")),
    )
    return Question(
        "channel", says(language, "ask_channel"), "choice", choices, says(language, "why_channel_question")
    )


def _note(state: TalkState, words: str, places: Addresses, language: Language) -> str:
    """What must be known before answering: a channel that is not there yet, an address left out."""
    notes = []
    if not _send_to(state):
        named = channels_of(f"{words}\n{state.answers.get('channel', '')}")
        notes += [says(language, f"note_{kind}") for kind in named if kind in ("email", "other")]
    if places.with_secret:
        notes.append(says(language, "note_secret"))
    return " ".join(notes)


def _when(state: TalkState) -> _When:
    """Later words replace earlier ones; what they leave open is filled from before ("매일", then "10시로").

    The answer counts as said before the last message when there are several.
    """
    messages = [without_addresses(message) for message in state.messages]
    last = messages[-1:] if len(messages) > 1 else []
    texts = [*messages[: len(messages) - len(last)], state.answers.get("schedule", ""), *last]
    when, context = _When(False), ""
    for text in filter(None, texts):
        reading = _read_when(text, context, state.timezone)
        if reading is not None:
            when = _When(
                reading.schedule is not None,
                reading.schedule,
                " ".join(filter(None, (reading.refused, reading.question))),
                reading.assumed,
            )
            spans = reading.spans[:1] if reading.schedule else reading.spans
            context = " ".join(reading.text[slice(*span)] for span in spans)
        elif text == BY_HAND or wants_by_hand(text):
            when, context = _When(True), ""
    return when


def _read_when(text: str, context: str, timezone: str) -> ScheduleReading | None:
    alone = read_schedule(text, timezone)
    if (alone is None or alone.schedule is None) and context:
        joined = read_schedule(f"{context} {text}", timezone)
        if joined is not None and joined.schedule is not None:
            return joined
    return alone


def _send_to(state: TalkState) -> tuple[SendTo, ...]:
    """The last text that names a channel decides. Only channels that exist count; () when none was named."""
    texts = [*map(without_addresses, state.messages), state.answers.get("channel", "")]
    for text in reversed(texts):
        named = channels_of(text)
        usable: tuple[SendTo, ...] = tuple(kind for kind in named if kind == "inbox" or kind == "slack")
        if usable or named:
            return usable
    return ()


def _seen(state: TalkState, url: str) -> LookFound:
    """What was found at `url`, or where it moved to within its own site if that was looked at."""
    look = state.looks[url]
    return state.looks.get(look.final_address, look) if look.problem == "moved" else look


def _look_or_propose(state: TalkState, words: str, language: Language, places: Addresses) -> Step:
    unseen = [url for url in places.urls if url not in state.looks]
    unseen += [
        look.final_address
        for url in places.urls
        for look in [state.looks.get(url)]
        if look and look.problem == "moved" and same_site(url, look.final_address)
        and look.final_address not in state.looks
    ]  # fmt: skip
    if unseen:
        return Look(tuple(dict.fromkeys(unseen))[:MAX_ADDRESSES])
    looks = [_seen(state, url) for url in places.urls]
    failed = [look for look in looks if not look.ok]
    if len(failed) == len(looks):
        reasons = "\n".join(
            f"{short_name(look.address)}: {why_unreadable(look, language)}" for look in failed
        )
        return Refuse(reasons, nearest(says(language, "practice_name"), language))
    if failed and state.answers.get("unreadable") != ONLY_READABLE:
        return _ask_unreadable(looks, failed, language)
    return propose(_wanted(state, words, language, tuple(looks)))


def _ask_unreadable(looks: list[LookFound], failed: list[LookFound], language: Language) -> Ask:
    have = len(looks) - len(failed)
    question = Question(
        "unreadable",
        says(language, "ask_unreadable"),
        "url",
        (Choice(ONLY_READABLE, says(language, "choice_readable", have=have)),),
    )
    return Ask(
        (question,),
        "\n".join(f"{short_name(look.address)}: {why_unreadable(look, language)}" for look in failed),
    )


def _wanted(state: TalkState, words: str, language: Language, looks: tuple[LookFound, ...]) -> Wanted:
    named, when = channels_of(words), _when(state)
    wont = [says(language, f"wont_{kind}") for kind in ("email", "other") if kind in named]
    wont += [says(language, "wont_buy")] if wants_acts(words) else []
    wont += [
        says(language, "wont_unreadable", name=short_name(look.address)) for look in looks if not look.ok
    ]
    return Wanted(
        language=language,
        looks=looks,
        schedule=when.schedule,
        channels=_send_to(state),
        keywords=wants_keywords(words),
        noun=noun_of(words),
        wont=tuple(wont),
        assumed=when.assumed,
        known_secrets=state.secrets,
    )
