"""What an agent's code can reach, seen without a model and without running it, held against its plan."""

from __future__ import annotations

from services.planner.review.finding import Finding, Review
from services.planner.review.reviewer import review

__all__ = ["Finding", "Review", "review"]
