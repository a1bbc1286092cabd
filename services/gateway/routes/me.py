"""Who is signed in, what this installation can do, the practice shops' switch, the examples."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from services.gateway.model.access import Person, User, Workspace
from services.gateway.model.templates import TEMPLATES, Template
from services.gateway.model.words import Language
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import PRACTICE, USERS, WORKSPACES
from services.gateway.routes.answers import Answer, Api, Body, cause, deps, language, person, scope
from services.gateway.routes.connections import engine
from shared.records.gateway import Practice
from shared.records.ledger import Budget
from shared.store.port import Tx

api = Api("me")


class Named(Answer):
    id: str
    name: str


class Corpus(Answer):
    """What `make doctor` found last with this very backend, kernel and version: attacks held, tried, and when."""

    held: int
    total: int
    at: str


class SandboxState(Answer):
    """enforced: limits; missing: limit -> sentence that says what it means; cure: the one command that mends it;
    note: why it is this backend when another would have been preferred; corpus: null before `make doctor`."""

    backend: str
    ok: bool
    enforced: list[str] = []
    missing: dict[str, str] = {}
    cure: str | None = None
    note: str | None = None
    corpus: Corpus | None = None


class PracticeState(Answer):
    day: int
    broken: bool


class Month(Answer):
    spent_tokens: int
    cap_tokens: int
    spent_usd_micros: int


class Me(Answer):
    user: Named
    workspace: Named
    language: Language
    timezone: str
    engine: Literal["recipes", "claude"]
    sandbox: SandboxState
    practice: PracticeState
    month: Month


class PracticeChange(Body):
    day: int | None = Field(None, ge=1, le=366)
    broken: bool | None = None


class Templates(Answer):
    items: tuple[Template, ...]


@api.get("/me", Me)
def get_me() -> Me:
    return me_of(person())


def me_of(who: Person) -> Me:
    own = Scope(who.workspace_id)
    user = own.find(deps().store, USERS, who.user_id, User)
    workspace = own.find(deps().store, WORKSPACES, who.workspace_id, Workspace)
    practice = own.find(deps().store, PRACTICE, who.workspace_id, Practice)
    return Me(
        user=Named(id=who.user_id, name=user.name if user else ""),
        workspace=Named(id=who.workspace_id, name=workspace.name if workspace else ""),
        language=language(),
        timezone=(workspace.timezone if workspace else "") or "Asia/Seoul",
        engine=engine(own),
        sandbox=_sandbox(),
        practice=PracticeState(day=practice.day, broken=practice.broken)
        if practice
        else PracticeState(day=1, broken=False),
        month=_month(own),
    )


@api.patch("/practice", PracticeState)
def patch_practice(body: PracticeChange) -> PracticeState:
    workspace_id = scope().workspace_id

    def change(tx: Tx) -> Practice:
        now = scope().find(tx, PRACTICE, workspace_id, Practice) or Practice(
            id=workspace_id, workspace_id=workspace_id
        )
        wanted = {key: value for key, value in body.model_dump().items() if value is not None}
        changed = now.but(**wanted)
        tx.put(PRACTICE, workspace_id, changed.to_doc())
        return changed

    practice = deps().store.transact(change, cause=cause())
    return PracticeState(day=practice.day, broken=practice.broken)


@api.get("/templates", Templates)
def get_templates() -> Templates:
    return Templates(items=TEMPLATES)


def _sandbox() -> SandboxState:
    """What the executor found when it started; it keeps it in its database for whoever asks."""
    found = deps().readers["executor"].get("sandbox", "this")
    if found is None:
        return SandboxState(backend="", ok=False)
    data: dict[str, Any] = found.data
    data = {**data, **data.get(language(), {})}  # the document speaks English and has Korean beside it
    return SandboxState.model_validate({key: data[key] for key in SandboxState.model_fields if key in data})


def _month(own: Scope) -> Month:
    period = deps().now()[:7]
    budget = own.find(deps().readers["ledger"], "budgets", f"{own.workspace_id}-{period}", Budget)
    if budget is None:
        return Month(spent_tokens=0, cap_tokens=deps().door.month_tokens, spent_usd_micros=0)
    return Month(
        spent_tokens=budget.spent_tokens,
        cap_tokens=budget.cap_tokens,
        spent_usd_micros=budget.spent_usd_micros,
    )
