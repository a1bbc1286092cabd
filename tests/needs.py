"""What a test may find missing on a laptop. There it skips and says how to get it; with CI set it fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def unavailable(what: str, cure: str) -> NoReturn:
    sentence = f"{what} is not here: {cure}"
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def chromium() -> str:
    """The path of a Chromium on this machine, for Playwright's `executable_path`."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    unavailable("Chromium", "sudo apt-get install chromium fonts-noto-cjk")
