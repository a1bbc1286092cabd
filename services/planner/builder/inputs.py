"""What a tool call must hold, checked: the model's input is data from outside. Sentences are for the model."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.planner.builder.tools import MAX_ADDRESSES, MAX_FILE_CHARACTERS, MAX_QUESTIONS
from services.planner.ports import ToolCall
from shared.agentfile.model import Check, HostRule, Limits, Schedule, SecretUse, TokenCaps
from shared.errors import BadRequest

_LINE = 600
Given = TypeVar("Given", bound="Input")


class Input(BaseModel):
    """Unknown fields are refused and named, so that nothing the model meant is dropped in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ChoiceInput(Input):
    value: str = Field(max_length=200)
    label: str = Field(max_length=200)


class QuestionInput(Input):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = Field(min_length=1, max_length=_LINE)
    why: str = Field("", max_length=_LINE)
    kind: Literal["choice", "text", "url"] = "text"
    choices: tuple[ChoiceInput, ...] = Field((), max_length=6)


class AskInput(Input):
    questions: tuple[QuestionInput, ...] = Field(min_length=1, max_length=MAX_QUESTIONS)
    note: str = Field("", max_length=2_000)


class SearchInput(Input):
    names: tuple[str, ...] = Field(min_length=1, max_length=10)


class LookInput(Input):
    addresses: tuple[str, ...] = Field(min_length=1, max_length=MAX_ADDRESSES)


class WriteInput(Input):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)

    path: str
    content: str = Field(max_length=MAX_FILE_CHARACTERS)


class ReadInput(Input):
    path: str
    first_line: int = Field(1, ge=0)
    lines: int = Field(400, ge=0)


class TestInput(Input):
    input: Any = None


class FinishInput(Input):
    summary: str = Field("", max_length=2_000)


class PackageInput(Input):
    name: str = Field(max_length=200)
    why: str = Field("", max_length=_LINE)


class ChannelInput(Input):
    kind: Literal["inbox", "slack", "email"]
    secret: str | None = None
    to: str | None = None
    why: str = Field("", max_length=_LINE)


class PlanInput(Input):
    """A plan as the model writes it: the agent file's parts and what is said beside them."""

    name: str = Field(min_length=1, max_length=80)
    summary: str = Field(min_length=1, max_length=400)
    steps: tuple[str, ...] = Field(min_length=1, max_length=12)
    packages: tuple[PackageInput, ...] = Field((), max_length=20)
    schedule: Schedule | None
    hosts: tuple[HostRule, ...] = Field((), max_length=30)
    secrets: tuple[SecretUse, ...] = Field((), max_length=10)
    channels: tuple[ChannelInput, ...] = Field(min_length=1, max_length=5)
    state: bool = False
    tokens: TokenCaps = TokenCaps()
    limits: Limits = Limits()
    contract: tuple[Check, ...] = Field(min_length=1, max_length=20)
    news_expected: bool = False
    seconds_per_run: float = Field(ge=0, le=3_600)
    found: tuple[str, ...] = Field((), max_length=10)
    wont: tuple[str, ...] = Field((), max_length=10)


def read(call: ToolCall, kind: type[Given]) -> Given:
    """Raises BadRequest whose text tells the model what is wrong, field by field."""
    if call.input is None:
        raise BadRequest(
            "The input of this call was cut off or is not JSON, so nothing was done. Send it again, whole and "
            "smaller if it was long."
        )
    try:
        return kind.model_validate(dict(call.input))
    except ValidationError as error:
        wrong = [f"{_place(e['loc'])}: {e['msg']}" for e in error.errors(include_url=False)[:12]]
        raise BadRequest("Nothing was done; mend these and call again:\n- " + "\n- ".join(wrong)) from error


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "input"


# A question may never collect what would make the answer dangerous to have been typed into a chat.
_FORBIDDEN = re.compile(
    r"비밀번호|패스워드|암호(?!화폐)|주민\s*(?:등록)?\s*번호|외국인\s*등록\s*번호|여권\s*번호|운전면허\s*번호|카드\s*번호|"
    r"계좌\s*비밀|보안\s*카드|공인\s*인증서|인증서\s*암호|"
    r"(?:API|에이피아이|비밀|시크릿|액세스|접근)\s*-?\s*(?:키|토큰)|토큰\s*(?:값|을|를)|웹훅\s*(?:주소|URL)|"
    r"pass\s*-?word|pass\s*-?phrase|passcode|\bpin\s*(?:code|number)\b|social\s+security|\bssn\b|"
    r"resident\s+registration|passport\s+number|card\s+number|\bcvc\b|\bcvv\b|"
    r"(?:api|secret|access|private|auth)[\s_-]*(?:key|token)|bearer\s+token|webhook\s*(?:url|address)|"
    r"credential|one[-\s]time\s+code|\botp\b",
    re.IGNORECASE,
)


def asks_for_secret(questions: AskInput) -> str:
    """The words of a question (or its choices) that ask for what must never be typed into a chat; "" for none."""
    texts = [questions.note]
    for question in questions.questions:
        texts += [question.text, question.why, question.id.replace("_", " ")]
        texts += [choice.label for choice in question.choices]
    for text in texts:
        found = _FORBIDDEN.search(unicodedata.normalize("NFKC", text))
        if found is not None:
            return found[0]
    return ""
