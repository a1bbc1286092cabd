"""Tracked files speak of the project alone: no registry hosts, no paths of one machine, nothing huge."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.repo.tree import ROOT, tracked

# Spelled apart, so that this file does not name them.
HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "regis" + "try.npm" + "js.org",
    "deb.debian" + ".org",
    "npm" + "mirror",
)
MACHINE_PATHS = re.compile(r"(?<!\w)/" + r"(root|home/[a-z]+|Users/[A-Za-z]+|work|farm)/[A-Za-z.]")
LARGEST_BYTES = 1_000_000
BINARY = (".png", ".jpg", ".webp", ".ico", ".woff2", ".xlsx", ".zip", ".gz", ".mp4", ".mp3", ".wav")


def unclean_lines(name: str, text: str) -> list[str]:
    return [
        f"{name}:{number}"
        for number, line in enumerate(text.splitlines(), 1)
        if any(host in line for host in HOSTS) or MACHINE_PATHS.search(line)
    ]


def read_texts() -> Iterable[tuple[str, str]]:
    for name in tracked():
        if not name.endswith(BINARY):
            yield name, (ROOT / name).read_text(encoding="utf-8", errors="replace")


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    found = [line for name, text in read_texts() for line in unclean_lines(name, text)]

    assert found == []


def test_no_tracked_file_is_larger_than_a_megabyte() -> None:
    sizes = {name: (ROOT / name).stat().st_size for name in tracked()}

    assert {name: size for name, size in sizes.items() if size > LARGEST_BYTES} == {}


def test_rule_notices_a_host_and_a_path() -> None:
    assert unclean_lines("a.md", f"see https://{HOSTS[0]}/simple") == ["a.md:1"]
    assert unclean_lines("a.md", "fine\nopen " + "/" + "root/.venv/bin") == ["a.md:2"]
    assert unclean_lines("a.md", "/usr/bin/python3 and /etc/hosts") == []
