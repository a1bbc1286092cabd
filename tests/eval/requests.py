"""The requests as data: what is said, what is answered, what is judged. `requests.toml` says what each field means."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tests.flows.dialogues.telling import World

_FILE = Path(__file__).with_name("requests.toml")


class Judged(BaseModel):
    """What must be true of one report. Empty: only that it was delivered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    says: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    rows: int = 0


class Again(Judged):
    """A second run, after something has happened to the world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    happens: Literal["nothing", "tent", "notice", "dollar", "review", "discount"]


class Request(Judged):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^(ko|en)-[a-z-]+$")
    language: Literal["ko", "en"]
    text: str
    addresses: tuple[str, ...] = ()
    channel: Literal["inbox", "slack"] = "inbox"
    schedule: tuple[str, ...] = ()
    then: Again | None = None

    def placed(self, world: World) -> Request:
        """With the addresses of this world."""
        places = {shop: world.shops.address(shop) for shop in "abc"} | {"sites": world.sites.address}
        return self.model_copy(
            update={
                "text": self.text.format(**places),
                "addresses": tuple(address.format(**places) for address in self.addresses),
            }
        )


@cache
def requests() -> tuple[Request, ...]:
    with _FILE.open("rb") as file:
        found = tomllib.load(file)["request"]
    return tuple(Request.model_validate(one) for one in found)


def _tent(world: World) -> None:
    world.shops.items["b"].append(("b9", "캠핑 텐트 4인용", 129_000))


def _notice(world: World) -> None:
    world.sites.notices.insert(0, ("공지 13", "설 연휴 휴무 안내"))


def _dollar(world: World) -> None:
    world.sites.rates["USD"] = 1370.0


def _review(world: World) -> None:
    world.sites.reviews.append((5, "향이 은은해서 좋아요."))


def _discount(world: World) -> None:
    world.shops.items["a"] = [
        (id, title, 49_000 if id == "a2" else price) for id, title, price in world.shops.items["a"]
    ]


HAPPENINGS: dict[str, Callable[[World], None]] = {
    "nothing": lambda world: None,
    "tent": _tent,
    "notice": _notice,
    "dollar": _dollar,
    "review": _review,
    "discount": _discount,
}
