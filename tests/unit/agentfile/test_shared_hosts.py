"""Hosts that many people share: a rule for one of them says which part it means, or it is refused."""

from __future__ import annotations

import pytest

from shared.agentfile.model import AgentFile, AgentMeta, HostRule, Manifest
from shared.agentfile.rules import check_agent_file
from shared.agentfile.shared_hosts import SHARED_HOSTS, needs_path
from shared.errors import BadRequest

SHARED = [
    "gist.githubusercontent.com",
    "raw.githubusercontent.com",
    "storage.googleapis.com",
    "my-bucket.storage.googleapis.com",
    "s3.amazonaws.com",
    "s3.ap-northeast-2.amazonaws.com",
    "bucket.s3.ap-northeast-2.amazonaws.com",
    "a.b.s3.amazonaws.com",
    "account.blob.core.windows.net",
    "script.google.com",
    "hooks.slack.com",
    "discord.com",
    "pastebin.com",
    "forms.gle",
    "abc.ngrok-free.app",
    "GIST.github.com",
    "hooks.slack.com.",
]
OWN = [
    "shop.example.com",
    "practice.agentbuilder.test",
    "127.0.0.1",
    "naverapihub.apigw.ntruss.com",
    "amazonaws.com.example.com",
    "mys3.amazonaws.example.com",
    "notgist.github.com.example.net",
    "xstorage.googleapis.com.kr",
    "aws3.amazonaws.com",
    "blob.core.windows.net",
]


@pytest.mark.parametrize("host", SHARED)
def test_a_rule_for_a_shared_host_is_refused_when_it_names_no_path(host: str) -> None:
    assert needs_path(host)
    rule = HostRule(host=host.lower().rstrip("."))
    with pytest.raises(BadRequest) as refused:
        check_agent_file(_with(rule))
    assert set(refused.value.fields) == {"manifest.hosts[0].path"}
    with pytest.raises(BadRequest):
        check_agent_file(_with(rule.model_copy(update={"path": "/"})))


@pytest.mark.parametrize("host", SHARED)
def test_a_rule_for_a_shared_host_is_taken_when_it_names_a_path(host: str) -> None:
    check_agent_file(_with(HostRule(host=host.lower().rstrip("."), path="/my-name/folder")))


@pytest.mark.parametrize("host", OWN)
def test_a_host_of_ones_own_needs_no_path(host: str) -> None:
    assert not needs_path(host)
    check_agent_file(_with(HostRule(host=host)))


def test_the_list_has_each_host_once_and_in_canonical_spelling() -> None:
    assert len(set(SHARED_HOSTS)) == len(SHARED_HOSTS)
    assert all(host == host.lower().strip(".") for host in SHARED_HOSTS)


def _with(rule: HostRule) -> AgentFile:
    return AgentFile(agent=AgentMeta(name="시험"), manifest=Manifest(hosts=(rule,)))
