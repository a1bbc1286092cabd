"""The checker's program run as in its sandbox over honest and hostile files, and its answer read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.executor.checker.columns import MAX_NUMBERS, Column, Distinct
from services.executor.checker.facts import read_facts
from shared.agentfile.facts import FileFact
from shared.errors import DecodeError

PROGRAM = Path(__file__).parents[3] / "services/executor/checker/measure.py"
NOW = "2026-11-22T00:00:00+00:00"
PNG = b"\x89PNG\r\n\x1a\n"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def measured(folder: Path) -> dict[str, FileFact]:
    """Every file below `folder`, through the program and the trusted reader."""
    out = folder.parent / f"{folder.name}-facts"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _RUN, str(PROGRAM.parent), str(folder), str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return dict(read_facts((out / "facts.json").read_bytes(), now=NOW).files)


# As the sandbox starts it: the program's folder first on the path, nothing of the environment.
_RUN = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'x'; "
    "runpy.run_module('measure', run_name='__main__')"
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileFact]:
    folder = tmp_path_factory.mktemp("honest")
    (folder / "items.csv").write_text(
        'name,price,at\n가,"1,200",2026-11-20\n나,900,\n\n', encoding="utf-8-sig"
    )
    (folder / "korean.csv").write_text("이름;값\n가격;3\n", encoding="cp949")
    (folder / "t.tsv").write_text("a\tb\n1\t2\n")
    (folder / "header.csv").write_text("a,b\n")
    (folder / "list.json").write_text('[{"a": 1, "b": null}, {"a": 2.5, "c": [1]}]')
    (folder / "nested.json").write_text('{"generated": "x", "items": [{"a": 1}]}')
    (folder / "lines.jsonl").write_text('{"a": 1}\n\n{"a": "x"}\n')
    (folder / "report.md").write_text("# 새 상품 2개\n")
    wide, high = (640).to_bytes(4, "big"), (480).to_bytes(4, "big")
    (folder / "chart.png").write_bytes(PNG + b"\0\0\0\rIHDR" + wide + high + b"\x08\x02\0\0\0")
    size = (90).to_bytes(2, "big") + (120).to_bytes(2, "big")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xc0\0\x0b\x08" + size + b"\0" * 8)
    workbook(
        folder / "book.xlsx",
        f'<worksheet xmlns="{SHEET}"><sheetData><row r="1">'
        '<c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>값</t></is></c></row>'
        '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="C2"><v>12.5</v></c></row></sheetData></worksheet>',
        f'<sst xmlns="{SHEET}"><si><t>이름</t></si><si><r><t>가</t></r><r><t>나</t></r></si></sst>',
    )
    (folder / "sub").mkdir()
    (folder / "sub" / "x.txt").write_text("x")
    return measured(folder)


def workbook(path: Path, sheet: str, strings: str = "") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        if strings:
            archive.writestr("xl/sharedStrings.xml", strings)


def test_rows_and_columns_are_counted_when_a_csv_is_honest(honest: dict[str, FileFact]) -> None:
    file = honest["outputs/items.csv"]
    price, at = file.column("price"), file.column("at")
    assert (file.rows, file.kind, file.unreadable) == (2, "csv", None)
    assert price is not None
    assert at is not None
    assert (price.numbers, price.low, price.high, price.empty) == (2, 900, 1200, 0)
    assert (at.newest, at.empty) == ("2026-11-20", 1)
    assert file.sample[0] == ("가", "1,200", "2026-11-20")


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("korean.csv", 1, ["이름", "값"]),
        ("t.tsv", 1, ["a", "b"]),
        ("header.csv", 0, ["a", "b"]),
        ("list.json", 2, ["a", "b", "c"]),
        ("nested.json", 1, ["a"]),
        ("lines.jsonl", 2, ["a"]),
        ("book.xlsx", 1, ["이름", "값"]),
        ("report.md", None, []),
    ],
)
def test_each_kind_of_table_is_read_when_it_is_honest(
    honest: dict[str, FileFact], name: str, rows: int | None, columns: list[str]
) -> None:
    file = honest[f"outputs/{name}"]
    assert (file.rows, [column.name for column in file.columns], file.unreadable) == (rows, columns, None)


def test_text_and_pictures_are_described_when_they_are_honest(honest: dict[str, FileFact]) -> None:
    assert honest["outputs/report.md"].text == "# 새 상품 2개"
    assert honest["outputs/report.md"].text_length == 10
    assert (honest["outputs/chart.png"].width, honest["outputs/chart.png"].height) == (640, 480)
    assert (honest["outputs/photo.jpg"].width, honest["outputs/photo.jpg"].height) == (120, 90)
    assert honest["outputs/sub/x.txt"].size == 1


def test_a_hostile_file_is_unreadable_when_it_attacks_the_parser(tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "deep.json").write_text("[" * 200_000)
    (folder / "deeper.json").write_text('{"a":' * 100_000)
    (folder / "digits.json").write_text("9" * 100_000)
    (folder / "broken.csv").write_bytes(b"\xff\xfe\x80" * 50)
    (folder / "nul.csv").write_bytes(b"a,b\n" + b"1,2\n" * 2000 + b"\0,1\n")
    (folder / "field.csv").write_bytes(b"a\n" + b"x" * (3 << 20))
    (folder / "fake.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    workbook(folder / "laughs.xlsx", f'<!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]><x>&a8;</x>')
    workbook(folder / "utf16.xlsx", "<x/>".encode("utf-16").decode("latin-1"))
    workbook(folder / "bomb.xlsx", "<x>" + "0" * (40 << 20) + "</x>")
    files = measured(folder)
    assert len(files) == 10
    assert {name for name, file in files.items() if file.unreadable is None} == set()
    assert all(file.rows is None for file in files.values())
    # Refused before the parser saw them, not by its mercy.
    assert files["outputs/laughs.xlsx"].unreadable == files["outputs/utf16.xlsx"].unreadable == "xml"
    assert files["outputs/bomb.xlsx"].unreadable == "too large"


def test_odd_files_are_capped_or_passed_over_when_they_are_not_what_they_seem(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "half.json").write_text('[{"a": "\\ud800", "\\udfff": 1}]')
    (folder / "wide.csv").write_text(",".join(f"c{n}" for n in range(5000)) + "\n" + "1," * 5000)
    (folder / "many.csv").write_text("a\n" + "\n".join(str(n) for n in range(300_000)))
    (folder / "infinite.json").write_text('[{"a": NaN, "b": Infinity, "c": 1e400}]')
    for number in range(60):
        (folder / f"long{number}.txt").write_text("가" * 70_000)
    (folder / "link.txt").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (folder / "bad\nname").write_text("x")
    files = measured(folder)
    assert not {"outputs/link.txt", "outputs/pipe", "outputs/bad\nname"} & set(files)
    assert not any(name.startswith("outputs/loop/") for name in files)
    assert files["outputs/half.json"].rows == 1
    assert len(files["outputs/wide.csv"].columns) == 64
    assert (files["outputs/many.csv"].rows, files["outputs/many.csv"].more_rows) == (200_000, True)
    column = files["outputs/many.csv"].columns[0]
    assert (len(column.values), column.more_values, column.high) == (50, True, 199_999)
    assert [column.numbers for column in files["outputs/infinite.json"].columns] == [0, 0, 0]
    assert len(files["outputs/long0.txt"].text) == 65_536
    assert files["outputs/long9.txt"].text == ""


PAGE = '<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE html><html><body>Access denied</body></html>'
SUBTITLES = """WEBVTT

intro
00:01.500 --> 00:04.000 align:start
첫 줄
둘째 줄

2
01:00:00,000 --> 01:00:02,250
끝
"""


def test_a_web_page_is_one_under_any_name_and_no_table(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("items.csv", "items.json", "report.md", "book.xlsx", "chart.png"):
        (folder / name).write_text(PAGE)
    (folder / "honest.csv").write_text("name,html\na,<html>\n")
    files = measured(folder)
    assert {name for name, file in files.items() if file.kind != "html"} == {"outputs/honest.csv"}
    assert all(file.rows is None for name, file in files.items() if file.kind == "html")
    assert files["outputs/honest.csv"].rows == 1


def test_columns_tell_what_is_in_them_when_they_are_of_many_kinds(tmp_path: Path) -> None:
    folder = tmp_path / "kinds"
    folder.mkdir()
    rows = [
        "2026-11-20,https://a.kr/1,가,3",
        "2026-11-21,/rel,나,1",
        "어제,http://a.kr/2?q=가,가,-4",
        ",x,가,100",
    ]
    (folder / "k.csv").write_text("at,url,name,n\n" + "\n".join(rows) + "\n")
    at, url, name, n = measured(folder)["outputs/k.csv"].columns
    assert (at.dates, at.texts, at.empty, at.distinct, at.repeats) == (2, 1, 1, 3, 0)
    assert (url.links, url.texts) == (2, 2)
    assert (name.texts, name.distinct, name.repeats) == (4, 2, 2)
    assert (n.numbers, n.median) == (4, 2)


def test_too_many_values_to_tell_apart_are_said_to_be_that() -> None:
    budget = Distinct()
    budget.left = 7
    few, many, later = (Column(name, budget) for name in "abc")
    for number in range(6):
        few.add(str(number % 2))
        many.add(str(number))
    for number in range(6):
        later.add(str(number // 2))
    assert [(one.facts(6)["distinct"], one.facts(6)["repeats"]) for one in (few, many, later)] == [
        (2, 4),
        (None, None),
        (3, 3),
    ]


@given(st.lists(st.integers(-999, 999), min_size=1, max_size=60), st.integers(1, 400))
def test_the_middle_of_many_numbers_is_near_the_middle_of_all(numbers: list[int], times: int) -> None:
    """Exact as long as all are kept; afterwards every second, fourth … is."""
    column = Column("n", Distinct())
    for number in sorted(numbers * times):
        column.add(str(number))
    count = len(numbers) * times
    ordered = sorted(numbers * times)
    middle = column.facts(count)["median"]
    slack = 0 if count <= MAX_NUMBERS else count // 1000
    assert ordered[max(0, (count - 1) // 2 - slack)] <= middle <= ordered[min(count - 1, count // 2 + slack)]


def test_subtitles_are_a_table_of_cues(tmp_path: Path) -> None:
    folder = tmp_path / "cues"
    folder.mkdir()
    (folder / "a.vtt").write_text(SUBTITLES)
    (folder / "b.srt").write_text("이것은 자막이 아니라 글이에요.\n")
    files = measured(folder)
    text, end = files["outputs/a.vtt"].column("text"), files["outputs/a.vtt"].column("end")
    assert text is not None
    assert end is not None
    assert (files["outputs/a.vtt"].rows, text.values, end.high) == (2, ("첫 줄 둘째 줄", "끝"), 3602.25)
    assert files["outputs/b.srt"].rows == 0


def test_a_file_without_its_end_is_told_from_a_whole_one(tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    whole = {
        "a.png": PNG
        + b"\0\0\0\rIHDR"
        + b"\0\0\0\x09" * 2
        + b"\x08\x02\0\0\0"
        + b"\0" * 40
        + b"IEND\xaeB`\x82",
        "b.jpg": b"\xff\xd8\xff\xe0" + b"\0" * 5000 + b"\xff\xd9",
        "c.gif": b"GIF89a" + b"\x09\0" * 2 + b"\0" * 40 + b";",
        "d.pdf": b"%PDF-1.7\n" + b"x" * 3000 + b"\n%%EOF\n",
    }
    workbook(folder / "e.zip", "<x/>" * 50)
    whole["e.zip"] = (folder / "e.zip").read_bytes()
    whole["f.docx"] = whole["e.zip"]
    for name, data in whole.items():
        (folder / name).write_bytes(data)
        (folder / f"cut-{name}").write_bytes(data[: len(data) - 30])
    files = measured(folder)
    assert {name for name in whole if files[f"outputs/{name}"].unreadable} == set()
    assert {name for name in whole if files[f"outputs/cut-{name}"].unreadable == "cut"} == set(whole)
    assert files["outputs/cut-a.png"].width == 9


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"orders": []}', 0),
        ('{"orders": [], "tags": []}', None),
        ('{"tags": ["a"]}', None),
        ('{"tags": ["a"], "orders": [{"id": 1}]}', 1),
        ("[]", 0),
        ('{"error": "x"}', None),
    ],
)
def test_json_without_records_is_a_table_without_rows_only_where_it_is_a_list(
    tmp_path: Path, text: str, rows: int | None
) -> None:
    folder = tmp_path / "json"
    folder.mkdir()
    (folder / "a.json").write_text(text)
    assert measured(folder)["outputs/a.json"].rows == rows


FILE = {"size": 3, "kind": "csv", "rows": 1, "columns": [{"name": "a"}]}
GOOD = {"version": 1, "files": {"outputs/a.csv": FILE}, "skipped": 0}


def test_the_answer_is_read_when_it_is_as_the_program_writes_it() -> None:
    assert read_facts(json.dumps(GOOD).encode(), now=NOW).files["outputs/a.csv"].rows == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 1', '"version": 2'),
        ('"size": 3', '"size": -3'),
        ('"size": 3', '"size": 1e300'),
        ('"size": 3', '"size": "3"'),
        ('"size": 3', '"size": 3, "extra": 1'),
        ('"rows": 1', '"rows": true'),
        ('"rows": 1', '"rows": -1'),
        ('"name": "a"', '"name": "a", "numbers": 9'),
        ('"name": "a"', '"name": "a", "low": NaN'),
        ('"name": "a"', '"name": "a", "median": Infinity'),
        ('"name": "a"', '"name": "a", "repeats": 2'),
        ('"name": "a"', '"name": "a", "distinct": -1'),
        ('"name": "a"', '"name": "a", "links": 2'),
        ('"name": "a"', '"name": "' + "a" * 200 + '"'),
        ("outputs/a.csv", "../a.csv"),
        ("outputs/a.csv", "/etc/passwd"),
        ('"kind": "csv"', '"kind": "' + "c" * 99 + '"'),
        ('"kind": "csv"', '"text": "' + "c" * 70_000 + '"'),
        ("{", "[" * 5000),
        ('"skipped": 0', '"skipped": 0' + " " * (8 << 20)),
    ],
)
def test_the_answer_is_refused_when_the_program_would_never_write_it(old: str, new: str) -> None:
    text = json.dumps(GOOD)
    assert old in text
    with pytest.raises(DecodeError):
        read_facts(text.replace(old, new, 1).encode(), now=NOW)


@given(st.binary(max_size=300))
def test_only_a_refusal_comes_out_when_the_answer_is_noise(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_facts(data, now=NOW)


@given(st.lists(st.binary(max_size=300), min_size=12, max_size=12))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_file_has_facts_when_all_of_them_are_noise(tmp_path: Path, contents: list[bytes]) -> None:
    folder = tmp_path / "noise"
    folder.mkdir(exist_ok=True)
    kinds = ["csv", "tsv", "json", "jsonl", "xlsx", "png", "jpg", "gif", "md", "html", "bin", "txt"]
    magics = [b"", b"", b"[", b"{", b"PK\x03\x04", PNG, b"\xff\xd8\xff", b"GIF89a", b"", b"", b"\0", b""]
    for kind, magic, content in zip(kinds, magics, contents, strict=True):
        (folder / f"f.{kind}").write_bytes(magic + content)
    assert len(measured(folder)) == len(kinds)
