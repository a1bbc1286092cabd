"""Keys and models of the planner's ports, as a test sets them."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.planner.ports import Llm, ModelKey
from tests.fakes.llm import ScriptedLlm


@dataclass
class FakeKeys:
    """own: the workspace's connection; operator: what builds fall back to; waiting: the key just typed."""

    own: ModelKey | None = None
    operator: ModelKey | None = None
    waiting: ModelKey | None = None

    def key_for(self, workspace_id: str) -> ModelKey | None:
        return self.own

    def builder_key_for(self, workspace_id: str) -> ModelKey | None:
        return self.own or self.operator

    def typed(self, workspace_id: str, version: int) -> ModelKey | None:
        return self.waiting


@dataclass
class FakeLlms:
    """One scripted model for everybody; `asked` remembers with which key."""

    llm: ScriptedLlm
    asked: list[ModelKey] = field(default_factory=list)

    def llm_for(self, workspace_id: str, key: ModelKey) -> Llm:
        self.asked.append(key)
        return self.llm
