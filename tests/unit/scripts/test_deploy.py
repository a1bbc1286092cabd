"""`make deploy` does its steps in order, stops at the first that fails, and changes nothing before it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.deploy import IMAGES
from scripts.layout import ROOT

REGISTRY = "images.example.com/my-agents/agent-builder"
# In the place of gcloud, terraform and docker: writes down what it was asked, fails when asked for FAILS.
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> "$TOLD"
case "$*" in
  "output -raw registry") printf %s "$REGISTRY" ;;
  "output -raw region") printf asia-northeast3 ;;
  "output -raw address") printf https://agents.example.com ;;
esac
case "$(basename "$0") $*" in *"${FAILS:-nothing fails}"*) exit 1;; esac
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("gcloud", "terraform", "docker"):
        (folder / name).write_text(TOOL)
        (folder / name).chmod(0o755)
    return folder


def deploy(tools: Path, *options: str, **more: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    told = tools.parent / "told"
    env = {"PATH": f"{tools}:{os.defpath}", "TOLD": str(told), "REGISTRY": REGISTRY, **more}
    command = [sys.executable, "-m", "scripts.deploy", *options]
    ended = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False
    )
    return ended, told.read_text().splitlines() if told.exists() else []


def test_images_are_pushed_before_anything_is_applied(tools: Path) -> None:
    ended, told = deploy(tools, "--project", "my-agents", "--tag", "abc")

    assert ended.returncode == 0, ended.stderr
    assert "https://agents.example.com" in ended.stdout
    assert told[0].startswith("terraform init")
    assert "bucket=my-agents-state" in told[0]
    pushed = [line for line in told if line.startswith("docker buildx")]
    assert [re.findall(r"SERVICE=(\w+)", line)[0] for line in pushed] == list(IMAGES)
    assert all(f"--push -t {REGISTRY}/" in line and line.endswith(":abc .") for line in pushed)
    assert all(" --provenance=false " in line and "--sbom" not in line for line in pushed)
    (apply,) = [line for line in told if line.startswith("terraform apply")]
    assert told.index(apply) > told.index(pushed[-1])
    assert apply == "terraform apply -var-file=env/prod.tfvars -var project=my-agents -var image_tag=abc"


def test_the_tick_is_seen_to_last_by_the_image_just_pushed(tools: Path) -> None:
    ended, told = deploy(tools, "--project", "my-agents", "--tag", "abc", CLOUDSDK_CONFIG="/config")

    (applied,) = [n for n, line in enumerate(told) if line.startswith("terraform apply")]
    (ticked,) = [n for n, line in enumerate(told) if line.startswith("docker run")]
    assert ticked > applied
    assert "/config/application_default_credentials.json:/credentials.json:ro" in told[ticked]
    assert "AB_GCP_PROJECT=my-agents --env AB_GCP_REGION=asia-northeast3" in told[ticked]
    assert told[ticked].endswith(f"{REGISTRY}/scheduler:abc python -m services.all_in_one tick")

    ended, _ = deploy(tools, "--project", "my-agents", "--tag", "abc", FAILS="docker run")
    assert ended.returncode == 1
    assert "nothing fires on time" in ended.stderr


def test_terraform_asks_the_person(tools: Path) -> None:
    _, told = deploy(tools, "--project", "my-agents", "--tag", "abc")

    assert not any("auto-approve" in line for line in told)


@pytest.mark.parametrize(
    ("fails", "says"), [("SERVICE=planner", "nothing was changed"), ("terraform init", "steps 1 to 3")]
)
def test_nothing_is_applied_when_a_step_before_it_fails(tools: Path, fails: str, says: str) -> None:
    ended, told = deploy(tools, "--project", "my-agents", "--tag", "abc", FAILS=fails)

    assert ended.returncode == 1
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not any("apply" in line for line in told)


def test_nothing_is_built_where_nobody_made_a_place_for_images(tools: Path) -> None:
    ended, told = deploy(tools, "--project", "my-agents", "--tag", "abc", REGISTRY="")

    assert ended.returncode == 1
    assert "docs/deploy.md" in ended.stderr
    assert not any(line.startswith("docker") for line in told)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "GOOGLE_CLOUD_PROJECT="),
        (["--project", "-var=x"], "GOOGLE_CLOUD_PROJECT="),
        (["--project", "my-agents", "--environment", "moon", "--tag", "abc"], "terraform/env/moon.tfvars"),
    ],
)
def test_what_is_missing_is_said_before_any_tool_is_asked(tools: Path, options: list[str], says: str) -> None:
    ended, told = deploy(tools, *options)

    assert ended.returncode != 0
    assert says in ended.stderr or "expected one argument" in ended.stderr
    assert told == []


def test_tools_that_are_not_here_are_named(tools: Path) -> None:
    (tools / "docker").unlink()

    ended, told = deploy(tools, "--project", "my-agents", "--tag", "abc", PATH=str(tools))

    assert ended.returncode == 1
    assert "docker" in ended.stderr
    assert told == []
