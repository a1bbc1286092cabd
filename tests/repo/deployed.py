"""What terraform tells each service, as it stands there: variable -> the right side of its line."""

from __future__ import annotations

import re

from services.all_in_one import EGRESS
from tests.repo.hcl import block, names, value
from tests.repo.tree import ROOT

TERRAFORM = ROOT / "terraform"


def text(name: str) -> str:
    return (TERRAFORM / name).read_text(encoding="utf-8")


def told(service: str) -> dict[str, str]:
    """service: one of the five, or executor-egress. Also what is a secret, as "secret"."""
    if service == EGRESS:
        made = block(text("runner.tf"), 'resource "google_cloud_run_v2_service" "egress"')
        return dict(re.findall(r'name  = "(AB_\w+)"\s+value = (.+)$', made, re.MULTILINE))
    everybody = block(text("services.tf"), "settings = merge(\n   ")
    own = block(block(text("services.tf"), "settings ="), f"{service} =")
    secret = re.findall(r'variable = "(\w+)", readers = \[([^\]]*)\]', text("secrets.tf"))
    return {
        **{name: value(everybody, name) for name in names(everybody)},
        **{name: value(own, name) for name in names(own)},
        **{variable: "secret" for variable, readers in secret if f'"{service}"' in readers},
    }
