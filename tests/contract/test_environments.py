"""Packages on the real sandbox and an index of the test's own: what is asked, refused, shared and never run."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.executor.ports import Asking, Installed
from shared.clock import FakeClock
from shared.errors import BadRequest, ProjectError, Unavailable
from tests.fakes.index import FakeIndex, source, wheel
from tests.job_workshop import JobWorkshop
from tests.needs import unavailable
from tests.workshop import Shop, Workshop


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workshops")


@pytest.fixture
def shop(tmp_path: Path, index: FakeIndex) -> Iterator[Workshop]:
    made = Workshop(tmp_path / "data", index.url)
    missing = made.sandbox.enforcement().missing
    if "all" in missing:
        unavailable("a sandbox", missing["all"])
    yield made
    made.close()


@pytest.fixture(params=["this machine", "jobs"])
def any_shop(request: pytest.FixtureRequest, tmp_path: Path, index: FakeIndex) -> Iterator[Shop]:
    """Both builders of the port."""
    if request.param == "this machine":
        yield request.getfixturevalue("shop")
        return
    made = JobWorkshop(tmp_path / "jobs", index.url)
    yield made
    made.close()


def tree(folder: Path) -> str:
    """One hash of all names, kinds, modes and bytes below."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        digest.update(f"{path.relative_to(folder)} {stat.filemode(info.st_mode)} {info.st_uid}\n".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def test_a_package_and_what_it_needs_can_be_imported_when_only_its_name_was_said(
    any_shop: Shop, index: FakeIndex
) -> None:
    index.add_old("plumbing-tools")
    for version in ("1.0", "2.0"):
        index.add_wheel(
            "harbor", version, files={"harbor.py": f"V = {version!r}\n"}, requires=["plumbing-tools>=0.9"]
        )
    found = any_shop.built("harbor")
    assert "harbor==2.0" in found.lock
    assert "plumbing-tools==1.0" in found.lock
    ended, printed = any_shop.run("import harbor, plumbing_tools; print(harbor.V)", found.environment_id)
    assert (ended.exit_code, printed) == (0, "2.0\n")
    assert any("harbor" in text for text, _done, _all in any_shop.said)
    assert all(method in ("GET", "HEAD") for method, _path in index.asked)


def test_data_folders_scripts_and_start_scripts_lie_where_the_wheel_format_says(
    any_shop: Shop, index: FakeIndex
) -> None:
    inside = {
        "anvilkit.py": "def main():\n    print('started')\n",
        "anvilkit-1.0.data/purelib/extra.py": "E = 1\n",
        "anvilkit-1.0.data/scripts/run-me": "#!python\nprint('script')\n",
        "anvilkit-1.0.data/data/share/note.txt": "hello",
        "anvilkit-1.0.dist-info/entry_points.txt": "[console_scripts]\nanvilkit = anvilkit:main\n",
    }
    index.add_wheel("anvilkit", "0.9")
    index.add_wheel("anvilkit", "1.0", files=inside)
    found = any_shop.built("anvilkit")
    code = (
        "import extra, subprocess, os\n"
        "print(subprocess.run(['/site/0/bin/run-me'], capture_output=True, text=True).stdout.strip(),"
        " subprocess.run(['/site/0/bin/anvilkit'], capture_output=True, text=True).stdout.strip(),"
        " open('/site/0/share/note.txt').read())"
    )
    ended, printed = any_shop.run(code, found.environment_id)
    assert (ended.exit_code, printed.split()) == (0, ["script", "started", "hello"]), printed


def test_nothing_is_fetched_or_made_again_when_the_lock_is_known(shop: Workshop, index: FakeIndex) -> None:
    index.add_old("lantern")
    first = shop.built("lantern")
    before, asked = tree(shop.root / "environments"), len(index.asked)
    again = shop.build(lock=first.lock, workspace="ws_b")
    assert isinstance(again, Installed)
    assert again.environment_id == first.environment_id
    assert tree(shop.root / "environments") == before
    index.down = True
    after = Workshop(shop.root, index.url)  # another life of the platform: it remembers what was judged
    try:
        assert isinstance(after.build(lock=first.lock, workspace="ws_b"), Installed)
    finally:
        after.close()
    assert len(index.asked) == asked


def test_an_environment_comes_back_from_its_wheels_when_the_cache_has_let_go_of_it(
    shop: Workshop, index: FakeIndex
) -> None:
    index.add_old("lantern")
    found = shop.built("lantern")
    folder = shop.root / "environments" / found.environment_id
    before = tree(folder)
    folder.rename(shop.root / "gone")
    index.down = True
    assert tree(shop.builder.ready(found.environment_id)) == before


def test_one_builds_and_the_other_waits_when_two_want_the_same(shop: Workshop, index: FakeIndex) -> None:
    index.add_old("lantern")
    lock = shop.built("lantern").lock
    for folder in ("wheels", "environments"):
        (shop.root / folder).rename(shop.root / f"old-{folder}")
        (shop.root / folder).mkdir()
    index.asked.clear()
    found: list[Installed | Asking] = []
    threads = [threading.Thread(target=lambda: found.append(shop.build(lock=lock))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.environment_id for one in found if isinstance(one, Installed)}) == 1
    assert len(found) == 4
    assert index.fetched() == ["lantern-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("reqeusts", "requests"), ("no-such-thing-at-all", "no-such-thing-at-all")],
)
def test_an_invented_name_is_refused_with_its_neighbour(any_shop: Shop, name: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        any_shop.build(name)
    assert refused.value.code == "no_such_package"
    assert said in refused.value.detail


def test_a_name_one_letter_from_a_popular_one_asks_and_each_workspace_for_itself(
    any_shop: Shop, index: FakeIndex
) -> None:
    index.add_old("reqeusts")
    asking = any_shop.build("reqeusts")
    assert isinstance(asking, Asking)
    assert asking.packages == ("reqeusts==1.0",)
    assert "requests" in asking.reasons[0]
    assert not (any_shop.root / "wheels").exists(), "nothing of it was fetched before the yes"
    found = any_shop.build("reqeusts", approved=frozenset(asking.packages))
    assert isinstance(found, Installed)
    assert isinstance(any_shop.build(lock=found.lock, workspace="ws_b"), Asking), "a yes is never inherited"


def test_what_came_out_this_week_is_passed_over_and_asks_when_nothing_else_will_do(
    any_shop: Shop, index: FakeIndex
) -> None:
    index.add_old("lantern")
    index.add_wheel("lantern", "2.0", age=timedelta(days=2))
    assert "lantern==1.0" in any_shop.built("lantern").lock
    asking = any_shop.build("lantern==2.0")
    assert isinstance(asking, Asking)
    assert "2" in asking.reasons[0]


def test_a_project_asks_when_nobody_knows_how_old_it_is(tmp_path: Path) -> None:
    index = FakeIndex(json=False).start()
    index.add_old("lantern")
    shop = Workshop(tmp_path / "data", index.url)
    try:
        asking = shop.build("lantern")
    finally:
        shop.close()
        index.stop()
    assert isinstance(asking, Asking)
    assert asking.packages == ("lantern==1.0",)


def test_an_address_or_a_path_is_no_package(any_shop: Shop) -> None:
    for text in ("x @ http://127.0.0.1/x.whl", "./here", "-r other.txt", "git+https://example.com/x"):
        with pytest.raises(BadRequest):
            any_shop.build(text)
    with pytest.raises(BadRequest):
        any_shop.build(lock="x @ http://127.0.0.1/x.whl --hash=sha256:" + "0" * 64)


def test_an_index_that_does_not_answer_says_so(any_shop: Shop, index: FakeIndex) -> None:
    index.down = True
    with pytest.raises(Unavailable):
        any_shop.build("lantern")


def test_a_file_that_is_not_what_the_lock_says_is_not_installed(shop: Workshop, index: FakeIndex) -> None:
    index.add_old("lantern")
    lock = shop.built("lantern").lock
    other = FakeIndex().start()
    other.add_old("lantern")
    held = other.files["lantern"]["lantern-1.0-py3-none-any.whl"]
    held.lies = True
    shop2 = Workshop(shop.root.parent / "second", other.url)
    try:
        with pytest.raises(BadRequest) as refused:
            shop2.build(lock=lock)
        assert refused.value.code == "wrong_hash"
        assert list((shop2.root / "environments").iterdir()) == []
    finally:
        shop2.close()
        other.stop()


def _link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("lantern/passwd")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


ODD = {
    "a link": {"odd": [_link()]},
    "a path that leads out": {"odd": [zipfile.ZipInfo("../../escaped.py")]},
    "an absolute path": {"odd": [zipfile.ZipInfo("/escaped.py")]},
    "a file its record does not name": {"odd": [zipfile.ZipInfo("lantern_extra.py")]},
    "a record of other bytes": {
        "files": {"lantern.py": "A = 1\n"},
        "record": "lantern.py,sha256=" + "A" * 43 + ",6\nlantern-1.0.dist-info/RECORD,,\n"
        "lantern-1.0.dist-info/METADATA,,\nlantern-1.0.dist-info/WHEEL,,\n",
    },
}


@pytest.mark.parametrize("what", ODD)
def test_a_wheel_is_refused_when_it_holds(what: str, shop: Workshop, index: FakeIndex) -> None:
    index.add_wheel("lantern", "0.9")
    index.add_wheel("lantern", "1.0", **ODD[what])  # type: ignore[arg-type]
    with pytest.raises(ProjectError) as refused:
        shop.build("lantern")
    assert refused.value.code == "bad_wheel"
    assert list((shop.root / "environments").iterdir()) == []
    assert not list((shop.root / "wheels").glob("[0-9a-f]*"))


def test_what_was_not_used_for_long_goes_first_and_nothing_in_use_when_the_space_is_full(
    tmp_path: Path, index: FakeIndex
) -> None:
    clock = FakeClock(datetime.now(UTC))
    for name in ("lantern", "harbor", "meadow"):
        index.add_wheel(name, "0.9")
        index.add_wheel(name, "1.0", files={f"{name}.py": "A = 1\n", f"{name}.bin": bytes(300_000)})
    shop = Workshop(tmp_path / "data", index.url, clock=clock, cache_bytes=700_000)
    try:
        ids = []
        for name in ("lantern", "harbor"):
            ids.append(shop.built(name).environment_id)
            clock.advance(hours=3)
        shop.builder.ready(ids[0])
        ids.append(shop.built("meadow").environment_id)
        here = {path.name for path in (shop.root / "environments").iterdir()}
        assert here == {ids[0], ids[2]}, "the one in the middle was not used for longest"
        wheels = [path for path in (shop.root / "wheels").iterdir() if len(path.name) == 64]
        assert len(wheels) == 2
        assert shop.builder.ready(ids[1]).is_dir(), "and it comes back when it is needed"
    finally:
        shop.close()


def _processes() -> set[str]:
    """Command lines of all that sleep for ten minutes; nobody but the hostile build does."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "time.sleep(600)" in line and "-c" in line:
            found.add(path.parent.name)
    return found


HOSTILE = (Path(__file__).parent / "hostile_build.txt").read_text(encoding="utf-8")


def test_a_hostile_build_changes_nothing_of_another_workspace_and_is_asked_for_in_each(
    shop: Workshop, index: FakeIndex
) -> None:
    index.add_old("lantern")
    first = shop.built("lantern", workspace="ws_b")
    for version in ("0.9", "1.0"):
        index.add(
            "evil",
            f"evil-{version}.tar.gz",
            source("evil", version, HOSTILE.replace("PORT", str(index.port))),
        )
    asking = shop.build("lantern", "evil")
    assert isinstance(asking, Asking)
    assert asking.packages == ("evil==1.0",)
    assert "evil==1.0" in asking.reasons[0]
    before = {name: tree(shop.root / name) for name in ("wheels", "environments")}
    sleeping, posted = _processes(), len(index.asked)
    found = shop.built("lantern", "evil", approved=frozenset({"evil==1.0"}))
    assert found.own
    assert found.environment_id != first.environment_id
    assert _processes() == sleeping, "processes of the build were left behind"
    assert all(method in ("GET", "HEAD") for method, _path in index.asked[posted:])
    ended, printed = shop.run("import evil, json; print(json.dumps(evil.FOUND))", found.environment_id)
    assert ended.exit_code == 0, printed

    told = json.loads(printed)
    allowed = {name: what for name, what in told.items() if not what.startswith("refused")}
    assert allowed.pop("wheels", "[]") in ("[]",)
    assert all(name.startswith("plant ") for name in allowed), allowed
    owner = [path for path in (shop.root / "wheels").iterdir() if path.name == "ws_a"]
    assert owner, "its build lies in a folder of its workspace only"
    (shop.root / "wheels" / "ws_a").rename(shop.root / "aside")
    (shop.root / "environments" / found.environment_id).rename(shop.root / "aside-env")
    assert {name: tree(shop.root / name) for name in before} == before, "the other's bytes are the same"
    (shop.root / "aside").rename(shop.root / "wheels" / "ws_a")
    other = shop.build("lantern", "evil", workspace="ws_b")
    assert isinstance(other, Asking)
    assert other.packages == ("evil==1.0",)
    with pytest.raises(BadRequest):
        shop.build(lock=found.lock, workspace="ws_b", approved=frozenset({"evil==1.0"}))


def test_a_build_that_hands_in_another_package_is_refused(any_shop: Shop, index: FakeIndex) -> None:
    backend = (
        "import os\ndef build_wheel(directory, config_settings=None, metadata_directory=None):\n"
        "    open(os.path.join(directory, 'lantern-1.0-py3-none-any.whl'), 'wb').write(b'x')\n"
        "    return 'lantern-1.0-py3-none-any.whl'\n"
    )
    index.add_old("lantern")
    for version in ("0.9", "1.0"):
        index.add("evil", f"evil-{version}.tar.gz", source("evil", version, backend))
    with pytest.raises(BadRequest) as refused:
        any_shop.build("evil", approved=frozenset({"evil==1.0"}))
    assert refused.value.code == "build_failed"
    assert wheel("lantern", "1.0")[:2] == b"PK"
