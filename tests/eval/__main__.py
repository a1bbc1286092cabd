"""`make eval`: fifty requests of people, each talked through to a live agent whose report is judged without a model.

Against the key or server that ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL name; with neither, against a script that
answers four of them and declines the rest, which proves this harness and nothing about a model. It goes on where an
earlier call stopped. EVAL="--sample 10 --max-usd 5" hands options through.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.planner.prices import price_of
from shared.records.ledger import Budget
from shared.runtime.settings import from_environment
from shared.store.port import Query
from tests.eval.asking import Asking, Lost
from tests.eval.journal import Journal, Result, summary
from tests.eval.requests import Request, requests
from tests.eval.scripted import PLAYED, script_for
from tests.fakes.messages_server import KEY, MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.dialogues.telling import World
from tests.flows.house import House
from tests.flows.person import Answered
from tests.flows.shops import Shops, Sink
from tests.flows.sites.places import Sites

JOURNAL = Path(__file__).parents[2] / ".cache" / "eval.jsonl"
# Decision: what one answer is lent. With less left a request would end for want of tokens, not of skill.
LEAST_TOKENS = 60_000
# Decision: ten such answers. A model that needs more has lost its way, and a request that dies without a word counts as
# having spent all it was given.
MOST_TOKENS = 600_000
SCRIPTED = "scripted"
CUT = "cut"


@dataclass(frozen=True)
class Under:
    """What is asked. server: "scripted", or the name of the one that has the key."""

    server: str
    model: str
    environment: Mapping[str, str]

    @property
    def played(self) -> bool:
        return self.server == SCRIPTED


def under(environment: Mapping[str, str]) -> Under:
    """What this process's environment names."""
    settings = from_environment({k: v for k, v in environment.items() if k in _VARIABLES})
    if not settings.anthropic_api_key and not settings.anthropic_base_url:
        return Under(SCRIPTED, settings.model, {})
    given = {
        "ANTHROPIC_API_KEY": settings.anthropic_api_key or "none",
        "ANTHROPIC_BASE_URL": settings.anthropic_base_url,
        "AB_MODEL": settings.model,
    }
    place = urlsplit(settings.anthropic_base_url or "https://api.anthropic.com").netloc
    return Under(place, settings.model, given)


_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "AB_MODEL")


def ask(request: Request, server: Under, room: int, patience_s: float) -> Result:
    """One request in a house of its own, which may spend `room` tokens: the ledger holds it to that."""
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ab-eval-"))
        world = World(Sites(), Shops(), Sink())
        stack.callback(world.close)
        request = request.placed(world)
        house = House(Path(folder) / "data", open_ports=world.ports, disorder=0)
        house.environment |= {**server.environment, "AB_MONTH_TOKENS": str(room)}
        if server.played:
            claude = stack.enter_context(MessagesServer(cache=PromptCache()))
            claude.enqueue(*script_for(request, world))
            house.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
        house.open()
        stack.callback(house.close)
        person = house.person(language=request.language, patience_s=patience_s)
        asking, stage, why = Asking(request, person, world), "", ""
        try:
            asking.go()
        except Lost as lost:
            stage, why = lost.stage, lost.why
        except (Answered, AssertionError, OSError) as error:
            stage, why = "platform", str(error)[:300]
        except KeyboardInterrupt:
            stage, why = CUT, "interrupted"
        months = _months(house)
        spent = sum(month.spent_tokens + month.over_tokens for month in months)
        unpriced = any(month.unpriced_tokens for month in months)
        return Result(
            id=request.id,
            server=server.server,
            model=server.model,
            stage=stage,
            why=why,
            tokens=spent,
            cost_usd=None if unpriced else sum(month.spent_usd_micros for month in months) / 1e6,
            seconds=round(time.monotonic() - began, 1),
            questions=asking.rounds,
            capped=stage == CUT or (bool(stage) and room - spent < LEAST_TOKENS),
        )


def _months(house: House) -> list[Budget]:
    """One, or two when midnight of a month's end came between. Read once no lease is open any more; what an answer
    under way may still spend is not known when it was interrupted."""
    with suppress(AssertionError):
        house.person(patience_s=20).wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)
    found = house.databases.read("ledger").query(Query("budgets", order_by="period", limit=10))
    return [Budget.from_doc(document.data) for document in found]


def chosen(only: Sequence[str], sample: int, seed: int) -> list[Request]:
    """By id; or so many, as many of each language as can be, the same for the same seed; or all."""
    everything = list(requests())
    if only:
        known = {request.id: request for request in everything}
        if unknown := [id for id in only if id not in known]:
            raise SystemExit(
                f"There is no request {', '.join(unknown)}; tests/eval/requests.toml has them all."
            )
        return [known[id] for id in only]
    if not sample:
        return everything
    order = random.Random(seed)
    korean, english = ([r for r in everything if r.language == language] for language in ("ko", "en"))
    order.shuffle(korean)
    order.shuffle(english)
    pairs = [request for pair in zip(korean, english, strict=True) for request in pair]
    return pairs[:sample]


def room_of(journal: Journal, model: str, max_tokens: int | None, max_usd: float | None) -> int:
    """What the next request may spend. Dollars become tokens at the model's dearest rate, so that they hold too."""
    room = MOST_TOKENS if max_tokens is None else min(MOST_TOKENS, max_tokens - journal.tokens)
    if max_usd is None:
        return room
    price = price_of(model)
    if price is None:
        raise SystemExit(f"Nobody here knows what {model} costs: cap it with --max-tokens.")
    dearest = max(price.input, price.output, price.cache_write_5m, price.cache_write_1h, price.cache_read)
    return min(room, int((max_usd - journal.usd) * 1e6 / dearest) - journal.lost)


def main(arguments: list[str], environment: Mapping[str, str] = os.environ, path: Path = JOURNAL) -> int:
    """0 when everything chosen was asked (right or wrong); 1 when a cap stopped it, or the script itself failed."""
    options = _options().parse_args(arguments)
    server = under(environment)
    journal = Journal(path, server.server, server.model)
    if options.again:
        journal.forget()
    wanted = chosen(options.only, options.sample, options.seed)
    print(f"{len(wanted)} requests to {server.server}, model {server.model}", flush=True)
    if journal.lost:
        print(f"An earlier call died while it asked: {journal.lost:,} tokens count as spent.", flush=True)
    capped = False
    for number, request in enumerate(wanted, 1):
        if request.id in journal.done:
            continue
        room = room_of(journal, server.model, options.max_tokens, options.max_usd)
        if capped := room < LEAST_TOKENS:
            print(f"Stopped before {request.id}: the cap leaves {max(0, room):,} tokens.")
            break
        journal.begin(request.id, room)
        result = ask(request, server, room, options.patience)
        journal.note(result)
        said = "right" if result.right else f"{result.stage}: {result.why}"
        print(
            f"{number}/{len(wanted)} {request.id}: {said} ({result.tokens:,} tokens, {result.seconds} s)",
            flush=True,
        )
    found = [journal.done[request.id] for request in wanted if request.id in journal.done]
    if found:
        print(summary(found))
    if server.played:
        print(
            "No model was asked: a script stood in, so this proves the harness only and says nothing of a model."
        )
        return 1 if capped or any(not one.right for one in found if one.id in PLAYED) else 0
    return 1 if capped else 0


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="make eval", description=__doc__)
    options.add_argument("--only", nargs="+", default=[], metavar="ID", help="these requests")
    options.add_argument("--sample", type=int, default=0, metavar="N", help="so many, of both languages")
    options.add_argument("--seed", type=int, default=0, help="which sample")
    options.add_argument(
        "--max-tokens", type=int, help="stop when all tries together have spent so many tokens"
    )
    options.add_argument("--max-usd", type=float, help="the same in dollars")
    options.add_argument(
        "--patience", type=float, default=600, metavar="S", help="seconds to wait for each step"
    )
    options.add_argument(
        "--again", action="store_true", help="forget earlier results of this server and model"
    )
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
