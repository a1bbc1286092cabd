"""kill -9 while a model builds an agent: the build goes on, nothing is lost, nothing is said or done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.messages_server import KEY, MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.dialogues.telling import World
from tests.flows.killing import Living
from tests.flows.killing_builds import STAGES, BuildPoint
from tests.flows.shops import Shops, Sink
from tests.flows.sites.places import Sites

SEED = 20261126


@pytest.mark.slow(seconds=90)
@pytest.mark.parametrize("stage", STAGES)
def test_a_build_goes_on_where_it_was_when_it_is_killed(
    stage: str, tmp_path: Path, shops: Shops, sink: Sink
) -> None:
    world = World(Sites(), shops, sink)
    with MessagesServer(cache=PromptCache()) as claude:
        keys = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
        living = Living(tmp_path / "data", world.ports, keys)
        try:
            living.start()
            BuildPoint(stage, SEED, living, world, claude).go()
            living.stop()
            assert living.left_behind() == []
        finally:
            living.stop()
            world.sites.close()
