"""The closing lines of `make test` count truly, and with CI set a skip is a failure."""

from __future__ import annotations

from scripts.checks import TIERS, Counts
from scripts.tiers import Result, read_report

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure message="x"/></testcase>
<testcase name="c"><error message="y"/></testcase>
<testcase name="d"><skipped message="no Chromium"/></testcase>
</testsuite></testsuites>"""


def test_report_counts_errors_as_failures_and_keeps_reasons() -> None:
    counts, reasons = read_report(REPORT)

    assert counts == Counts(passed=1, failed=2, skipped=1)
    assert reasons == ["no Chromium"]


def test_line_says_why_when_a_tier_was_skipped() -> None:
    result = Result(TIERS["e2e"], Counts(skipped=1), ["no Chromium"])

    assert "skipped because no Chromium" in result.line(strict=False)
    assert "FAILED" in result.line(strict=True)


def test_line_counts_when_a_tier_failed() -> None:
    assert "FAILED (2)" in Result(TIERS["unit"], Counts(passed=5, failed=2)).line(strict=False)
