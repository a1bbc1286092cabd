"""The person decides by hash; imports and edits are drafts like any other; a rehearsal decides the rest."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from services.planner.model import edited, sheet_rows, title_of
from shared.agentfile import bundle, toml
from shared.events.agent import AgentChanged
from shared.events.environment import EnvironmentFailed, EnvironmentProgressed, EnvironmentReady
from shared.events.plan import PlanDecided, PlanEdited, VersionPublished, VersionReady
from shared.events.run import RunFinished, RunRequested, RunStarted
from tests.unit.planner.conftest import FILE, PROPOSE, PlannerDesk


def plan_of(desk: PlannerDesk) -> dict[str, Any]:
    return desk.documents("plans")[str(desk.conversation["plan_id"])]


def decides(desk: PlannerDesk, decision: str = "approve", **more: str) -> PlanDecided:
    plan = plan_of(desk)
    given = {key: plan[key] for key in ("conversation_id", "agent_id", "version_id", "manifest_hash")}
    event = {**given, "plan_id": plan["id"], "decision": decision, "grant_id": "grant_1", **more}
    decided = PlanDecided.model_validate(event)
    assert desk.hears(decided).verdict == "ack"
    return decided


def ready(desk: PlannerDesk) -> EnvironmentReady:
    version = str(desk.conversation["version_id"])
    return EnvironmentReady(version_id=version, conversation_id="conv_1", environment_id="env_1")


def rehearsed(desk: PlannerDesk, outcome: str = "pending", **more: Any) -> RunFinished:
    given = {
        "run_id": desk.conversation["test_run_id"],
        "agent_id": desk.conversation["agent_id"],
        "version_id": desk.conversation["version_id"],
        "kind": "test",
        "conversation_id": "conv_1",
        "status": "succeeded",
        "outcome": outcome,
    }
    return RunFinished.model_validate({**given, **more})


def test_a_yes_publishes_the_version_under_its_grant(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    (published,) = desk.said(VersionPublished)
    assert published.version_id == desk.conversation["version_id"]
    assert (desk.state(), plan_of(desk)["status"]) == ("building", "approved")
    assert desk.documents("builds")["conv_1"]["grant_id"] == "grant_1"


def test_a_decision_about_another_hash_changes_nothing(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk, manifest_hash="what was on the sheet before")
    assert desk.said(VersionPublished) == []
    assert (desk.state(), plan_of(desk)["status"]) == ("proposed", "proposed")


def test_only_the_first_decision_counts(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    decides(desk, "reject")
    decides(desk)
    assert len(desk.said(VersionPublished)) == 1
    assert desk.state() == "building"


def test_a_no_stops_and_keeps_everything(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk, "reject")
    assert (desk.state(), plan_of(desk)["status"]) == ("stopped", "rejected")
    assert desk.said(VersionPublished) == []


def test_a_decision_about_a_plan_nobody_knows_waits(desk: PlannerDesk) -> None:
    event = PlanDecided(
        plan_id="plan_x",
        conversation_id="conv_x",
        agent_id="a",
        version_id="v",
        decision="approve",
        manifest_hash="h",
    )
    assert desk.hears(event).verdict == "retry"


def test_a_new_proposal_replaces_the_one_before(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    before = plan_of(desk)["id"]
    desk.says("msg_2", "매주로 바꿔 줘")
    desk.funds("msg_2")
    desk.works()
    assert desk.documents("plans")[before]["status"] == "superseded"
    assert plan_of(desk)["agent_id"] == desk.documents("plans")[before]["agent_id"]


def test_an_edit_is_a_new_plan_with_a_new_hash_over_the_same_code(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    before = plan_of(desk)
    changes: dict[str, object] = {"schedule": {"cron": "0 18 * * 5", "timezone": "Asia/Seoul"}}
    desk.hears(PlanEdited(plan_id=before["id"], conversation_id="conv_1", changes=changes))
    desk.works()
    after = plan_of(desk)
    assert after["id"] != before["id"]
    assert after["manifest_hash"] != before["manifest_hash"]
    assert after["agent_file"]["schedule"]["cron"] == "0 18 * * 5"
    version = desk.documents("versions")[after["version_id"]]
    files = bundle.unpack(desk.blobs.get(version["bundle_key"]))
    assert files["main.py"] == b"print(1)\n"
    assert toml.parse(files["agent.toml"].decode(), "ko").schedule is not None


@pytest.mark.parametrize(
    "changes",
    [{"schedule": {"cron": "every day"}}, {"schedule": {"cron": "0 0 31 2 *"}}, {"caps": {"per_run": -1}}],
)
def test_an_edit_that_does_not_fit_is_said_and_keeps_the_plan(
    desk: PlannerDesk, changes: dict[str, object]
) -> None:
    desk.turns(PROPOSE)
    before = plan_of(desk)
    desk.hears(PlanEdited(plan_id=before["id"], conversation_id="conv_1", changes=changes))
    desk.works()
    assert plan_of(desk) == before
    assert desk.entries()[-1][0] == "text"
    assert desk.state() == "proposed"


def test_packages_then_one_rehearsal_then_ready(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    version = str(desk.conversation["version_id"])
    desk.hears(EnvironmentProgressed(version_id=version, conversation_id="conv_1", text="requests 설치 중…"))
    envelope = desk.envelope(ready(desk))
    desk.hears_again(envelope)
    desk.hears_again(envelope)
    (asked,) = desk.said(RunRequested)
    assert (asked.kind, asked.grant_id, asked.version_id) == ("test", "grant_1", version)
    assert desk.state() == "testing"
    desk.hears(
        RunStarted(run_id=asked.run_id, agent_id="a", kind="test", attempt=1, conversation_id="conv_1")
    )
    desk.hears(rehearsed(desk))
    desk.hears(rehearsed(desk))
    (shown,) = desk.said(VersionReady)
    assert (shown.number, shown.run_id) == (1, asked.run_id)
    assert desk.state() == "ready"


@pytest.mark.parametrize(
    "more", [{"outcome": "not_delivered"}, {"status": "failed", "outcome": "not_delivered"}]
)
def test_a_rehearsal_that_failed_says_why_and_makes_nothing_ready(
    desk: PlannerDesk, more: dict[str, str]
) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    desk.hears(ready(desk))
    desk.hears(rehearsed(desk, **more, reason_text="상품을 찾지 못했어요."))
    assert desk.state() == "failed"
    assert "상품을 찾지 못했어요." in str(desk.conversation["problem"])
    assert desk.said(VersionReady) == []


def test_facts_about_another_version_or_run_change_nothing(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    first = ready(desk)
    desk.says("msg_2", "바꿔 줘")
    desk.funds("msg_2")
    desk.works()
    desk.hears(first)
    desk.hears(EnvironmentFailed(version_id=first.version_id, conversation_id="conv_1", text="없는 패키지"))
    assert desk.state() == "proposed"
    assert desk.said(RunRequested) == []


def test_packages_that_cannot_be_installed_end_it_in_a_sentence(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    version = str(desk.conversation["version_id"])
    desk.hears(EnvironmentFailed(version_id=version, conversation_id="conv_1", text="reqests 는 없어요."))
    assert (desk.state(), desk.conversation["problem"]) == ("failed", "reqests 는 없어요.")


def test_the_conversation_shows_whether_its_agent_is_on(desk: PlannerDesk) -> None:
    desk.turns(PROPOSE)
    decides(desk)
    desk.hears(ready(desk))
    desk.hears(rehearsed(desk))
    given = {
        "agent_id": "a",
        "conversation_id": "conv_1",
        "version_id": "v",
        "grant_id": "g",
        "schedule": None,
    }
    for revision, on, state in (("1", True, "active"), ("2", False, "ready")):
        desk.hears(AgentChanged.model_validate({**given, "revision": revision, "enabled": on}))
        assert desk.state() == state


GOOD = {"agent.toml": toml.dump(FILE).encode(), "main.py": b"print(1)\n"}


def zipped(files: dict[str, bytes]) -> bytes:
    """As a person's own tool would, without looking at what is in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def imports(desk: PlannerDesk, files: dict[str, bytes] | bytes | None) -> None:
    if files is not None:
        desk.blobs.put("gateway/imports/1.zip", files if isinstance(files, bytes) else zipped(files))
    desk.says(text="", import_key="gateway/imports/1.zip")
    desk.funds()
    desk.works()


def test_an_import_is_proposed_with_its_authors_words_quoted(desk: PlannerDesk) -> None:
    imports(desk, {**GOOD, "requirements.lock": b"evil==1 --hash=sha256:0"})
    plan = plan_of(desk)
    version = desk.documents("versions")[plan["version_id"]]
    assert (desk.state(), plan["author_words"]) == ("proposed", "요약")
    assert version["lock"] is None
    assert "requirements.lock" not in version["files"]
    assert desk.engine.seen == []


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (b"no zip at all", "읽"),
        ({**GOOD, "main.py": b"def broken(:\n"}, "main.py 1"),
        ({**GOOD, "main.py": b"\xff\xfe"}, "UTF-8"),
        ({**GOOD, "main.py": b"x = 1\0"}, "main.py"),
        ({**GOOD, "main.py": b"(" * 5000}, "main.py"),
        ({**GOOD, "agent.toml": b"[agent]\nnam = 'x'\n"}, ""),
        ({"agent.toml": GOOD["agent.toml"]}, "main.py"),
        (None, ""),
    ],
    ids=["no-zip", "syntax", "no-utf8", "nul", "deep", "unknown-key", "no-main", "gone"],
)
def test_an_import_that_cannot_be_is_said_in_a_sentence_and_leaves_nothing(
    desk: PlannerDesk, files: dict[str, bytes] | bytes | None, code: str
) -> None:
    imports(desk, files)
    assert desk.state() == "failed"
    assert code in str(desk.conversation["problem"])
    assert desk.documents("versions") == desk.documents("plans") == {}
    assert desk.documents("builds")["conv_1"]["import_key"] is None


def test_an_edit_changes_only_what_may_be_edited() -> None:
    after = edited(
        FILE, {"schedule": None, "caps": {"per_run": 5, "per_day": 9}, "hosts": [{"host": "evil"}]}
    )
    assert (after.schedule, after.manifest.tokens.per_run) == (None, 5)
    assert after.manifest.hosts == FILE.manifest.hosts
    assert edited(FILE, {"contract": []}).contract == ()


def test_every_growth_of_the_sheet_is_a_row_of_its_own() -> None:
    data = FILE.model_dump()
    data["manifest"]["hosts"] = (*data["manifest"]["hosts"], {"host": "b.example", "effect": "write"})
    data["manifest"]["tokens"] = {"per_run": 1, "per_day": 2}
    new = set(sheet_rows(type(FILE).model_validate(data))) - set(sheet_rows(FILE))
    assert new == {"host:https://b.example:443:write", "tokens:1/2"}


def test_a_title_is_one_short_line() -> None:
    assert title_of("첫 줄\n둘째 줄 ") == "첫 줄 둘째 줄"
    assert len(title_of("가" * 100)) == 60
