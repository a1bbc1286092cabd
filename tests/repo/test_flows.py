"""Every flow runs on the services as deployed, or says why not."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping

from tests.repo.tree import ROOT

FLOWS = ROOT / "tests" / "flows"
MARK = "pytest.mark.deployed"


def flows(sources: Mapping[str, str]) -> dict[str, bool]:
    """file::test, and whether it is marked, there or for its whole file."""
    found = {}
    for name, text in sources.items():
        body = ast.parse(text).body
        whole = any(
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "pytestmark"
            and MARK in ast.unparse(node.value)
            for node in body
        )
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marked = any(MARK in ast.unparse(one) for one in node.decorator_list)
                found[f"{name}::{node.name}"] = whole or marked
    return found


def unexplained(found: Mapping[str, bool], named: set[str]) -> list[str]:
    """Neither deployed nor named; named though deployed; and names of nothing."""
    files = {flow.partition("::")[0] for flow in found}
    wrong = [
        flow for flow, marked in found.items() if marked == bool({flow, flow.partition("::")[0]} & named)
    ]
    return sorted([*wrong, *(named - files - found.keys())])


def test_every_flow_is_deployed_or_says_why_not() -> None:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in FLOWS.glob("test_*.py")}
    lists = tomllib.loads((FLOWS / "undeployed.toml").read_text(encoding="utf-8"))
    named = lists["cannot"]
    assert unexplained(flows(sources), set(named)) == []
    assert [flow for flow, why in named.items() if not why] == []


def test_rules_notice_when_they_are_broken() -> None:
    found = flows(
        {
            "test_a": f"@{MARK}\ndef test_one(): ...\ndef test_two(): ...",
            "test_b": f"pytestmark = [{MARK}]\ndef test_one(): ...",
        }
    )
    assert unexplained(found, {"test_a::test_two"}) == []
    assert unexplained(found, {"test_b", "test_c"}) == ["test_a::test_two", "test_b::test_one", "test_c"]
