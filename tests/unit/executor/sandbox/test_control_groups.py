"""Finding control groups that can be written, on drawings of machines made of plain folders."""

from __future__ import annotations

import os
from pathlib import Path

from services.executor.launcher import cgroups


def _mountinfo(*lines: tuple[Path, str, str]) -> str:
    return "".join(
        f"30 25 0:26 / {point} rw,relatime - {kind} cgroup {options}\n" for point, kind, options in lines
    )


def _version_1(root: Path) -> str:
    for name in ("memory", "pids", "cpuacct"):
        (root / name / "own").mkdir(parents=True)
    return _mountinfo(*((root / name, "cgroup", f"rw,{name}") for name in ("memory", "pids", "cpuacct")))


def test_groups_lie_below_our_own_when_each_controller_has_its_tree(tmp_path: Path) -> None:
    mountinfo = _version_1(tmp_path)

    groups = cgroups.find("ab", mountinfo, "4:memory:/own\n8:pids:/\n2:cpuacct:/gone\n0::/\n")

    assert isinstance(groups, cgroups.GroupsV1)
    assert groups.parents == {
        "memory": tmp_path / "memory" / "own" / "ab",
        "pids": tmp_path / "pids" / "ab",
        "cpuacct": tmp_path / "cpuacct" / "ab",  # our path is not visible there: the top is
    }
    assert groups.missing == {}


def test_controllers_mounted_together_are_found_when_they_share_a_tree(tmp_path: Path) -> None:
    (tmp_path / "cpu,cpuacct").mkdir()
    for name in ("memory", "pids"):
        (tmp_path / name).mkdir()
    mountinfo = _mountinfo(
        (tmp_path / "cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
        (tmp_path / "memory", "cgroup", "rw,memory"),
        (tmp_path / "pids", "cgroup", "rw,pids"),
    )

    groups = cgroups.find("ab", mountinfo, "")

    assert isinstance(groups, cgroups.GroupsV1)
    assert groups.parents["cpuacct"] == tmp_path / "cpu,cpuacct" / "ab"


def test_the_unified_tree_is_used_when_it_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()

    groups = cgroups.find("ab", _mountinfo((tmp_path, "cgroup2", "rw")), "0::/service\n")

    assert isinstance(groups, cgroups.GroupsV2)
    assert groups.parent == tmp_path / "service" / "ab"
    assert (groups.parent / "cgroup.subtree_control").read_text() == "+memory +pids"


def test_bounds_are_written_and_counters_read_when_a_unified_group_is_made(tmp_path: Path) -> None:
    group = cgroups.GroupsV2(tmp_path).make("one")
    assert group is not None
    group.bound(memory_bytes=1000, processes=7)
    folder = tmp_path / "one"
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 2\n")
    (folder / "pids.events").write_text("max 0\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (folder / "memory.peak").write_text("900\n")
    (folder / "cgroup.procs").write_text("11\n12\n")

    assert (folder / "memory.max").read_text() == "1000"
    assert (folder / "pids.max").read_text() == "7"
    assert (group.out_of_memory(), group.refused_forks()) == (True, False)
    assert (group.cpu_ms(), group.memory_peak(), group.pids()) == (2500, 900, [11, 12])


def test_every_missing_bound_has_its_sentence_when_nothing_can_be_written(tmp_path: Path) -> None:
    groups = cgroups.find("ab", _mountinfo((tmp_path / "nowhere", "cgroup2", "rw")), "0::/\n")

    assert isinstance(groups, cgroups.NoGroups)
    assert set(groups.missing) == {"memory", "cpu"}
    assert groups.make("x") is None


def test_counters_read_as_nothing_when_the_group_is_gone(tmp_path: Path) -> None:
    group = cgroups.GroupV1(f"{tmp_path}/m", f"{tmp_path}/p", f"{tmp_path}/c")

    assert (group.pids(), group.cpu_ms(), group.memory_peak()) == ([], 0, 0)
    assert not group.out_of_memory()
    assert group.remove()


def test_runs_share_the_processor_evenly_when_its_controller_has_a_tree_of_its_own(tmp_path: Path) -> None:
    mountinfo = _version_1(tmp_path)
    (tmp_path / "cpu").mkdir()
    mountinfo += _mountinfo((tmp_path / "cpu", "cgroup", "rw,cpu"))

    groups = cgroups.find("ab", mountinfo, "1:cpu:/\n")
    assert isinstance(groups, cgroups.GroupsV1)
    group = groups.make("one")

    assert groups.parents["cpu"] == tmp_path / "cpu" / "ab"
    assert int((tmp_path / "cpu" / "ab" / "cpu.shares").read_text()) >= 1024
    assert isinstance(group, cgroups.GroupV1)
    group.join(7)
    assert (tmp_path / "cpu" / "ab" / "one" / "cgroup.procs").read_text() == "7"


def test_all_runs_together_weigh_less_than_the_platform_in_the_unified_tree(tmp_path: Path) -> None:
    groups = cgroups.find("ab", _mountinfo((tmp_path, "cgroup2", "rw")), "0::/\n")

    assert isinstance(groups, cgroups.GroupsV2)
    assert int((groups.parent / "cpu.weight").read_text()) < 100


def test_empty_groups_of_makers_that_are_gone_are_removed_when_another_launcher_starts(
    tmp_path: Path,
) -> None:
    mountinfo = _version_1(tmp_path)
    living, dead = f"{os.getpid()}-1", f"{1 << 30}-1"
    folders = {
        name: [tmp_path / controller / name for controller in ("memory", "pids", "cpuacct")]
        for name in ("agentbuilder-gone", "agentbuilder-alive", "somebody-elses")
    }
    for name, made in folders.items():
        for folder in made:
            (folder / (living if name == "agentbuilder-alive" else dead)).mkdir(parents=True)

    cgroups.find("agentbuilder-own", mountinfo, "").sweep()

    left = {name: [folder.exists() for folder in made] for name, made in folders.items()}
    assert left == {
        "agentbuilder-gone": [False] * 3,
        "agentbuilder-alive": [True] * 3,
        "somebody-elses": [True] * 3,
    }
