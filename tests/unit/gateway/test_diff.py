"""Two versions side by side: nothing that changed is left out, nothing that is the same is shown."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.diff import differences
from shared.agentfile.bundle import pack
from shared.agentfile.model import AgentFile
from tests.unit.gateway.conftest import World, agent_file

OLD = agent_file(hosts=[{"host": "shop.example.com", "path": "/new"}])


def changed(**more: Any) -> AgentFile:
    return AgentFile.model_validate({**OLD.model_dump(), **more})


def test_equal_versions_differ_in_nothing() -> None:
    files = {"main.py": b"print(1)\n", "agent.toml": b"x"}

    found = differences(OLD, OLD, files, {**files, "agent.toml": b"y"}, "ko")

    assert found == type(found)()


def test_code_is_compared_line_by_line() -> None:
    found = differences(
        OLD, OLD, {"main.py": b"a = 1\nb = 2\n", "old.py": b"x\n"}, {"main.py": b"a = 1\nb = 3\n"}, "en"
    )

    main, old = found.files
    assert (main.change, main.added, main.removed) == ("changed", 1, 1)
    assert main.unified.split("\n")[1:] == [" a = 1", "-b = 2", "+b = 3"]
    assert (old.name, old.change, old.removed, old.cut) == ("old.py", "removed", 1, False)


def test_what_is_no_text_or_too_long_is_named_without_lines() -> None:
    after = {"chart.png": b"\x89PNG\xff", "long.py": b"x\n" * 5000, "wide.py": b"y" * 70_000}

    found = {file.name: file for file in differences(OLD, OLD, {}, after, "ko").files}

    assert (found["chart.png"].unified, found["chart.png"].cut) == ("", False)
    assert (found["long.py"].unified, found["long.py"].cut) == ("", True)
    assert found["wide.py"].cut
    assert len(found["wide.py"].unified) < 60_000


def test_permissions_packages_and_schedule_are_sentences() -> None:
    data = OLD.model_dump()
    data["agent"]["packages"] = ["pandas"]
    data["manifest"]["hosts"] = [{"host": "other.example.com", "effect": "write"}]
    data["manifest"]["tokens"] = {"per_run": 1000, "per_day": 5000}
    data["schedule"]["cron"] = "0 9 * * 1-5"
    new = AgentFile.model_validate(data)

    korean, english = (differences(OLD, new, {}, {}, language) for language in ("ko", "en"))

    assert [(row.change, row.text) for row in english.packages] == [("added", "pandas")]
    assert [row.text for row in english.permissions if row.change == "removed"] == [
        "Reads shop.example.com/new",
        "Tokens: up to 0 a run, 0 a day",
    ]
    assert [row.text for row in korean.permissions if row.change == "added"] == [
        "other.example.com 바꾸거나 보내기",
        "토큰: 한 번에 1,000, 하루 5,000까지",
    ]
    assert korean.schedule is not None
    assert (korean.schedule.before[0], korean.schedule.after[0]) == ("매일 09:00 · 서울", "평일 09:00 · 서울")


def test_weaker_and_stronger_promises_are_told_apart() -> None:
    rows = {"check": "rows", "path": "outputs/a.csv", "min": 5, "says": "다섯 줄"}
    found = differences(changed(contract=[rows]), changed(contract=[{**rows, "min": 1}]), {}, {}, "ko")

    assert len(found.contract.weaker) == 1
    assert found.contract.stronger == ()


TEXT = st.lists(st.sampled_from(["a", "b", "한 줄", ""]), max_size=12).map("\n".join)


@given(before=TEXT, after=TEXT)
def test_the_lines_shown_lead_from_one_text_to_the_other(before: str, after: str) -> None:
    files = differences(OLD, OLD, {"a.py": before.encode()}, {"a.py": after.encode()}, "ko").files

    shown = files[0].unified.split("\n") if files and files[0].unified else []
    gone = [line[1:] for line in shown if line.startswith("-")]
    fresh = [line[1:] for line in shown if line.startswith("+")]
    assert bool(files) == (before != after)
    assert len(fresh) - len(gone) == _count(after) - _count(before)


def _count(text: str) -> int:
    return len(text.splitlines()) if text else 0


def two_versions(world: World) -> None:
    world.agent()
    world.version("ver_2", 2)
    main = {"agent.toml": b"", "main.py": b"print('hello')\n"}
    world.deps.blobs.put("planner/bundles/ver_2.zip", pack(main))


def test_the_route_shows_how_the_second_differs_from_the_first(world: World) -> None:
    two_versions(world)

    answer = world.call("GET", "/api/v1/agents/agent_1/versions/1/diff/2").json

    (file,) = answer["differences"]["files"]
    assert (file["name"], file["added"], file["removed"]) == ("main.py", 1, 1)
    assert (answer["older"]["number"], answer["newer"]["number"]) == (1, 2)


def test_unknown_numbers_and_strangers_get_nothing(world: World) -> None:
    two_versions(world)

    assert world.call("GET", "/api/v1/agents/agent_1/versions/1/diff/3").status_code == 404
    assert world.call("GET", "/api/v1/agents/agent_1/versions/0/diff/1").status_code in (400, 404)
    assert world.as_charlie("GET", "/api/v1/agents/agent_1/versions/1/diff/2").status_code == 404
