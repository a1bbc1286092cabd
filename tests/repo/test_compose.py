"""compose.yaml tells its services what terraform tells them, but for what stands here with its reason."""

from __future__ import annotations

import re

import pytest

from services.all_in_one import EGRESS
from services.executor.adapters.shapes import Shape, read
from shared.runtime.settings import from_environment, variable_names
from tests.repo import composed, deployed
from tests.repo.hcl import block, names, value
from tests.repo.tree import SERVICES

EVERYBODY = (*SERVICES, EGRESS)
# What terraform tells a service and compose.yaml does not.
ONLY_DEPLOYED = {
    "AB_DATA_DIR": "the image says the same",
    "AB_PORT": "the code's default is the same",
    "AB_PUSH_CHECKED": "nobody stands in front who cuts signatures off",
    "AB_TRACE_SHARE": "traces go nowhere",
    "AB_FILES_URL": "prod.tfvars leaves it empty",
    "AB_PLANNER": "prod.tfvars says the code's default",
    "AB_MODEL": "prod.tfvars says the code's default",
    "ANTHROPIC_BASE_URL": "prod.tfvars says the code's default",
    "AB_MONTH_TOKENS": "prod.tfvars says the code's default",
}
# The other way round.
ONLY_COMPOSED = {
    "AB_PUBLIC_URL": "who listens for others on one machine has to say under which address",
    "AB_PUSH_ACCOUNT": "that executor-egress has one, which nobody is, tells it that it is deployed",
    "AB_PUSH_CERTIFICATES": "Google's own",
    "AB_KMS_HOST": "a stand-in",
    "AB_CLOUD_RUN_HOST": "a stand-in",
    "FIRESTORE_EMULATOR_HOST": "an emulator",
    "PUBSUB_EMULATOR_HOST": "an emulator",
    "STORAGE_EMULATOR_HOST": "a stand-in",
}


def composed_as(said: str, service: str) -> str | None:
    """What terraform's expression is in compose.yaml; None: it depends on a variable."""
    if said == "local.urls[each.key]":
        return f"http://{service}:8080"
    if said == "local.egress_url":
        return f"http://{EGRESS}:8080"
    if place := re.fullmatch(r"local\.urls\.(\w+)", said):
        return f"http://{place[1]}:8080"
    literal = re.fullmatch(r'"([^"$]*)"', said)
    return literal[1] if literal else None


def test_each_service_is_told_what_it_is_told_on_google_or_there_is_a_reason() -> None:
    there = {name: set(deployed.told(name)) for name in EVERYBODY}
    here = {name: set(composed.told(name)) for name in EVERYBODY}
    assert set.union(*(there[name] - here[name] for name in EVERYBODY)) == set(ONLY_DEPLOYED)
    assert set.union(*(here[name] - there[name] for name in EVERYBODY)) == set(ONLY_COMPOSED)


@pytest.mark.parametrize("service", EVERYBODY)
def test_it_says_the_same_under_the_names_of_compose(service: str) -> None:
    here = composed.told(service)
    expected = {name: composed_as(said, service) for name, said in deployed.told(service).items()}
    fixed = {name: said for name, said in expected.items() if said is not None and name not in ONLY_DEPLOYED}
    assert len(fixed) >= 2
    assert {name: here[name] for name in fixed} == fixed


def test_what_is_left_to_the_code_is_what_is_deployed() -> None:
    said = re.findall(r"^planner = \{(.+)\}$", deployed.text("env/prod.tfvars"), re.MULTILINE)[0]
    engine, model, base_url, tokens = re.findall(r'= "?([^",]*?)"?[ ,]', said)
    default = from_environment({})
    assert (engine, model, base_url) == (default.planner, "", default.anthropic_base_url)
    assert int(tokens) == default.month_tokens
    assert composed_as(deployed.told("gateway")["AB_PORT"], "gateway") == str(default.port)
    assert value(deployed.text("variables.tf").split('variable "files_url"')[1], "default") == '""'


def test_the_executor_has_jobs_as_it_has_them_there() -> None:
    """Of the smallest and the largest memory, with and without a way out; that of packages has no shape."""
    shapes = block(deployed.text("env/prod.tfvars"), "shapes =")
    there = {_shape(name, value(shapes, name)) for name in names(shapes)}
    here = set(read(composed.told("executor")["AB_RUN_SHAPES"]))
    ends = {pick(shape.memory_mb for shape in there) for pick in (min, max)}
    assert here == {shape for shape in there if shape.memory_mb in ends}
    assert {shape.network for shape in here} == {"gateway", "none"}
    assert composed.told("executor")["AB_SANDBOX"] in deployed.told("executor")["AB_SANDBOX"]


def _shape(name: str, said: str) -> Shape:
    memory, network = re.findall(r'memory_mb = (\d+), network = "(\w+)"', said)[0]
    return read(f"{name}:{memory}:{network}")[0]


def test_nobody_is_told_what_is_no_setting() -> None:
    known = set(variable_names().values())
    for name in (*EVERYBODY, "google"):
        assert set(composed.told(name)) <= known


def test_rules_notice_when_they_are_broken() -> None:
    said = composed.COMPOSE.replace("      AB_PLANNER_URL: http://planner:8080\n", "")
    assert "AB_PLANNER_URL" not in composed.told(EGRESS, said)
    assert "AB_PLANNER_URL" in composed.told(EGRESS)
    with pytest.raises(KeyError):
        composed.told("pubsub")
    assert composed_as("local.urls.planner", "ledger") == "http://planner:8080"
    assert composed_as('"${var.project}"', "ledger") is None
