"""Documents that other services may read: one module per owner. Frozen; written by the owner only.

Unknown keys are ignored, so an older reader survives a newer writer; changes are additive and golden
files under tests/records hold the shapes. Times are texts of `shared.clock.stamp`, money is micro-dollars.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of every document shape. `to_doc`/`from_doc` are the only way between value and store."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    workspace_id: str

    def to_doc(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @classmethod
    def from_doc(cls, data: dict[str, Any]) -> Self:
        return cls.model_validate(data)

    def but(self, **changes: object) -> Self:
        """A validated copy with some fields changed."""
        return type(self).model_validate({**vars(self), **changes})


class Shape(BaseModel):
    """A part of a record."""

    model_config = ConfigDict(frozen=True, extra="ignore")
