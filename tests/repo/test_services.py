"""Five services of one shape; what they share is shared, what is shared is needed."""

from __future__ import annotations

from collections.abc import Iterable

from tests.repo.tree import SERVICES, Source, python, under

# A service without routes or settings has no empty file for them; .importlinter refuses other names.
EVERY_SERVICE = ("__init__", "app", "deps", "handlers", "model", "repository")
WINDOW = 8
# Used by fewer than three services, with the reason it is shared all the same.
FEW_USERS = {
    "vault": "who may decrypt what is one decision (0029); gateway, executor and planner share the form",
    "net": "the one outbound client: address rules stand in one place",
    "telemetry": "the runtime gives it to every service",
    "blobs": "the runtime gives it to every service",
    "bus": "the runtime gives it to every service",
    "processors": "the program chooses for all (0058); the executor starts what is not to be bound by it",
}
WIRING_LINES = 40


def modules(service: str, sources: Iterable[Source]) -> set[str]:
    """Names directly inside a service: files without their ending, and packages."""
    prefix = f"services/{service}/"
    inside = [source.name.removeprefix(prefix) for source in sources if source.name.startswith(prefix)]
    return {name.split("/")[0].removesuffix(".py") for name in inside}


def users_of(package: str, sources: Iterable[Source]) -> set[str]:
    """Services with a module that imports `shared.<package>`."""
    name = f"shared.{package}"
    return {
        source.name.split("/")[1]
        for source in sources
        if source.name.startswith("services/") and source.name.count("/") > 1
        if any(found == name or found.startswith(f"{name}.") for found in source.imports())
    }


def windows(sources: Iterable[Source]) -> dict[tuple[str, ...], set[str]]:
    """Every run of eight normalised lines -> the services that hold it. Imports and closers do not count."""
    found: dict[tuple[str, ...], set[str]] = {}
    for source in sources:
        lines = [line.strip() for line in source.text.splitlines()]
        lines = [line for line in lines if len(line) > 3 and not line.startswith(("#", "import ", "from "))]
        for start in range(len(lines) - WINDOW + 1):
            found.setdefault(tuple(lines[start : start + WINDOW]), set()).add(source.name.split("/")[1])
    return found


def copied(sources: Iterable[Source]) -> list[str]:
    return sorted(
        {f"{sorted(where)}: {lines[0]}" for lines, where in windows(sources).items() if len(where) > 1}
    )


def service_sources() -> list[Source]:
    return [source for source in under("services") if source.name.count("/") > 1]


def test_every_service_has_the_same_files() -> None:
    missing = {name: sorted(set(EVERY_SERVICE) - modules(name, python())) for name in SERVICES}

    assert {name: gaps for name, gaps in missing.items() if gaps} == {}


def test_app_modules_only_wire() -> None:
    lengths = {source.name: source.lines for source in under("services") if source.name.endswith("/app.py")}

    assert {name: lines for name, lines in lengths.items() if lines > WIRING_LINES} == {}


def test_shared_packages_are_used_by_three_services() -> None:
    packages = {source.name.split("/")[1].removesuffix(".py") for source in under("shared")} - {"__init__"}
    few = {name for name in packages - FEW_USERS.keys() if len(users_of(name, python())) < 3}

    assert few == set()


def test_no_two_services_hold_the_same_eight_lines() -> None:
    assert copied(service_sources()) == []


def test_rules_notice_when_they_are_broken() -> None:
    body = "\n".join(f"value_{number} = compute({number})" for number in range(9))
    twins = [Source("services/gateway/a.py", body), Source("services/ledger/b.py", f"import os\n{body}")]
    user = Source("services/ledger/app.py", "from shared import net\nimport shared.bus.port\n")

    assert len(copied(twins)) == 2
    assert copied(twins[:1]) == []
    assert modules("gateway", twins) == {"a"}
    assert users_of("net", [user]) == {"ledger"}
    assert users_of("bus", [user]) == {"ledger"}
    assert users_of("blobs", [user]) == set()
