"""What counts as a secret in a sentence, and what does not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.redaction import find_secrets, own_host, replaced

# Assembled here so that no scanner takes this file's examples for real keys.
SLACK = "https://hooks.slack.com/" + "services/T0AAAAAAA/B0BBBBBBB/" + "x" * 24
XOXB = "xoxb" + "-123456789012-abcdefghijkl"
GHP = "ghp" + "_" + "a1B2" * 9
AKIA = "AKIA" + "IOSFODNN7EXAMPLE"
SK = "sk" + "-proj-" + "aB3d" * 8


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"결과를 {SLACK}로 보내줘", ["SLACK_WEBHOOK_URL"]),
        ("웹훅 http://127.0.0.1:9/services/T000/B000/XXXX 로", ["SLACK_WEBHOOK_URL"]),
        ("send to http://localhost:81/services/T000/B000/XXXX please", ["SLACK_WEBHOOK_URL"]),
        ("http://hooks.local/hook/8f3a9c2d77aa 로 보고", ["SLACK_WEBHOOK_URL"]),
        ("슬랙(http://127.0.0.1:9/hook)으로 보고", ["SLACK_WEBHOOK_URL"]),
        ("웹훅 주소는 https://chat.example.com/a/b 입니다", ["SLACK_WEBHOOK_URL"]),
        ("post it to my webhook: https://chat.example.com/a/b.", ["SLACK_WEBHOOK_URL"]),
        ("https://chat.example.com/a/b (웹훅)", ["SLACK_WEBHOOK_URL"]),
        ("https://discord.com/api/webhooks/123456/abcDEF-ghi", ["DISCORD_WEBHOOK_URL"]),
        (f"키: {SK}", ["OPENAI_API_KEY"]),
        (f"{XOXB} 그리고 {GHP}", ["SLACK_TOKEN", "GITHUB_TOKEN"]),
        (f"aws {AKIA}", ["AWS_ACCESS_KEY_ID"]),
        ("api 키는 0123456789abcdef0123456789abcdef 이야", ["API_KEY"]),
        ("token=QmFzZTY0IHRva2VuIDEyMzQ1Njc4OTA", ["API_KEY"]),
        ("비밀번호는 p@ss1234 예요", ["PASSWORD"]),
        ("password: correcthorse", ["PASSWORD"]),
        ("pw hunter2!!", ["PASSWORD"]),
        ("https://me:pass@shop.example.com/", ["ADDRESS_WITH_PASSWORD"]),
        ("https://api.example.com/v1?key=abcdef123456", ["ADDRESS_WITH_KEY"]),
    ],
)
def test_a_secret_is_found(text: str, names: list[str]) -> None:
    found = find_secrets(text)

    assert [item.name for item in found] == names
    left = replaced(text, found, names, "ko")
    for item in found:
        assert item.value not in left


@pytest.mark.parametrize(
    "text",
    [
        "매일 아침 9시에 https://shop.example.com/new 에서 신제품을 모아 슬랙으로 보고해 줘",
        "http://127.0.0.1:8001/shop 과 http://127.0.0.1:8002/list?page=2 를 봐 줘",
        "웹훅이 무엇인지 설명하는 글 말고, 그냥 키워드 분석을 해 줘",
        "암호화폐 시세 BTC 12345678 을 알려 줘",
        "Watch the password reset page at https://example.com/password/reset every Monday",
        "the password is required on that page",
        "keyword: accessibility-testing",
        "token economy articles, key performance indicators",
        "https://blog.example.com/webhooks-explained",
        "전화번호 010-1234-5678, 주문번호 20261122000123",
    ],
)
def test_ordinary_sentences_stay_as_they_are(text: str) -> None:
    assert find_secrets(text) == []


def test_only_the_address_that_is_called_a_webhook_is_taken() -> None:
    shop, hook = "http://127.0.0.1:8001/shop", "http://127.0.0.1:8002/in"

    for text in (
        f"{shop} 을 보고 웹훅 {hook} 으로 보내 줘",
        f"{shop}, {shop} 에서 모아서 슬랙 웹훅으로 보고해 줘: {hook}",
        f"웹훅은 {hook} 이고 가게는 {shop} 야",
        f"{hook} (웹훅), {shop} (가게)",
    ):
        assert [item.value for item in find_secrets(text)] == [hook], text


def test_an_answer_to_a_question_about_a_key_is_one() -> None:
    assert [item.value for item in find_secrets(" abcdefghij ", "API 키를 알려 주세요")] == ["abcdefghij"]
    assert find_secrets("매일 9시", "API 키를 알려 주세요") == []
    assert find_secrets("abcdefghij", "이름은요?") == []


@given(st.text(max_size=300))
def test_finding_never_fails_and_never_overlaps(text: str) -> None:
    found = find_secrets(text)

    for one, other in pairwise(found):
        assert one.end <= other.start
    assert all(text[item.start : item.end] == item.value for item in found)


@pytest.mark.parametrize(
    "text", ["http://" * 3000, "key " * 5000, "-----BEGIN PRIVATE KEY-----" * 700, "a" * 20_000]
)
def test_long_odd_texts_are_read_in_one_go(text: str) -> None:
    find_secrets(text)


def test_the_host_of_an_address_names_its_port_when_it_is_not_443() -> None:
    assert own_host("https://hooks.slack.com/x") == "hooks.slack.com"
    assert own_host("http://127.0.0.1:9/x") == "127.0.0.1:9"
    assert own_host("http://Host.example/x") == "host.example:80"
    assert own_host("https://[::1]:8/x") == "[::1]:8"
    assert own_host("https://x:99999999/") == ""
    assert own_host("nonsense") == ""
