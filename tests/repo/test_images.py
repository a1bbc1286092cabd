"""The Dockerfile and compose.yaml speak of what is here: files, services, settings that count."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scripts.deploy import IMAGES
from services.all_in_one import EGRESS
from tests import stand_ins
from tests.emulator_containers import CONTAINERS
from tests.fakes.cloud_run import PROGRAM
from tests.repo.composed import COMPOSE, services
from tests.repo.tree import ROOT, SERVICES, tracked

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8")
STAGE = re.compile(r"^FROM (\S+)(?: AS (\S+))?$", re.MULTILINE)


def copied(dockerfile: str) -> list[str]:
    """Files and folders copied from here, not from another stage."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def absent(sources: Iterable[str]) -> list[str]:
    there = tracked()
    return [s for s in sources if s not in there and not any(n.startswith(f"{s}/") for n in there)]


def hosts(names: Iterable[str]) -> list[str]:
    """Image names that begin with a registry's host: a dot or a port before the first slash."""
    return [name for name in names if "/" in name and re.search(r"[.:]", name.split("/")[0])]


def pictured(compose: str) -> list[str]:
    return re.findall(r"^    image: \"?\$\{\w+:-([^}\"]+)\}", compose, re.MULTILINE)


def test_everything_the_dockerfile_copies_is_here_and_reaches_the_engine() -> None:
    sources = copied(DOCKERFILE)
    assert len(sources) > 10
    assert absent(sources) == []
    let_in = {line[1:] for line in IGNORED.splitlines() if line.startswith("!")}
    assert {source.split("/")[0] for source in sources} == let_in


def test_each_service_and_the_runner_is_a_stage_that_starts_itself() -> None:
    stages = {name: base for base, name in STAGE.findall(DOCKERFILE) if name}
    assert {*SERVICES, "runner"} <= set(stages)
    assert set(IMAGES) == {*SERVICES, "runner"}
    for service in SERVICES:
        assert f'CMD ["python", "-m", "services.all_in_one", "serve", "--only", "{service}"]' in DOCKERFILE
        assert stages[service] == "common"
        assert f"COPY services/{service} services/{service}" in DOCKERFILE
    assert stages["runner"] == "executor"
    assert stages["google"] == "runner"  # whose jobs are what the runner's image starts
    # what the stand-in for Cloud Run starts, too
    assert f'CMD ["python", "-m", "{PROGRAM}"]' in DOCKERFILE
    assert DOCKERFILE.rstrip().endswith("FROM ${SERVICE}")


def test_images_hold_no_service_but_their_own() -> None:
    parts = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    for part in parts:
        held = set(re.findall(r"^COPY services/([a-z]+) ", part, re.MULTILINE))
        assert len(held) <= 1


def test_the_base_is_pinned_and_nothing_else_is_fetched_from_a_named_place() -> None:
    base = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", base[1])
    stages = {name for _, name in STAGE.findall(DOCKERFILE)}
    from_outside = [found for found, _ in STAGE.findall(DOCKERFILE) if found not in stages]
    assert set(from_outside) == {"${BASE}", "${SERVICE}"}
    assert hosts([base[1], *pictured(COMPOSE)]) == []
    assert "http" not in DOCKERFILE


def test_each_image_holds_one_list_of_what_is_in_it_checked_against_the_locks_it_is_made_of() -> None:
    parts = {
        name: part
        for part in re.split(r"^FROM \S+ AS ", DOCKERFILE, flags=re.MULTILINE)
        for name in [part.split()[0]]
    }
    locks = re.findall(r"-r /(requirements\S*\.txt)", parts["packages"])
    assert len(locks) == 2
    assert (
        f'-m scripts.contents "agent-builder-$SERVICE" /venv {" ".join(locks)} > /sbom.cdx.json'
        in parts["contents"]
    )
    assert re.findall(r"^COPY --from=(\w+)", parts["common"], re.MULTILINE) == ["packages", "contents"]
    assert "COPY --from=contents /sbom.cdx.json /usr/share/doc/sbom.cdx.json" in parts["common"]
    assert re.findall(r"^COPY --from=page (\S+)", parts["gateway"], re.MULTILINE) == [
        "/app/web/dist",
        "/sbom-page.cdx.json",
    ]


def test_nothing_runs_as_root() -> None:
    common = DOCKERFILE.split("AS common")[1].split("\nFROM ")[0]
    assert re.findall(r"^USER (.+)$", common, re.MULTILINE) == ["10001"]
    assert "USER" not in DOCKERFILE.replace("USER 10001", "", 1)


def test_compose_starts_what_is_deployed() -> None:
    found = services()
    emulated = {"google", "firestore", "pubsub", "storage"}
    assert set(found) == {*SERVICES, EGRESS, *emulated}
    built = {name: re.findall(r"SERVICE: ([a-z]+)", text) for name, text in found.items()}
    assert {name: images[0] for name, images in built.items() if images} == {
        **{name: name for name in (*SERVICES, "google")},
        EGRESS: "executor",
    }
    assert f'command: ["python", "-m", "services.all_in_one", "serve", "--only", "{EGRESS}"]' in found[EGRESS]


def test_compose_and_the_stand_ins_agree_on_who_is_where() -> None:
    said = dict(re.findall(r"^\s+([A-Z][A-Z_]+): (\S+)$", COMPOSE, re.MULTILINE))
    assert said["AB_KMS_HOST"] == f"google:{stand_ins.KMS}"
    assert said["AB_CLOUD_RUN_HOST"] == f"google:{stand_ins.JOBS}"
    assert said["AB_PUSH_CERTIFICATES"] == f"http://google:{stand_ins.PUSHES}/certificates"
    pushers = stand_ins.pushers(said["AB_GCP_PROJECT"])
    for name in SERVICES:
        assert f"AB_PUSH_ACCOUNT: {pushers[name].account}\n" in services()[name]
        assert f"AB_PUSH_AUDIENCE: {pushers[name].audience}\n" in services()[name]


def test_tests_take_emulators_from_the_images_that_compose_takes() -> None:
    for kind, container in CONTAINERS.items():
        said = services()[kind]
        assert f'image: "${{{container.named_by}:-{container.image}}}"' in said
        there = re.findall(r'"([^"]+)"', said.split("command: ")[1])
        placeless = [
            word for word in there if not re.search(r"[:\d]", word)
        ]  # addresses and ports are each one's own
        assert set(placeless) <= set(container.command)
        assert len(placeless) >= 4


def of_tests(module: str) -> set[str]:
    """It and all modules of tests/ that it cannot be imported without."""
    found, ahead = set(), {module}
    while ahead:
        found.add(name := ahead.pop())
        text = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
        ahead |= set(re.findall(r"^from (tests\.\S+) import", text, re.MULTILINE)) - found
    return found


def test_the_stand_ins_image_holds_what_they_import() -> None:
    lines = re.findall(r"^COPY (tests/.*) tests/(?:\w+)?$", DOCKERFILE, re.MULTILINE)
    copied_ones = {word for line in lines for word in line.split()}
    for module in of_tests("tests.stand_ins"):
        path = f"{module.replace('.', '/')}.py"
        assert path in copied_ones or path.rpartition("/")[0] in copied_ones, path


def test_rules_notice_when_they_are_broken() -> None:
    assert absent(copied("COPY shared shared\nCOPY gone.txt ./\nCOPY --from=x /a b\n")) == ["gone.txt"]
    assert hosts(["python:3.11", "some/image:1", "registry.example.com/a:1", "localhost:5000/a"]) == [
        "registry.example.com/a:1",
        "localhost:5000/a",
    ]
    assert pictured('    image: "${X:-a/b:1}"\n') == ["a/b:1"]
