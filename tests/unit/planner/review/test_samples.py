"""Sixty agents: every capability is found, what cannot be told is said so, and honest code is left alone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from services.planner.review import Review, review
from tests.unit.planner.review.samples.dynamic import DYNAMIC
from tests.unit.planner.review.samples.hidden import HIDDEN
from tests.unit.planner.review.samples.honest import HONEST
from tests.unit.planner.review.samples.sample import Sample, Wanted

ALL = (*HONEST, *HIDDEN, *DYNAMIC)
MOST_FALSE = 3


def reviewed(sample: Sample) -> Review:
    return review(sample.files, sample.plan)


def pairs(result: Review, *, certain: bool) -> set[Wanted]:
    return {(found.kind, found.what) for found in result.capabilities if found.certain is certain}


def false_findings(sample: Sample) -> Iterable[str]:
    result = reviewed(sample)
    for certain, wanted in ((True, sample.found), (False, sample.cannot)):
        for kind, what in sorted(pairs(result, certain=certain) - set(wanted)):
            yield f"{sample.name}: {kind} {what!r}{'' if certain else ' (cannot tell)'}"


def test_there_are_sixty_samples_of_three_kinds() -> None:
    assert (len(HONEST), len(HIDDEN), len(DYNAMIC)) == (25, 20, 15)
    assert len({sample.name for sample in ALL}) == 60


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_every_capability_is_found(sample: Sample) -> None:
    result = reviewed(sample)

    assert set(sample.found) - pairs(result, certain=True) == set()
    assert set(sample.cannot) - pairs(result, certain=False) == set()


def test_false_findings_are_at_most_three() -> None:
    found = [line for sample in ALL for line in false_findings(sample)]

    assert len(found) <= MOST_FALSE, "\n".join(found)


@pytest.mark.parametrize("sample", HONEST, ids=lambda sample: sample.name)
def test_honest_code_is_as_its_plan_says(sample: Sample) -> None:
    result = reviewed(sample)

    assert (result.differences, result.doubts, result.refusals, result.for_model) == ((), (), (), "")


@pytest.mark.parametrize("sample", HIDDEN, ids=lambda sample: sample.name)
def test_hidden_powers_are_told_as_differences_or_refused(sample: Sample) -> None:
    result = reviewed(sample)

    assert bool(result.differences) is sample.differs
    assert result.for_model


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_refused_is_only_what_must_not_run(sample: Sample) -> None:
    assert bool(reviewed(sample).refusals) is sample.refused


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_both_languages_say_the_same_number_of_things(sample: Sample) -> None:
    ko, en = (review(sample.files, sample.plan, language=language) for language in ("ko", "en"))

    for attribute in ("differences", "doubts", "refusals"):
        assert len(getattr(ko, attribute)) == len(getattr(en, attribute))
    assert ko.for_model == en.for_model
