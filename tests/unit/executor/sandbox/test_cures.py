"""One command for each way in which a machine denies sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.executor.adapters.cures import cure


@pytest.mark.parametrize(
    ("switch", "value", "command"),
    [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ],
)
def test_the_switch_is_named_when_it_is_what_denies(
    tmp_path: Path, switch: str, value: str, command: str
) -> None:
    path = tmp_path / "proc/sys" / switch
    path.parent.mkdir(parents=True)
    path.write_text(value + "\n")

    assert cure("No permissions", tmp_path).endswith(f"sudo sysctl -w {command}")


def test_the_containers_options_are_named_when_in_a_container(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()

    assert "--security-opt systempaths=unconfined" in cure("Can't mount proc", tmp_path)


def test_the_programs_own_words_are_shown_when_no_cause_is_known(tmp_path: Path) -> None:
    assert cure("execvp: No such file", tmp_path).endswith("execvp: No such file")
