"""Dialogues in English."""

from __future__ import annotations

from tests.fakes.llm_script import Answer, Asked, Call, Reply, Say
from tests.flows.dialogues.telling import (
    Allows,
    Answers,
    Dialogue,
    Runs,
    Says,
    World,
    delivered,
    finishes,
    host,
    plan,
    rows,
    writes,
)

SENT = "The report was sent"


def jobs(world: World) -> Dialogue:
    """The first file does not even parse: the model is told where and writes it again."""
    address = f"{world.sites.address}/jobs"
    good = world.code("jobs")
    proposed = plan(
        "Job watcher",
        "Marketing jobs every Monday, best paid first",
        ("Read the board", "Keep marketing roles, best paid first"),
        schedule={"cron": "0 9 * * 1", "timezone": "Asia/Seoul"},
        hosts=[host(world.sites.port, "/jobs", "Reads the board")],
        contract=[rows("outputs/jobs.csv", 1, "At least one position was read"), delivered(says=SENT)],
        found=["Four positions are listed"],
    )
    broken = Call("write_file", {"path": "main.py", "content": good.replace("import csv", "import csv (")})

    def again(asked: Asked) -> Reply:
        assert "does not parse" in asked.told, asked.told
        return writes(good, "A bracket was missing.")

    return Dialogue(
        "jobs",
        (
            Says(f"Every Monday at 9, check {address} and send me marketing jobs, best paid first"),
            Allows(),
            Runs(says=("2 of 4 positions fit.", "Growth marketer, Remote: 48M KRW")),
        ),
        (
            Reply((Say("Let me look at the board."), Call("look", {"addresses": [address]}))),
            Reply((proposed,)),
            Reply((broken,)),
            Answer(again),
            finishes("You will hear from it every Monday."),
        ),
        language="en",
    )


def digest(world: World) -> Dialogue:
    """To Slack; what a team has read is not sent again."""
    address = f"{world.sites.address}/feed.xml"
    question = {"id": "feed", "text": "Which feed should I follow?", "kind": "url"}
    proposed = plan(
        "Retail digest",
        "New retail headlines on Slack every morning",
        ("Read the feed", "Send what is new to Slack"),
        hosts=[host(world.sites.port, "/feed.xml", "Reads the feed")],
        channels=[{"kind": "slack", "secret": "SLACK_WEBHOOK_URL", "why": "The team's channel"}],
        state=True,
        contract=[rows("outputs/feed.csv", 1, "The feed has entries"), delivered("slack", SENT)],
    )
    return Dialogue(
        "digest",
        (
            Says("Tell my team on Slack every morning what is new in retail news"),
            Answers({"feed": address}),
            Allows(),
            Runs(says=("4 new headlines", "온라인 쇼핑 거래액 사상 최대")),
            Runs(says=("Nothing new today.",)),
        ),
        (
            Reply((Call("ask_user", {"questions": [question], "note": "One thing first."}),)),
            Reply((Say("Here is the plan."), proposed)),
            writes(world.code("feed_digest")),
            finishes("Your team will hear of it at nine."),
        ),
        language="en",
    )
