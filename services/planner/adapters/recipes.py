"""The engine without a model: recipes read the text. Pure, instant, free."""

from __future__ import annotations

from services.planner.recipes.engine import next_step
from services.planner.recipes.talk import Step, TalkState


class RecipesEngine:
    name = "recipes"

    def turn(self, state: TalkState) -> Step:
        return next_step(state)
