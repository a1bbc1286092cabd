"""Which modules are imported ahead: those the code's text names first, and only other people's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from services.executor.attempts.warm_imports import preload


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for package in ("pandas", "PIL", "bs4", "numpy.libs", "requests-2.32.dist-info"):
        (folder / package).mkdir(parents=True)
    (folder / "six.py").write_text("")
    (folder / "_speed.cpython-311-x86_64-linux-gnu.so").write_text("")
    return folder


def _found(
    tmp_path: Path, site: Path, text: str, others: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, tuple[str, ...]]]:
    code = tmp_path / "code"
    code.mkdir()
    (code / "main.py").write_text(text)
    for name, other in others.items():
        file = code / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(other)
    return list(preload(code, "main.py", (site,)))


def test_installed_and_standard_modules_are_found_with_what_is_asked_of_them(
    tmp_path: Path, site: Path
) -> None:
    text = (
        "from __future__ import annotations\n"
        "import agent, pandas as pd, unknown\nimport json\nfrom PIL import Image, ImageDraw\n"
        "from bs4 import *\nimport six, _speed\nfrom . import near\n"
    )

    assert _found(tmp_path, site, text) == [
        ("__future__", ("annotations",)),
        ("pandas", ()),
        ("json", ()),
        ("PIL", ("Image", "ImageDraw")),
        ("bs4", ()),
        ("six", ()),
        ("_speed", ()),
    ]


def test_only_the_top_level_counts_when_imports_stand_deeper(tmp_path: Path, site: Path) -> None:
    text = (
        "try:\n    import pandas\nexcept ImportError:\n    import csv\n"
        "if __name__ == '__main__':\n    import six\ndef work():\n    import bs4\n"
    )

    assert _found(tmp_path, site, text) == [("pandas", ())]


def test_modules_of_the_code_are_followed_and_never_imported_themselves(tmp_path: Path, site: Path) -> None:
    others = {"shop.py": "import pandas, shop", "parts/__init__.py": "import six"}

    found = _found(tmp_path, site, "import shop\nfrom parts import page\n", others)

    assert found == [("pandas", ()), ("six", ())]


@pytest.mark.parametrize("hiding", ["json", "pandas"])
def test_nothing_is_imported_ahead_when_the_code_hides_a_module(
    tmp_path: Path, site: Path, hiding: str
) -> None:
    assert _found(tmp_path, site, "import six, pandas", {f"{hiding}.py": ""}) == []


@pytest.mark.parametrize(
    "text", ["import pandas\ndef (:", "import pandas\n" + "(" * 5000, "\0", "x" * 300_000]
)
def test_nothing_is_imported_ahead_when_the_code_cannot_be_read(
    tmp_path: Path, site: Path, text: str
) -> None:
    assert _found(tmp_path, site, text) == []


def test_modules_that_do_something_when_imported_are_left_to_the_run(tmp_path: Path, site: Path) -> None:
    assert _found(tmp_path, site, "import antigravity, this, tkinter") == []
