"""What the long proof of all flows says of its files: counts for each way, and a line for whatever did not hold."""

from __future__ import annotations

from tests.prove.flows import summary
from tests.prove.record import Found


def found(way: str, file: str, said: str, problem: str = "") -> Found:
    return {"way": way, "file": file, "said": said, "all_s": 10.4, "problem": problem}


def test_each_way_is_added_up_over_its_files() -> None:
    assert summary(
        [
            found("in order", "test_a.py", "12 passed, 3 deselected in 9.80s"),
            found("deployed", "test_a.py", "2 passed, 1 skipped in 8.01s"),
            found("in order", "test_b.py", "1 passed, 2 skipped, 1 warning in 7.00s"),
        ]
    ) == [
        "in order: 13 passed, 0 failed, 2 skipped, in 2 files and 21 s",
        "deployed: 2 passed, 0 failed, 1 skipped, in 1 files and 10 s",
    ]


def test_what_did_not_hold_is_counted_and_named() -> None:
    broken = found("in order", "test_a.py", "1 failed, 4 passed, 2 errors in 9.80s", "E assert 1 == 2")
    silent = found("deployed", "test_b.py", "", "it never began")

    assert summary([broken, silent]) == [
        "in order: 4 passed, 3 failed, 0 skipped, in 1 files and 10 s",
        "deployed: 0 passed, 0 failed, 0 skipped, in 1 files and 10 s",
        "in order test_a.py: 1 failed, 4 passed, 2 errors in 9.80s",
        "deployed test_b.py: ",
    ]


def test_a_file_of_which_nothing_was_chosen_counts_for_nothing() -> None:
    nothing = found("deployed", "test_a.py", "no tests ran in 0.31s")

    assert summary([nothing]) == [
        "in order: 0 passed, 0 failed, 0 skipped, in 0 files and 0 s",
        "deployed: 0 passed, 0 failed, 0 skipped, in 0 files and 0 s",
    ]
