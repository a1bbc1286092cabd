"""agent.toml as text and as values: the round trip, and what is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agentfile.canonical import canonical_json, manifest_hash
from shared.agentfile.model import (
    AgentFile,
    AgentMeta,
    Channel,
    Check,
    HostRule,
    Manifest,
    Schedule,
    SecretUse,
)
from shared.agentfile.toml import dump, parse
from shared.errors import BadRequest

EXAMPLE = """
[agent]
name = "경쟁사 신제품 봇"
packages = ["requests", "beautifulsoup4>=4.12"]

[schedule]
cron = "0 9 * * *"
timezone = "Asia/Seoul"
holidays = "KR"

[manifest]
hosts = [{ host = "shop.example.com", path = "/new", effect = "read", why = "신제품 페이지를 읽습니다" }]
secrets = [{ name = "NAVER_CLIENT_ID", host = "naverapihub.apigw.ntruss.com", why = "검색량 조회" }]
channels = [{ kind = "inbox" }, { kind = "slack", secret = "SLACK_WEBHOOK_URL", why = "보고" }]
state = true

[[contract]]
check = "rows"
path = "outputs/items.csv"
min = 1
says = "새 상품이 하나 이상"
"""

TEXT = st.text(max_size=40).map(str.strip)
HOSTS = st.builds(
    HostRule,
    host=st.sampled_from(["shop.example.com", "a-b.kr", "127.0.0.1", "xn--o39an51b2re.kr"]),
    port=st.integers(1, 65535),
    path=st.sampled_from(["", "/", "/new", "/a/b"]),
    methods=st.sampled_from([(), ("GET",), ("GET", "HEAD")]),
    effect=st.sampled_from(["read", "write"]),
    why=TEXT,
)
CHECKS = st.builds(
    Check,
    check=st.just("rows"),
    says=TEXT.filter(bool),
    path=st.just("outputs/a.csv"),
    min=st.none() | st.floats(0, 100, allow_nan=False),
) | st.builds(
    Check,
    check=st.just("text"),
    says=TEXT.filter(bool),
    contains=st.lists(TEXT.filter(bool), min_size=1, max_size=3).map(tuple),
    language=st.sampled_from([None, "ko", "en"]),
)
CHECKS |= st.builds(
    Check,
    check=st.just("fields"),
    says=TEXT.filter(bool),
    path=st.just("outputs/a.csv"),
    fields=st.just(("url",)),
    unique=st.booleans(),
    format=st.sampled_from([None, "text", "number", "date", "url"]),
    language=st.sampled_from([None, "ko", "en"]),
) | st.builds(
    Check,
    check=st.just("file"),
    says=TEXT.filter(bool),
    path=st.just("outputs/a.png"),
    min_width=st.none() | st.integers(1, 5000),
    min_height=st.none() | st.integers(1, 5000),
)
FILES = st.builds(
    AgentFile,
    agent=st.builds(
        AgentMeta,
        name=TEXT.filter(bool),
        summary=TEXT,
        language=st.sampled_from(["ko", "en"]),
        packages=st.sampled_from([(), ("requests",), ("requests>=2", "lxml")]),
    ),
    schedule=st.none()
    | st.builds(
        Schedule,
        cron=st.sampled_from(["0 9 * * *", "*/5 * * * 1-5"]),
        timezone=st.sampled_from(["UTC", "Asia/Seoul"]),
        missed=st.sampled_from(["skip", "once", "all"]),
        until=st.none() | st.dates().map(str),
    ),
    manifest=st.builds(
        Manifest,
        hosts=st.lists(HOSTS, max_size=3).map(tuple),
        secrets=st.lists(
            st.builds(SecretUse, name=st.just("A_KEY"), host=st.just("a.kr"), why=TEXT), max_size=1
        ).map(tuple),
        channels=st.sampled_from(
            [(), (Channel(kind="inbox"),), (Channel(kind="email", to="me@example.com"),)]
        ),
        state=st.booleans(),
    ),
    contract=st.lists(CHECKS, max_size=3).map(tuple),
)


@given(FILES)
@settings(max_examples=60)
def test_a_file_comes_back_the_same_when_it_is_written_and_read(agent_file: AgentFile) -> None:
    text = dump(agent_file)
    assert parse(text) == agent_file
    assert dump(parse(text)) == text


@given(FILES, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_hash_stays_when_only_order_name_or_summary_change(agent_file: AgentFile, random: object) -> None:
    manifest = agent_file.manifest.model_copy(update={"hosts": tuple(reversed(agent_file.manifest.hosts))})
    renamed = agent_file.agent.model_copy(update={"name": "다른 이름", "summary": "x", "language": "en"})
    other = AgentFile(
        agent=renamed,
        schedule=agent_file.schedule,
        manifest=manifest,
        contract=tuple(reversed(agent_file.contract)),
    )
    assert manifest_hash(other) == manifest_hash(agent_file)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/new", "/old"),
        ("shop.example.com", "shop2.example.com"),
        ("0 9 * * *", "0 10 * * *"),
        ("min = 1", "min = 2"),
        ("requests", "httpx"),
        ("state = true", "state = false"),
        ('path = "/new"', 'path = "/new", port = 8443'),
        ("신제품 페이지를 읽습니다", "다른 까닭"),
    ],
)
def test_the_hash_changes_when_anything_on_the_sheet_changes(old: str, new: str) -> None:
    assert manifest_hash(parse(EXAMPLE)) != manifest_hash(parse(EXAMPLE.replace(old, new)))


@pytest.mark.parametrize(
    "more", [{"unique": True}, {"format": "url"}, {"language": "en"}, {"min_width": 9}, {"min_height": 9}]
)
def test_the_hash_knows_what_checks_could_not_say_before(more: dict[str, object]) -> None:
    """Said, it counts; unsaid, it is not there, and what was approved before keeps its hash."""
    plain = parse(EXAMPLE)
    check = plain.contract[0]
    assert set(more).isdisjoint(check.model_dump())
    said = plain.model_copy(update={"contract": (check.model_copy(update=more),)})
    assert manifest_hash(said) != manifest_hash(plain)


def test_the_hash_is_this_one_when_the_example_is_read() -> None:
    # Frozen: grants store it, so a change of this value invalidates every approval there is.
    assert manifest_hash(parse(EXAMPLE)) == "90d4965beeb31d7d8ff3a3ad14e36f02c5c7a0a3f748365437882a0104d06c0a"


def test_canonical_json_is_one_text_when_keys_come_in_any_order() -> None:
    assert (
        canonical_json({"b": 1.0, "a": ("가", None)})
        == canonical_json({"a": ["가", None], "b": 1})
        == '{"a":["가",null],"b":1}'
    )


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("state = true", "stat = true", "manifest.stat"),
        ("state = true", 'state = "yes"', "manifest.state"),
        ('path = "/new"', 'path = "/new", prot = 1', "manifest.hosts[0].prot"),
        ('path = "/new"', 'path = "new"', "manifest.hosts[0].path"),
        ('path = "/new"', 'path = "/a/../b"', "manifest.hosts[0].path"),
        ('path = "/new"', 'port = "443"', "manifest.hosts[0].port"),
        ('path = "/new"', "port = 70000", "manifest.hosts[0].port"),
        ("shop.example.com", "*.example.com", "manifest.hosts[0].host"),
        ("shop.example.com", "https://example.com", "manifest.hosts[0].host"),
        ('effect = "read"', 'effect = "read", methods = ["DELETE"]', "manifest.hosts[0].effect"),
        ('effect = "read"', 'effect = "read", methods = ["get"]', "manifest.hosts[0].methods"),
        (', secret = "SLACK_WEBHOOK_URL"', "", "manifest.channels[1].secret"),
        ('kind = "inbox"', 'kind = "email", to = "nobody"', "manifest.channels[0].to"),
        ("NAVER_CLIENT_ID", "naver", "manifest.secrets[0].name"),
        ("0 9 * * *", "0 0 30 2 *", "schedule.cron"),
        ("0 9 * * *", "61 * * * *", "schedule.cron"),
        ("0 9 * * *", "* * * * * *", "schedule.cron"),
        ("Asia/Seoul", "Asia/Soul", "schedule.timezone"),
        ('holidays = "KR"', 'holidays = "XX"', "schedule.holidays"),
        ('holidays = "KR"', 'until = "tomorrow"', "schedule.until"),
        ('"requests"', '"requests @ https://evil.example/x.whl"', "agent.packages[0]"),
        ('"requests"', '"./local"', "agent.packages[0]"),
        ('"requests"', '"git+https://evil.example/x"', "agent.packages[0]"),
        ('"requests"', '"--index-url=x"', "agent.packages[0]"),
        ('"requests"', "\"requests; sys_platform == 'linux'\"", "agent.packages[0]"),
        ('"requests"', '"Beautifulsoup4"', "agent.packages[1]"),
        ("outputs/items.csv", "/etc/passwd", "contract[0].path"),
        ("outputs/items.csv", "outputs/../x", "contract[0].path"),
        ('path = "outputs/items.csv"', "", "contract[0].path"),
        ("min = 1", "min = inf", "contract[0].min"),
        ("min = 1", "min = 3\nmax = 1", "contract[0].min"),
        ("min = 1", 'expr = "1 > 0"', "contract[0].expr"),
        ('check = "rows"', 'check = "row"', "contract[0].check"),
        ('name = "경쟁사 신제품 봇"', "", "agent.name"),
    ],
)
def test_the_key_is_named_when_something_is_wrong_there(old: str, new: str, key: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(BadRequest) as caught:
        parse(EXAMPLE.replace(old, new, 1))
    assert key in caught.value.fields
    assert caught.value.fields[key]


def test_the_right_key_is_offered_when_one_is_misspelled() -> None:
    with pytest.raises(BadRequest) as caught:
        parse(EXAMPLE.replace("timezone", "timezon"), "en")
    assert caught.value.fields["schedule.timezon"] == "Unknown key. Remove it or use: timezone"


@pytest.mark.parametrize("text", ["", "[agent", "a = " + "[" * 5000, "x" * 300_000, "\x00"])
def test_a_sentence_refuses_when_the_text_is_no_agent_file(text: str) -> None:
    with pytest.raises(BadRequest):
        parse(text)


def test_a_file_from_before_recordings_could_be_chosen_is_read_and_hashed_as_then() -> None:
    stored = parse(EXAMPLE).model_dump(mode="json")
    del stored["manifest"]["tape"]

    old = AgentFile.model_validate(stored)

    assert old.manifest.tape == "full"
    assert manifest_hash(old) == manifest_hash(parse(EXAMPLE))
    assert "tape" not in dump(old)


@pytest.mark.parametrize("setting", ["headers", "off"])
def test_recording_less_is_said_in_the_file_and_asked_about(setting: str) -> None:
    less = parse(EXAMPLE.replace("[manifest]\n", f'[manifest]\ntape = "{setting}"\n'))

    assert less.manifest.tape == setting
    assert parse(dump(less)) == less
    assert manifest_hash(less) != manifest_hash(parse(EXAMPLE))
    with pytest.raises(BadRequest):
        parse(EXAMPLE.replace("[manifest]\n", '[manifest]\ntape = "some"\n'))
