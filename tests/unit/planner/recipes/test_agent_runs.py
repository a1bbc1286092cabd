"""The generated agent, run as the plain program it is, against local shops from one day to the next."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from PIL import Image

from services.executor.checker.facts import read_facts
from services.planner.recipes.engine import Ask, Look, Propose, TalkState, next_step
from services.planner.recipes.found import parse_look
from services.planner.recipes.program import look_program
from shared.agentfile.contract import evaluate
from shared.agentfile.facts import DeliveryFact
from tests.unit.planner.recipes import shops
from tests.unit.planner.recipes.shops import CUPS, KNITS, LAMPS, Site, site

ROOT = Path(__file__).parents[4]
TEXT = "매일 아침 9시에 {pages} 신제품을 확인하고 키워드를 분석해서 받은함으로 알려 줘"


class Watcher:
    """A proposed agent in a folder of its own; each `run` is one day."""

    def __init__(self, folder: Path, plan: Propose) -> None:
        self.folder = folder
        self.plan = plan

    def run(self) -> str:
        """The report that was delivered."""
        run_program(self.folder, self.folder / "code" / "main.py")
        return str(self.deliveries()[-1]["text"])

    def deliveries(self) -> list[dict[str, Any]]:
        lines = (self.folder / "outputs" / "deliveries.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / "outputs" / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def contract(self) -> tuple[bool, str]:
        """Whether every check held as the platform would measure it, and the sentences of what did not."""
        program = ROOT / "services/executor/checker/measure.py"
        run_program(self.folder, program, str(self.folder / "outputs"), str(self.folder / "checked"))
        queued = self.deliveries()[-len(self.plan.agent_file.manifest.channels) :]
        sent = [DeliveryFact(channel=entry["channel"], text=entry["text"]) for entry in queued]
        data = (self.folder / "checked" / "facts.json").read_bytes()
        facts = read_facts(data, now="2026-11-22T09:00:00+09:00", deliveries=sent)
        results = evaluate(self.plan.agent_file.contract, facts)
        return all(result.held for result in results), " ".join(
            result.sentence for result in results if not result.held
        )

    def memory(self) -> dict[str, object]:
        state = json.loads((self.folder / "state" / "state.json").read_text(encoding="utf-8"))
        return dict(state["sources"])


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def run_program(folder: Path, program: Path, *arguments: str, agent_input: object = None) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "sdk"),
        "PYTHONIOENCODING": "utf-8",
        "NO_PROXY": "127.0.0.1",
        "TZ": "Asia/Seoul",
        "AGENT_INPUT": json.dumps(agent_input),
    }
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def street() -> Iterator[tuple[Site, Site, Site]]:
    with site() as first, site() as second, site() as third:
        yield first, second, third


def open_shops(
    street: tuple[Site, Site, Site], knits: shops.Goods, cups: shops.Goods, lamps: shops.Goods
) -> None:
    first, second, third = street
    first.put("/new", shops.json_ld_page(knits))
    second.put("/cups", shops.page_with_feed(cups))
    second.put("/cups/rss.xml", shops.feed(cups), kind="application/rss+xml")
    third.put("/shop/list", shops.layout_table_page(lamps), charset="euc-kr")


@pytest.fixture
def watcher(first_day: Watcher, street: tuple[Site, Site, Site], tmp_path: Path) -> Watcher:
    """The agent after its first day, with the shops as they were then."""
    open_shops(street, KNITS, CUPS, LAMPS)
    shutil.copytree(first_day.folder, tmp_path, dirs_exist_ok=True)
    return Watcher(tmp_path, first_day.plan)


@pytest.fixture(scope="module")
def first_day(street: tuple[Site, Site, Site], tmp_path_factory: pytest.TempPathFactory) -> Watcher:
    """Talked into being as a person would: said, looked, proposed; then run once."""
    folder = tmp_path_factory.mktemp("agent")
    open_shops(street, KNITS, CUPS, LAMPS)
    first, second, third = street
    pages = f"{first.address}/new, {second.address}/cups와 {third.address}/shop/list의"
    state = TalkState(messages=(TEXT.format(pages=pages),))
    asked = next_step(state)
    assert isinstance(asked, Look)

    write_files(folder / "look", look_program())
    run_program(folder / "look", folder / "look" / "main.py", agent_input={"addresses": asked.addresses})
    looks = parse_look((folder / "look" / "outputs" / "look.json").read_bytes())
    plan = next_step(TalkState(messages=state.messages, looks=looks))
    assert isinstance(plan, Propose)

    made = Watcher(folder, plan)
    write_files(folder / "code", plan.files)
    settings = {**json.loads(plan.files["settings.json"]), "pace_s": 0}
    (folder / "code" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    made.run()
    return made


def statuses(watcher: Watcher) -> list[str]:
    return [row["status"] for row in watcher.table("sources.csv")]


def test_first_day_saves_everything_as_the_baseline(watcher: Watcher) -> None:
    report = watcher.deliveries()[0]["text"]
    sources = watcher.table("sources.csv")

    assert "처음이라 모두 기준으로 저장했어요. 상품 12개" in report
    assert [(row["status"], row["items"], row["new"], row["result"]) for row in sources] == [
        ("ok", "4", "0", "ok")
    ] * 3
    assert [row["found_as"] for row in sources] == ["json-ld", "feed", "blocks"]
    assert {row["change"] for row in watcher.table("items.csv")} == {"first"}
    assert "머그컵 세트" in report
    assert watcher.deliveries()[0]["files"] == ["report.xlsx", "keywords.png"]


def test_first_day_leaves_a_workbook_and_a_chart(watcher: Watcher) -> None:
    book = load_workbook(watcher.folder / "outputs" / "report.xlsx")

    assert book.sheetnames == ["목록", "읽은 곳", "키워드"]
    assert book["목록"].max_row == 13
    with Image.open(watcher.folder / "outputs" / "keywords.png") as chart:
        assert chart.size[0] == 900
        assert len(chart.convert("RGB").getcolors(1 << 20) or []) > 5


def test_next_day_reports_only_what_differs(watcher: Watcher, street: tuple[Site, Site, Site]) -> None:
    cheaper = [(title, 35000 if title == "울 니트 가디건" else price) for title, price in KNITS]
    open_shops(street, [*cheaper, ("알파카 장갑", 21000)], CUPS[:-1], LAMPS)

    report = watcher.run()

    assert "새 상품 1개 · 바뀐 것 1개 · 사라진 것 1개" in report
    assert "알파카 장갑" in report
    assert "39,000원 → 35,000원" in report
    assert "나무 쟁반" in report
    assert "머그컵 세트" not in report
    assert [row["new"] for row in watcher.table("sources.csv")] == ["1", "0", "0"]


def test_day_without_news_says_so_and_still_has_rows(watcher: Watcher) -> None:
    report = watcher.run()

    assert "새 상품이 없어요. 12개를 확인했고 지난번과 같아요." in report
    assert [(row["items"], row["new"]) for row in watcher.table("sources.csv")] == [("4", "0")] * 3
    assert {row["change"] for row in watcher.table("items.csv")} == {"same"}
    assert watcher.contract() == (True, "")


def test_one_shop_at_500_is_named_and_keeps_its_memory(
    watcher: Watcher, street: tuple[Site, Site, Site]
) -> None:
    before = watcher.memory()
    street[0].fail("/new", 500)

    report = watcher.run()

    assert statuses(watcher) == ["http_500", "ok", "ok"]
    assert "3곳 가운데 1곳을 읽지 못했어요" in report
    assert "서버가 오류(500)로 답했어요" in report
    held, why = watcher.contract()
    assert not held
    assert "127.0.0.1" in why
    assert "서버가 오류(500)로 답했어요." in why
    assert watcher.memory() == before


@pytest.mark.parametrize(
    ("page", "status"),
    [
        (shops.rebuilt_page(), "needs_browser"),
        ("<html><body><h1>새 상품이 없습니다</h1></body></html>", "no_items"),
        (shops.blocks_page([("봄 원피스", 70000), ("여름 셔츠", 50000), ("가을 재킷", 90000)]), "changed"),
    ],
)
def test_changed_or_empty_page_is_no_news_and_the_next_good_day_recovers(
    watcher: Watcher, street: tuple[Site, Site, Site], page: str, status: str
) -> None:
    before = watcher.memory()
    street[0].put("/new", page)
    report = watcher.run()

    assert statuses(watcher)[0] == status
    assert not watcher.contract()[0]
    assert "지난번 기록은 그대로 두었어요" in report
    assert watcher.memory() == before

    open_shops(street, [*KNITS, ("알파카 장갑", 21000)], CUPS, LAMPS)
    assert "새 상품 1개 · 바뀐 것 0개 · 사라진 것 0개" in watcher.run()


def test_all_shops_down_is_said_plainly(watcher: Watcher, street: tuple[Site, Site, Site]) -> None:
    for shop, path in zip(street, ("/new", "/cups", "/shop/list"), strict=True):
        shop.fail(path, 503)

    assert "읽은 곳이 없어서" in watcher.run()
    assert not watcher.contract()[0]


def test_only_allowed_paths_are_asked_for(watcher: Watcher, street: tuple[Site, Site, Site]) -> None:
    """Also when a page links to a feed that was not there when the agent was allowed."""
    linked = shops.layout_table_page(LAMPS).replace(
        "</head>", '<link rel="alternate" type="application/rss+xml" href="/later.xml"></head>'
    )
    street[2].put("/shop/list", linked, charset="euc-kr")
    for shop in street:
        shop.asked.clear()
    watcher.run()

    allowed = {
        (f"http://{rule.host}:{rule.port}", rule.path) for rule in watcher.plan.agent_file.manifest.hosts
    }
    assert {(shop.address, path) for shop in street for path in shop.asked} <= allowed


def test_look_names_what_cannot_be_read(tmp_path: Path) -> None:
    with site() as shop:
        shop.put("/robots.txt", "User-agent: *\nDisallow: /closed", kind="text/plain")
        shop.put("/app", shops.rebuilt_page())
        shop.put("/list", shops.table_page(CUPS))
        shop.redirect("/moved", "http://elsewhere.example/list")
        pages = [f"{shop.address}{path}" for path in ("/closed", "/app", "/list", "/moved", "/gone")]
        write_files(tmp_path, look_program())
        run_program(tmp_path, tmp_path / "main.py", agent_input={"addresses": pages})

        looks = parse_look((tmp_path / "outputs" / "look.json").read_bytes())
        step = next_step(TalkState(messages=(TEXT.format(pages=" ".join(pages)),), looks=looks))

    assert [looks[page].problem for page in pages] == ["robots", "needs_browser", "", "moved", "http_404"]
    assert looks[pages[2]].count == 4
    assert looks[pages[3]].final_address == "http://elsewhere.example/list"
    assert isinstance(step, Ask)
    assert "robots.txt" in step.note
