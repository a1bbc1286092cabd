"""Kill the whole application at many seeded moments of a build with a model; each time the build goes on.

`python -m tests.prove.builds --points 50` goes on where an earlier call stopped; --again starts anew. Writes
docs/builds.md.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fakes.messages_server import KEY, MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.dialogues.telling import World
from tests.flows.killing import Living
from tests.flows.killing_builds import STAGES, BuildPoint
from tests.flows.shops import Shops, Sink
from tests.flows.sites.places import Sites
from tests.prove.record import ROOT, Record, asked, at_points

RECORD = Record("builds")
PAGE = ROOT / "docs" / "builds.md"
_MEANS = {
    "heard": "just after the person said, answered or allowed something",
    "stream": "while the model's answer is under way",
    "result": "between a call of the model's and its result",
    "rest": "while a question, a plan or the finished agent waits for the person",
    "rehearsal": "while the code is tried",
}


def prove(stage: str, seed: int) -> dict[str, Any]:
    """One point on a fresh data folder. `problem` is empty when every promise held."""
    world = World(Sites(), Shops(), Sink())
    with (
        tempfile.TemporaryDirectory(prefix="ab-build-") as folder,
        MessagesServer(cache=PromptCache()) as claude,
    ):
        keys = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
        living = Living(Path(folder) / "data", world.ports, keys)
        point = BuildPoint(stage, seed, living, world, claude)
        began, problem = time.monotonic(), ""
        try:
            living.start()
            point.go()
            living.stop()
            assert living.left_behind() == []
        except AssertionError as error:
            problem = str(error)[:2000] or "an assertion without words"
        finally:
            living.stop()
            world.close()
    return {
        "stage": stage,
        "seed": seed,
        "turn": point.turn,
        "cut_after_s": round(point.waited_s, 3),
        "launcher_too": point.launcher_too,
        "twice": point.twice,
        "back_s": round(point.back_s, 2),
        "all_s": round(time.monotonic() - began, 1),
        "problem": problem,
    }


def page(found: list[dict[str, Any]]) -> str:
    lines = [
        "# Builds that were killed",
        "",
        "Written by `python -m tests.prove.builds`. A dialogue with a scripted Messages server (a question, a look,",
        "a plan, code, a rehearsal, a live run) on the real sandbox; the application is killed with SIGKILL once, or",
        "twice while it recovers. Held means: it ended in one agent with one version, one message was delivered, every",
        "word of the person's stands once, and the ledger has what the server counted, or for calls that died what was",
        "set aside.",
        "",
        "| killed | points | twice | held | back again, median |",
        "|---|---|---|---|---|",
    ]
    for stage in STAGES:
        here = [one for one in found if one["stage"] == stage]
        if here:
            held = sum(1 for one in here if not one["problem"])
            twice = sum(1 for one in here if one["twice"])
            back = statistics.median(one["back_s"] for one in here)
            lines.append(f"| {_MEANS[stage]} | {len(here)} | {twice} | {held} | {back:.1f} s |")
    lost = [one for one in found if one["problem"]]
    lines += ["", *(f"- {one['stage']}, seed {one['seed']}: {one['problem'][:200]}" for one in lost)]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    points = asked(arguments, __doc__, RECORD, points=50)
    found = at_points(RECORD, STAGES, points, prove)
    PAGE.write_text(page(found), encoding="utf-8")
    print(page(found))
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
