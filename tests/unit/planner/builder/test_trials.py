"""What a mended agent has to stand, one stage after the other, and what the ended trials say together."""

from __future__ import annotations

import pytest

from services.planner.builder import trials
from services.planner.model import Trial
from shared.records.executor import Difference, Reason, Run, RunStatus, Variation

Stage = tuple[str, list[tuple[str, Variation, bool]]]
TODAY, GOOD = "run_today", ["run_good", "run_before"]


def trial(variation: Variation = "", *, of: str = "run_good", end: str = "kept", **more: object) -> Trial:
    given = {
        "run_id": f"{of} {variation}",
        "of": of,
        "variation": variation,
        "end": end,
        "same": True,
        **more,
    }
    return Trial.model_validate(given)


def stood(good: list[str], *, remembers: bool, **ends: str) -> list[Stage]:
    """Stage by stage: its sentence, and what was asked for. ends: by variation, "kept" where none is said."""
    done: list[Trial] = []
    stages: list[Stage] = []
    while True:
        sentence, wanted = trials.wanted(done, TODAY, good, remembers)
        if not wanted:
            return stages
        stages.append((sentence, [(want.of, want.variation, want.live) for want in wanted]))
        for want in wanted:
            end = ends.get(want.variation, "kept")
            done.append(trial(want.variation, of=want.of, end=end, today=want.today, live=want.live))


def test_good_days_come_first_then_other_values_then_nothing() -> None:
    assert stood(GOOD, remembers=True, emptied="broken", error="broken") == [
        (
            "replaying",
            [("run_good", "", False), ("run_before", "", False), ("run_good", "forgotten", False)],
        ),
        (
            "altering",
            [
                (TODAY, "altered", False),
                (TODAY, "altered_numbers", False),
                (TODAY, "altered_pages", False),
                ("run_good", "altered", False),
                (TODAY, "forgotten", False),
            ],
        ),
        ("emptying", [(TODAY, "emptied", False), (TODAY, "error", False)]),
    ]


def test_what_keeps_its_promises_on_nothing_is_compared_with_the_live_version() -> None:
    assert stood(GOOD, remembers=False, error="broken")[-1] == ("comparing", [("run_good", "emptied", True)])
    assert [sentence for sentence, _ in stood([], remembers=False)] == ["altering", "emptying"]


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (trial(end="broken"), "not_the_same"),
        (trial(same=None), "not_the_same"),
        (trial(same=False, told=("상품이 달라요",)), "not_the_same"),
        (trial("altered", end="broken"), "fails_on_others"),
        (trial("altered", same=False), "not_from_page"),
        (trial("altered_numbers", same=False), "not_from_page"),
        (trial("altered_pages", same=False), "not_from_page"),
        (trial("emptied", same=False), "not_noticed"),
        (trial("forgotten", today=True, same=False), "not_all_of_it"),
    ],
)
def test_one_that_was_not_stood_refuses_the_fix_and_says_which(wrong: Trial, key: str) -> None:
    refused = trials.refused([trial(), wrong, trial("altered")])

    assert refused is not None
    assert refused.key == key
    assert trials.for_model(refused)


@pytest.mark.parametrize(
    "fine",
    [
        trial(end="gone", same=None),
        trial(same=False),  # other requests than then, and the same came of them
        trial("altered", same=None),
        trial("emptied", end="broken", same=False),
        trial("emptied", live=True, end="broken", same=False),
    ],
    ids=["no recording", "other requests", "cannot be told", "it notices", "the live version"],
)
def test_others_do_not(fine: Trial) -> None:
    assert trials.refused([fine]) is None


def test_it_may_not_be_content_with_nothing_where_the_live_version_was_not() -> None:
    content = trial("emptied", of=TODAY, today=True)

    refused = trials.refused([content, trial("emptied", live=True, end="broken")])

    assert refused is not None
    assert refused.key == "not_noticed"
    assert trials.refused([content, trial("emptied", live=True)]) is None
    assert trials.refused([content, trial("error", live=True, end="broken")]) is None


def test_the_person_is_told_what_could_not_be_tried() -> None:
    unclear = trial("altered", of=TODAY, today=True, same=None, told=("확인하지 못했어요",))
    quiet = trial("emptied", of=TODAY, today=True)

    assert trials.unsure([trial()], GOOD, "ko") == ()
    assert trials.unsure([unclear], GOOD, "ko") == ("확인하지 못했어요",)
    assert len(trials.unsure([trial(end="gone")], GOOD, "en")) == 1
    assert len(trials.unsure([quiet], [], "en")) == 2
    assert trials.unsure([quiet, trial("emptied", live=True)], GOOD, "en") == ()


def test_an_end_is_read_off_the_run() -> None:
    def run(status: RunStatus, outcome: str, code: str = "", *differences: str) -> Run:
        return Run.model_validate(
            {
                "id": "run_1",
                "workspace_id": "ws_1",
                "agent_id": "agent_1",
                "version_id": "ver_1",
                "kind": "replay",
                "status": status,
                "outcome": outcome,
                "reason": Reason(code=code, text="그래서요") if code else None,
                "differences": [Difference(kind="request", name="", text=text) for text in differences],
                "requested_at": "",
                "deadline_at": "",
            }
        )

    asked = trial(end="")
    assert trials.ended(asked, run("succeeded", "pending")).end == "kept"
    assert trials.ended(asked, run("refused", "not_delivered", "not_found")).end == "gone"
    broken = trials.ended(asked, run("succeeded", "not_delivered", "contract"))
    assert (broken.end, broken.told) == ("broken", ("그래서요",))
    assert trials.ended(asked, run("succeeded", "pending", "", "다른 요청")).told == ()


def test_what_is_left_out_is_measured_without_memory_on_both_days() -> None:
    first = trials.wanted([], TODAY, GOOD, remembers=True)[1]
    done = [trial(want.variation, of=want.of, run_id=f"r {want.of} {want.variation}") for want in first]
    asked = {want.variation: want.beside for want in trials.wanted(done, TODAY, GOOD, remembers=True)[1]}
    assert asked["forgotten"] == "r run_good forgotten"

    stayed = [trial(of=run) for run in GOOD]
    asked = {want.variation: want.beside for want in trials.wanted(stayed, TODAY, GOOD, remembers=False)[1]}
    assert asked["forgotten"] == "run_good"


@pytest.mark.parametrize("end", ["kept", "broken"])
def test_whether_rows_are_missing_is_said_when_it_cannot_be_told(end: str) -> None:
    forgotten = trial("forgotten", today=True, same=None, end=end)

    assert trials.refused([trial(), forgotten]) is None
    assert trials.unsure([trial(), forgotten], GOOD, "ko") == (
        "빠진 줄이 없는지, 맞는 값을 읽었는지는 확인하지 못했어요.",
    )
