"""What the planner needs from outside: an engine that decides, and a language model that answers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from services.planner.recipes.talk import Step, TalkState


class Engine(Protocol):
    """Decides the next step of a conversation. `turn` may be called again with the same state after a
    death: it must cost at most one more turn and have no other effect."""

    name: str

    def turn(self, state: TalkState) -> Step: ...


CacheFor = Literal["5m", "1h"]
"""Everything of the request up to and including the thing so marked is to be kept for the next request."""

Json = Mapping[str, object]


@dataclass(frozen=True)
class Text:
    """Empty texts are left out of a request: the API refuses them."""

    text: str
    cache: CacheFor | None = None
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Thinking:
    """`signature` proves the text is the model's own; both go back unchanged with the tool results."""

    text: str
    signature: str
    kind: Literal["thinking"] = "thinking"


@dataclass(frozen=True)
class ToolCall:
    """A tool the model wants run. `input` is None when `raw`, the text it wrote, is no JSON object: malformed,
    or cut off at max_output_tokens. Such a call must not be run; sent back, it holds {"malformed": raw}."""

    id: str
    name: str
    input: Json | None
    raw: str = ""
    kind: Literal["tool_call"] = "tool_call"


@dataclass(frozen=True)
class ToolResult:
    """What came of a call; every call of an answer needs one in the next message."""

    call_id: str
    text: str
    failed: bool = False
    cache: CacheFor | None = None
    kind: Literal["tool_result"] = "tool_result"


@dataclass(frozen=True)
class Opaque:
    """A block of a type not listed here (redacted thinking, say), as it came; it goes back the same."""

    data: Json
    kind: Literal["opaque"] = "opaque"


Block = Text | Thinking | ToolCall | ToolResult | Opaque
"""`kind` tells them apart in JSON, so that pydantic can store and load whole conversations."""


@dataclass(frozen=True)
class Message:
    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Tool:
    """`schema`: JSON Schema of the input, an object."""

    name: str
    description: str
    schema: Json
    cache: CacheFor | None = None


@dataclass(frozen=True)
class LlmRequest:
    """One question to the model.

    max_output_tokens  at most so many are written, thinking included; the caller reserves them beforehand
    limit_s            seconds from the first `next()` after which the call is given up, connecting included;
                       the caller's lease must outlive it. `count` keeps to it as well
    thinking           None: as the model does by default; a number: at most so many tokens of it (>= 1024)
    effort             None: as the model does by default
    tool_choice        "any": some tool must be called
    """

    model: str
    messages: tuple[Message, ...]
    max_output_tokens: int
    limit_s: float
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "any", "none"] = "auto"
    thinking: Literal["off", "adaptive"] | int | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counted them. The four kinds of input and output do not overlap; `thinking` is a
    part of `output`, for display only."""

    input: int
    output: int
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    thinking: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @classmethod
    def reported(cls, counts: Json) -> Usage | None:
        """Out of the API's own `usage`. None unless input and output are both told: a meter must not settle on
        half of it."""

        def count(where: Json, name: str) -> int:
            value = where.get(name) or 0
            return value if isinstance(value, int) and value > 0 else 0

        if not all(isinstance(counts.get(name), int) for name in ("input_tokens", "output_tokens")):
            return None
        parts, details = counts.get("cache_creation"), counts.get("output_tokens_details")
        written = count(counts, "cache_creation_input_tokens")
        kept_long = count(parts, "ephemeral_1h_input_tokens") if isinstance(parts, Mapping) else 0
        for_an_hour = min(written, kept_long)
        return cls(
            input=count(counts, "input_tokens"),
            output=count(counts, "output_tokens"),
            cache_read=count(counts, "cache_read_input_tokens"),
            cache_write_5m=written - for_an_hour,
            cache_write_1h=for_an_hour,
            thinking=count(details, "thinking_tokens") if isinstance(details, Mapping) else 0,
        )


@dataclass(frozen=True)
class TextDelta:
    """`index` numbers the blocks of one answer from 0, in these events and in `LlmAnswer.blocks`."""

    index: int
    text: str


@dataclass(frozen=True)
class ThinkingDelta:
    index: int
    text: str


@dataclass(frozen=True)
class ToolCallStarted:
    index: int
    id: str
    name: str


@dataclass(frozen=True)
class ToolInputDelta:
    """The next piece of the input's JSON text; pieces end anywhere, also inside a name or an escape."""

    index: int
    json: str


@dataclass(frozen=True)
class ToolCallDone:
    index: int
    call: ToolCall


@dataclass(frozen=True)
class Alive:
    """The server is at work and has nothing to show: the moment to look whether somebody said stop."""


StopReason = Literal[
    "end_turn",
    "tool_use",  # wants its calls run and their results sent
    "max_tokens",  # cut off; the last call's input may be None
    "stop_sequence",
    "pause_turn",  # send the answer back as it is, and it goes on
    "refusal",  # will not do it; `stop_detail` may say why
    "context_window",  # cut off because the model holds no more
    "other",  # one that came later than this list; `stop_detail` names it
]


@dataclass(frozen=True)
class LlmAnswer:
    """All of it, however it stopped: refused, cut off and empty answers are answers too, and are charged.

    blocks       as the model made them; send them back as they are, in an assistant message
    usage        None when the server never told the whole of it: then the reservation counts as spent
    request_id   the provider's name for the call, for a question to them; "" when it gave none
    model        the one that answered
    """

    blocks: tuple[Block, ...]
    stop_reason: StopReason
    usage: Usage | None
    request_id: str = ""
    model: str = ""
    stop_detail: str = ""

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.blocks if isinstance(block, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))


LlmEvent = TextDelta | ThinkingDelta | ToolCallStarted | ToolInputDelta | ToolCallDone | Alive | LlmAnswer


class Llm(Protocol):
    """A language model. Safe to use from several threads at once; one stream belongs to one thread.

    Nothing is tried twice in here: a second try is a second charge, so it is the caller's, under a new
    reservation. What an error says about money:

    Interrupted      it had begun: cut, silent, overdue, unfinished, garbled, failed (mid-stream or as 5xx).
                     What was used is unknown, so the reservation counts as spent
    Unavailable      refused before it began: rate_limited, overloaded, unreachable. Nothing was used;
                     `retry_after_s` as the server asked
    Misconfigured    key_refused, no_credit, model_unknown, server_refused: a person must change something
    TooLarge         context_window: the request alone is more than the model holds, or the server takes
    BadRequest       request_refused: the server names what is wrong with it

    The last three used nothing either. Errors carry a sentence for a person; the names above are their codes.
    """

    def stream(self, request: LlmRequest) -> Generator[LlmEvent, None, None]:
        """The answer as it is written, and at the very end exactly one LlmAnswer; or one of the errors above.

        Nothing is sent before the first `next()`, which blocks as every later one does: until something
        arrives, the server was silent too long, or `limit_s` has passed. Closing the generator closes the
        connection, and the reservation counts as spent: the server does not say what it wrote for nobody.
        """
        ...

    def count(self, request: LlmRequest) -> int:
        """Input tokens `request` would use, cached ones included, as the server estimates them. Blocking;
        costs nothing, is rate limited by itself, raises the errors above."""
        ...


@dataclass(frozen=True)
class ModelKey:
    """Who pays for a call and where it goes. own: the workspace's connection; False: the operator's key.

    base_url "" is the provider's own address."""

    key: str = field(repr=False)
    base_url: str
    model: str
    own: bool


class Keys(Protocol):
    """Where the key of a workspace comes from; read anew for every call, so that a key just taken away is
    not used again."""

    def key_for(self, workspace_id: str) -> ModelKey | None:
        """The workspace's working connection, and nothing else: what agents may use while they run."""
        ...

    def builder_key_for(self, workspace_id: str) -> ModelKey | None:
        """The same, else the operator's key where one machine serves one owner: what builds may use."""
        ...

    def typed(self, workspace_id: str, version: int) -> ModelKey | None:
        """The key of that number, tested or not, to test it; None when it was replaced or taken away.
        Raises: NotYet while the gateway's document is not there."""
        ...


class Llms(Protocol):
    """Models by key. Thread-safe."""

    def llm_for(self, workspace_id: str, key: ModelKey) -> Llm:
        """Stays open for the next call; another key of the same workspace closes it when its calls are over.
        Ask anew for every call."""
        ...


@dataclass(frozen=True)
class Relayed:
    """The provider's own answer, status 200, as it comes. Iterating raises Interrupted when it breaks off."""

    content_type: str
    request_id: str
    chunks: Iterator[bytes]


class Messages(Protocol):
    """The Messages API for who speaks it already: an agent's code, through the model endpoint. Safe to use from
    several threads at once. Errors are those of `Llm`, and say the same about money."""

    def ask(self, key: ModelKey, body: Json, limit_s: float) -> AbstractContextManager[Relayed]:
        """Leaving the context closes the connection; what was used then is unknown unless the answer said it."""
        ...

    def count(self, key: ModelKey, body: Json, limit_s: float) -> int:
        """Input tokens of `body`, which holds only what counting takes."""
        ...
