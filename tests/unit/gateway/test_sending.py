"""The line a card shows of a report."""

from __future__ import annotations

import pytest

from services.gateway.model.sending import headline


@pytest.mark.parametrize(
    ("report", "line"),
    [
        ("# 새 상품 알림\n\n새 상품 4개 · 바뀐 것 3개\n\n## 가게", "새 상품 4개 · 바뀐 것 3개"),
        ("# 제목\n**굵게** [가게](https://x.test) 3\\.5", "굵게 가게 3.5"),
        ("# 제목뿐", "제목뿐"),
        ("", ""),
        ("가" * 200, "가" * 119 + "…"),
    ],
)
def test_the_first_words_of_a_report_become_one_plain_line(report: str, line: str) -> None:
    assert headline(report) == line
