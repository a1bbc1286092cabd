"""What the model may do while it builds, as JSON Schemas. Read next: `acting.py`, which does it.

A name that is not in this list is answered as unknown; input is checked by `inputs.py`, never trusted.
"""

from __future__ import annotations

from services.planner.ports import CacheFor, Json, Tool
from services.planner.prompts import tool_descriptions

ASK, SEARCH, LOOK, PLAN, WRITE, READ, TEST, FINISH = (
    "ask_user",
    "search_packages",
    "look",
    "propose_plan",
    "write_file",
    "read_file",
    "run_test",
    "finish",
)

MAX_QUESTIONS = 4
MAX_ADDRESSES = 5
MAX_FILE_CHARACTERS = 60_000

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_COUNT: Json = {"type": "integer", "minimum": 0}


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Json, most: int) -> Json:
    return {"type": "array", "items": item, "maxItems": most}


def _one_of(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


_CHOICE = _object(("value", "label"), value=_TEXT, label=_TEXT)
_QUESTION = _object(
    ("id", "text", "kind"),
    id={"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
    text=_TEXT,
    why=_TEXT,
    kind=_one_of("choice", "text", "url"),
    choices=_list(_CHOICE, 6),
)
_HOST = _object(
    ("host", "why"),
    host=_TEXT,
    path=_TEXT,
    scheme=_one_of("https", "http"),
    port={"type": "integer", "minimum": 1, "maximum": 65535},
    effect=_one_of("read", "write"),
    methods=_list(_TEXT, 6),
    why=_TEXT,
)
_CHECK = _object(
    ("check", "says"),
    check=_one_of("file", "rows", "fields", "fresh", "change", "text", "delivered", "expr"),
    says=_TEXT,
    path=_TEXT,
    min={"type": "number"},
    max={"type": "number"},
    fields=_TEXTS,
    contains=_TEXTS,
    excludes=_TEXTS,
    max_age_s=_COUNT,
    expr=_TEXT,
)
_SCHEDULE = _object(
    ("cron", "timezone"),
    cron=_TEXT,
    timezone=_TEXT,
    missed=_one_of("skip", "once", "all"),
    overlap=_one_of("skip", "queue", "replace"),
    holidays=_TEXT,
    on_holiday=_one_of("run", "skip", "next_workday"),
)
_PLAN = _object(
    ("name", "summary", "steps", "schedule", "hosts", "channels", "contract", "seconds_per_run"),
    name=_TEXT,
    summary=_TEXT,
    steps=_list(_TEXT, 12),
    packages=_list(_object(("name", "why"), name=_TEXT, why=_TEXT), 20),
    schedule={"anyOf": [_SCHEDULE, {"type": "null"}]},
    hosts=_list(_HOST, 30),
    secrets=_list(_object(("name", "host", "why"), name=_TEXT, host=_TEXT, why=_TEXT), 10),
    channels=_list(
        _object(("kind", "why"), kind=_one_of("inbox", "slack", "email"), secret=_TEXT, to=_TEXT, why=_TEXT),
        5,
    ),
    state={"type": "boolean"},
    tokens=_object((), per_run=_COUNT, per_day=_COUNT),
    limits=_object((), wall_s=_COUNT, memory_mb=_COUNT, disk_mb=_COUNT, processes=_COUNT),
    contract=_list(_CHECK, 20),
    news_expected={"type": "boolean"},
    seconds_per_run={"type": "number", "minimum": 0},
    found=_list(_TEXT, 10),
    wont=_list(_TEXT, 10),
)

_INPUTS: dict[str, Json] = {
    ASK: _object(("questions",), questions=_list(_QUESTION, MAX_QUESTIONS), note=_TEXT),
    SEARCH: _object(("names",), names=_list(_TEXT, 10)),
    LOOK: _object(("addresses",), addresses=_list(_TEXT, MAX_ADDRESSES)),
    PLAN: _PLAN,
    WRITE: _object(("path", "content"), path=_TEXT, content=_TEXT),
    READ: _object(("path",), path=_TEXT, first_line=_COUNT, lines=_COUNT),
    TEST: _object((), input={}),
    FINISH: _object(("summary",), summary=_TEXT),
}
NAMES = tuple(_INPUTS)


def tools(cache: CacheFor | None = "5m") -> tuple[Tool, ...]:
    """All of them in a fixed order; the last carries the cache mark, so that they are kept together."""
    told = tool_descriptions()
    last = NAMES[-1]
    return tuple(
        Tool(name, told[name], schema, cache=cache if name == last else None)
        for name, schema in _INPUTS.items()
    )
