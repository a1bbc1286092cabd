"""What stops a start is said in one sentence that names the way out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from scripts.layout import ROOT


def start(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"AB_DATA_DIR": str(tmp_path / "data")} | settings
    command = [sys.executable, "-m", "scripts.start", "--no-page"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False)


def test_start_names_another_port_when_the_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        ended = start(tmp_path, AB_PORT=str(port))

    assert ended.returncode == 1
    assert f"Port {port} is taken" in ended.stderr
    assert "AB_PORT=" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_start_asks_for_a_number_when_the_port_is_none(tmp_path: Path) -> None:
    ended = start(tmp_path, AB_PORT="eighty")

    assert ended.returncode == 1
    assert "AB_PORT is 'eighty'" in ended.stderr


def test_start_names_the_setting_when_the_data_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    ended = start(tmp_path, AB_PORT="0", AB_DATA_DIR=str(tmp_path / "file" / "data"))

    assert ended.returncode == 1
    assert "AB_DATA_DIR" in ended.stderr
    assert "Traceback" not in ended.stderr
