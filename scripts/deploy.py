"""`make deploy`: builds and pushes the images of this commit, shows terraform's plan and asks, then sees to the tick.

What must be there before the first time is made by hand, once: docs/deploy.md, steps 1 to 3.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.console import CannotContinue, run_command, say
from scripts.layout import ROOT

IMAGES = ("executor", "gateway", "ledger", "planner", "scheduler", "runner")
_NEEDS = ("gcloud", "terraform", "docker")
_TERRAFORM = ROOT / "terraform"
_FIRST = "Do steps 1 to 3 of docs/deploy.md first; they are done once for each project."


@dataclass(frozen=True)
class Deployment:
    """project: id on Google Cloud. environment: names terraform/env/<environment>.tfvars. tag: of all images."""

    project: str
    environment: str
    tag: str

    def variables(self) -> list[str]:
        given = ["-var", f"project={self.project}", "-var", f"image_tag={self.tag}"]
        return [f"-var-file=env/{self.environment}.tfvars", *given]


def build(deployment: Deployment, registry: str, image: str) -> list[str]:
    command = ["docker", "buildx", "build", "--build-arg", f"SERVICE={image}", "--platform", "linux/amd64"]
    return [
        *command,
        "--provenance=false",
        "--push",
        "-t",
        f"{registry}/{image}:{deployment.tag}",
        ".",
    ]


def tick(deployment: Deployment, registry: str, region: str) -> list[str]:
    """As the person who deploys, out of the image just pushed: this machine needs none of Google's packages."""
    inside = "/credentials.json"
    said = {
        "GOOGLE_APPLICATION_CREDENTIALS": inside,
        "AB_GCP_PROJECT": deployment.project,
        "AB_GCP_REGION": region,
    }
    return [
        *["docker", "run", "--rm", "--user", f"{os.getuid()}:{os.getgid()}"],
        *["--volume", f"{_credentials()}:{inside}:ro"],
        *(word for name, value in said.items() for word in ("--env", f"{name}={value}")),
        f"{registry}/scheduler:{deployment.tag}",
        *["python", "-m", "services.all_in_one", "tick"],
    ]


def _credentials() -> Path:
    """Where `gcloud auth application-default login` puts them.

    Source: cloud.google.com/docs/authentication/application-default-credentials (read November 2026)."""
    if given := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return Path(given)
    config = os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config" / "gcloud"
    return Path(config) / "application_default_credentials.json"


def read(arguments: Sequence[str] | None = None) -> Deployment:
    """Raises: CannotContinue."""
    options = argparse.ArgumentParser(description="Deploy this commit to Google Cloud.")
    options.add_argument("--project", default=os.environ.get("GOOGLE_CLOUD_PROJECT", ""))
    options.add_argument("--environment", default="prod", help="a file of terraform/env (prod)")
    options.add_argument("--tag", default="", help="of the images; this commit, unless given")
    chosen = options.parse_args(arguments)
    if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", chosen.project):
        raise CannotContinue("Name the project: GOOGLE_CLOUD_PROJECT=my-agents make deploy")
    if not (_TERRAFORM / "env" / f"{chosen.environment}.tfvars").exists():
        raise CannotContinue(f"There is no terraform/env/{chosen.environment}.tfvars.")
    return Deployment(chosen.project, chosen.environment, chosen.tag or _commit())


def _commit() -> str:
    """Tags never move, so what is not committed has no tag. Raises: CannotContinue."""
    if _said(["git", "status", "--porcelain"], ROOT):
        raise CannotContinue(
            "Something is not committed: an image is named after its commit. Commit it first."
        )
    return _said(["git", "rev-parse", "--short=12", "HEAD"], ROOT)


def _said(command: Sequence[str], folder: Path) -> str:
    """What it prints, stripped; empty when it failed."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else ""


def _do(command: Sequence[str], folder: Path, problem: str) -> None:
    """At the person's own terminal, so that terraform can ask. Raises: CannotContinue."""
    say(f"$ {' '.join(command)}")
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:
        raise CannotContinue(problem)


def main() -> int:
    deployment = read()
    if missing := [name for name in _NEEDS if shutil.which(name) is None]:
        raise CannotContinue(f"Not found here: {', '.join(missing)}. docs/deploy.md says what is needed.")
    state = f"-backend-config=bucket={deployment.project}-state"
    _do(
        ["terraform", "init", "-input=false", "-reconfigure", state],
        _TERRAFORM,
        f"terraform cannot begin. {_FIRST}",
    )
    registry = _said(["terraform", "output", "-raw", "registry"], _TERRAFORM)
    if not registry:
        raise CannotContinue(f"There is no place for images yet. {_FIRST}")
    _do(
        ["gcloud", "auth", "configure-docker", "--quiet", registry.split("/")[0]],
        ROOT,
        "Sign in: gcloud auth login",
    )
    for image in IMAGES:
        _do(
            build(deployment, registry, image),
            ROOT,
            f"The image of {image} was not built and pushed; nothing was changed.",
        )
    _do(
        ["terraform", "apply", *deployment.variables()],
        _TERRAFORM,
        "Nothing more was changed than terraform says.",
    )
    region = _said(["terraform", "output", "-raw", "region"], _TERRAFORM)
    _do(
        tick(deployment, registry, region),
        ROOT,
        "All is deployed but the tick: nothing fires on time until it is there. Call make deploy again.",
    )
    say(f"Deployed {deployment.tag}: {_said(['terraform', 'output', '-raw', 'address'], _TERRAFORM)}")
    return 0


if __name__ == "__main__":
    run_command(main)
