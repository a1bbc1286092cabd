"""A seeded few of the hundred popular packages of `make prove`, from the machine's own index."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from shared.errors import Unavailable
from tests.needs import unavailable
from tests.prove.packages import prove, wanted
from tests.workshop import Workshop

SMALL = (
    "beautifulsoup4", "python-dateutil", "xmltodict", "tabulate", "mutagen", "pyjwt", "jinja2", "click", "tqdm",
    "aiofiles", "openpyxl", "pypdf", "pyyaml", "feedparser", "msgpack",
)  # fmt: skip
SAMPLE = random.Random(20261122).sample(SMALL, 3)


@pytest.mark.slow(seconds=20)
def test_popular_packages_do_one_real_thing_each_inside_the_sandbox(tmp_path: Path) -> None:
    shop = Workshop(tmp_path / "data")
    try:
        missing = shop.sandbox.enforcement().missing
        if "all" in missing:
            unavailable("a sandbox", missing["all"])
        try:
            shop.source.project("six")
        except Unavailable as error:
            unavailable("the package index", error.detail)
        told = [prove(shop, one) for one in wanted() if one["name"] in SAMPLE]
    finally:
        shop.close()
    assert {one["name"]: one["problem"] for one in told} == dict.fromkeys(SAMPLE, "")
