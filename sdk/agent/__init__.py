"""What an agent's code imports. On the platform it speaks to the runner; elsewhere it stands in.

import agent
agent.step("가격 수집")
seen = agent.state.setdefault("seen", [])
agent.output("report.csv").write_text("…", encoding="utf-8")
agent.deliver("slack", "새 상품 3개", files=["report.csv"])
"""

from __future__ import annotations

import sys
import types

from agent import _job, _outbox, _state
from agent._outbox import AgentError

__all__ = [
    "AgentError",
    "deliver",
    "input",
    "llm",
    "mode",
    "now",
    "output",
    "outputs_dir",
    "secret",
    "state",
    "state_dir",
    "step",
    "today",
]

# Its own, since `typing` and what else the library needs at times would cost every run more than most runs take.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path
    from typing import Any

input: Any
mode: str
state: dict[str, Any]
outputs_dir: Path
state_dir: Path

step = _outbox.step
deliver = _outbox.deliver
output = _outbox.output
secret = _job.secret


def now() -> dt.datetime:
    """The moment this run is for, in the agent's time zone. It stands still during a run, so that a run
    repeated with the same moment does the same."""
    return _job.current().now


def today() -> dt.date:
    """The date of now()."""
    return now().date()


def llm(
    prompt: str,
    *,
    system: str | None = None,
    max_tokens: int = 1024,
    schema: dict[str, Any] | None = None,
    model: str | None = None,
) -> str | dict[str, Any]:
    """Ask a language model: the answer as text, or with `schema` as a dictionary. See `_llm.llm`."""
    from agent import _llm  # most runs ask none, and its HTTP costs them 30 ms

    return _llm.llm(prompt, system=system, max_tokens=max_tokens, schema=schema, model=model)


class _Agent(types.ModuleType):
    """What is read when first used: importing the library costs a run nothing."""

    @property
    def outputs_dir(self) -> Path:
        from pathlib import Path

        return Path(_outbox.OUTPUTS)

    @property
    def state_dir(self) -> Path:
        from pathlib import Path

        return Path(_state.FOLDER)

    @property
    def input(self) -> Any:
        return _job.current().input

    @property
    def mode(self) -> str:
        return _job.current().mode

    @property
    def state(self) -> dict[str, Any]:
        return _state.current()

    @state.setter
    def state(self, value: dict[str, Any]) -> None:
        """`agent.state = {…}` replaces what was remembered; the saved dictionary stays the same object."""
        kept = dict(value)
        _state.current().clear()
        _state.current().update(kept)


sys.modules[__name__].__class__ = _Agent
