"""What the app can read about a page that is still being built."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.page_build import clear_status, write_status


def test_status_counts_steps_and_speaks_both_languages(tmp_path: Path) -> None:
    write_status(tmp_path / "data", "packages")

    status = json.loads((tmp_path / "data" / "web-build.json").read_text(encoding="utf-8"))

    assert (status["step"], status["done"], status["total"]) == ("packages", 1, 3)
    assert status["sentence_ko"] == "화면의 준비물을 받고 있어요"
    assert status["sentence_en"] == "Fetching the page's packages"
    assert "failed" not in status
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_status_says_what_is_at_hand(tmp_path: Path) -> None:
    write_status(tmp_path, "packages", at_hand="12/185")

    status = json.loads((tmp_path / "web-build.json").read_text(encoding="utf-8"))

    assert status["sentence_ko"] == "화면의 준비물을 받고 있어요 (12/185)"
    assert status["sentence_en"] == "Fetching the page's packages (12/185)"


def test_status_carries_the_reason_when_the_build_failed(tmp_path: Path) -> None:
    write_status(tmp_path, "build", failed="disk full")

    status = json.loads((tmp_path / "web-build.json").read_text(encoding="utf-8"))

    assert status["failed"] == "disk full"
    assert "disk full" in status["sentence_ko"]


def test_no_status_is_left_when_the_page_is_ready(tmp_path: Path) -> None:
    write_status(tmp_path, "build")

    clear_status(tmp_path)
    clear_status(tmp_path)

    assert list(tmp_path.iterdir()) == []
