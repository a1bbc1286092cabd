"""Decoys in requests: seen in every spelling we promise, refused before a byte leaves; clean traffic passes."""

from __future__ import annotations

import base64
import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.attempts.decoys import DecoyWatch
from services.executor.egress.decoys import StreamSearch, Tripwire, files, fresh_decoys, variables
from shared.ids import RandomIds, SeededIds
from tests.unit.executor.egress.conftest import API, OTHER, OpenRun, World

DECOYS = fresh_decoys(SeededIds(11))
VALUE = DECOYS[0].value
PLACE = DECOYS[0].place
# Variables that widespread libraries read by themselves begin like this (their documentation, 2026-11).
READ_BY_LIBRARIES = (
    "AWS_ AZURE_ GOOGLE_ GCLOUD_ CLOUDSDK_ ANTHROPIC_ OPENAI_ HF_ HUGGING PIP_ UV_ PG MYSQL_ REDIS_ SENTRY_ "
    "DATABASE_ SLACK_ GITHUB_ GH_ TWILIO_ STRIPE_ TELEGRAM_ DISCORD_ NOTION_ NETRC HTTP_ HTTPS_ SSL_ REQUESTS_"
).split()


def test_no_library_reads_a_decoy_by_itself() -> None:
    assert not [name for name in variables(DECOYS) if name.startswith(tuple(READ_BY_LIBRARIES))]
    known = {".netrc", ".aws/credentials", ".pgpass", ".pypirc", ".config/gcloud", "credentials.json", ".env"}
    assert not known & set(files(DECOYS))


def test_every_attempt_has_values_of_its_own() -> None:
    one, other = fresh_decoys(RandomIds()), fresh_decoys(RandomIds())
    values = [decoy.value for decoy in (*one, *other)]
    assert len(set(values)) == len(values) == 2 * len(one) >= 6
    assert all(len(value) == 24 and value == value.lower() for value in values)
    assert [decoy.place for decoy in one] == [decoy.place for decoy in other]


SPELLED: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "capitals": lambda v: v.upper().encode(),
    "backwards": lambda v: v[::-1].encode(),
    "hex": lambda v: v.encode().hex().encode(),
    "hex in capitals": lambda v: v.encode().hex().upper().encode(),
    "base64": lambda v: base64.b64encode(v.encode()),
    "base64 of more": lambda v: base64.b64encode(b"x" + v.encode() + b"yz"),
    "base64 of much more": lambda v: base64.b64encode(b"xx" + v.encode()),
    "URL base64": lambda v: base64.urlsafe_b64encode(b"?" + v.encode()),
    "first half": lambda v: v[:12].encode(),
    "last half": lambda v: v[12:].encode(),
    "gzip": lambda v: gzip.compress(b"key=" + v.encode()),
    "zlib": lambda v: zlib.compress(b"key=" + v.encode()),
}


@pytest.mark.parametrize("spelling", SPELLED)
@pytest.mark.parametrize("piece", [1, 7, 100])
def test_a_stream_is_found_out_wherever_it_is_cut(spelling: str, piece: int) -> None:
    search = StreamSearch(Tripwire(DECOYS))
    data = SPELLED[spelling](VALUE)
    if spelling not in ("gzip", "zlib"):
        data = b"before " * 40 + data + b" after" * 40
    found = [search.feed(data[at : at + piece]) for at in range(0, len(data), piece)]
    assert PLACE in found


@given(cut=st.integers(0, 24), before=st.text(max_size=20), after=st.text(max_size=20))
def test_one_of_two_pieces_is_found_out_wherever_the_value_is_cut(cut: int, before: str, after: str) -> None:
    wire = Tripwire(DECOYS)
    assert PLACE in (wire.found_in_text(before + VALUE[:cut]), wire.found_in_text(VALUE[cut:] + after))


def test_a_host_name_is_found_out_over_several_labels() -> None:
    wire = Tripwire(DECOYS)
    assert wire.found_in_host(f"{VALUE}.evil.example") == PLACE
    assert wire.found_in_host(f"{VALUE[:5]}.{VALUE[5:11]}.{VALUE[11:]}.evil.example") == PLACE
    assert wire.found_in_host(f"{VALUE[:9]}-{VALUE[9:]}.Evil.example".upper()) == PLACE
    assert wire.found_in_host("shop.example.com") == ""


@given(st.binary(max_size=3000), st.text(max_size=500))
def test_nothing_is_found_in_what_holds_no_decoy(data: bytes, text: str) -> None:
    search = StreamSearch(Tripwire(DECOYS))
    assert search.feed(data) == ""
    assert search.feed(base64.b64encode(data)) == ""
    assert Tripwire(DECOYS).found_in_address(text.encode()) == ""


def open_run(world: World, **more: Any) -> OpenRun:
    return world.open(world.rule(effect="write"), world.rule(OTHER, effect="write"), decoys=DECOYS, **more)


def whole(value: str) -> Iterator[bytes]:
    yield from (b"pieces ", value.encode()[:7], value.encode()[7:], b" end")


REQUESTS: dict[str, dict[str, Any]] = {
    "query": {"method": "GET", "path": f"/x?q={VALUE}"},
    "path": {"method": "GET", "path": f"/x/{VALUE}/y"},
    "percent-encoded": {"method": "GET", "path": "/x?q=" + "".join(f"%{ord(c):02X}" for c in VALUE)},
    "header value": {"method": "GET", "headers": {"X-Trace": VALUE}},
    "header name": {"method": "GET", "headers": {f"X-{VALUE}": "1"}},
    "header name in odd capitals": {"method": "GET", "headers": {f"X-{VALUE.title()}": "1"}},
    "User-Agent": {"method": "GET", "headers": {"User-Agent": f"Mozilla/5.0 {VALUE[:12]}"}},
    "cookie": {"method": "GET", "headers": {"Cookie": f"session={VALUE[::-1]}"}},
    "Basic": {"method": "GET", "auth": ("admin", VALUE)},
    "form": {"method": "POST", "data": {"password": VALUE}},
    "JSON": {"method": "POST", "json": {"a": [VALUE]}},
    "multipart": {"method": "POST", "files": {"f": ("report.bin", b"\0" * 50_000 + VALUE.encode())}},
    "chunks": {"method": "POST", "data": whole(VALUE)},
    "gzip": {"method": "POST", "data": gzip.compress(VALUE.encode() * 9)},
}


@pytest.mark.parametrize("mode", ["live", "rehearsal"])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_carries_a_decoy_is_refused_before_a_byte_leaves(
    name: str, mode: str, world: World
) -> None:
    run = open_run(world, mode=mode)
    before, connections = len(world.api.seen.requests), world.api.seen.connections
    world.lookups.clear()
    request = dict(REQUESTS[name])
    if name == "chunks":
        request["data"] = whole(VALUE)
    url = world.url(request.pop("path", "/"))

    with run.session() as session:
        answer = session.request(request.pop("method"), url, **request)
        later = session.get(world.url("/clean"))
    run.close()

    assert (answer.status_code, answer.json()["code"]) == (403, "decoy")
    assert (later.status_code, later.json()["code"]) == (403, "decoy"), "nothing leaves after that"
    assert (len(world.api.seen.requests), world.api.seen.connections, world.lookups) == (
        before,
        connections,
        [],
    )
    first, second = run.records
    assert (first.verdict, first.decoy, first.bytes_out) == ("refused", PLACE, 0)
    assert (second.verdict, second.decoy) == ("refused", "")
    assert not first.undeclared


@pytest.mark.parametrize("host", [f"{VALUE}.{API}", f"{VALUE[:6]}.{VALUE[6:]}.evil.example"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_decoy_in_a_host_name_is_seen_before_the_name_is_judged(
    scheme: str, host: str, world: World
) -> None:
    run = open_run(world)
    world.lookups.clear()
    with run.session() as session:
        try:
            session.get(f"{scheme}://{host}/")
        except OSError:
            assert scheme == "https"
    run.close()
    assert [(record.reason, record.decoy) for record in run.records] == [("decoy", PLACE)]
    assert world.lookups == []


def test_a_long_upload_is_cut_before_the_decoy_and_never_becomes_a_request(world: World) -> None:
    run = open_run(world)
    before = len(world.api.seen.requests)
    data = b"z" * (3 << 20) + VALUE.encode() + b"z" * 100
    with run.session() as session:
        answer = session.put(world.url("/upload"), data=data)
    run.close()
    assert answer.json()["code"] == "decoy"
    assert VALUE.encode() not in b"".join(got.body for got in world.api.seen.requests[before:])
    assert all(got.target != "/clean" for got in world.api.seen.requests[before:])
    assert run.records[0].decoy == PLACE


def test_clean_bodies_arrive_as_they_are_when_there_are_decoys(world: World) -> None:
    run = open_run(world)
    chance = random.Random(3)
    for size in (0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20):
        data = chance.randbytes(size)
        with run.session() as session:
            assert session.put(world.url(f"/upload?{size}"), data=data).status_code == 200
            assert world.api.seen.requests[-1].body == data
            if data:
                pieces = (data[at : at + 100_000] for at in range(0, size, 100_000))
                assert session.put(world.url("/upload"), data=pieces).status_code == 200
                assert world.api.seen.requests[-1].body == data


def test_an_attempts_output_claims_and_files_are_watched(tmp_path: Path) -> None:
    trips: list[int] = []

    def watch() -> DecoyWatch:
        trips.clear()
        return DecoyWatch(DECOYS, lambda: trips.append(1))

    one = watch()
    for byte in f"line\n{VALUE}\n".encode():
        one.output("stdout", bytes([byte]))
        one.output("stderr", b"in between")
    assert (one.seen, trips) == (f"stdout: {PLACE}", [1])

    two = watch()
    two.texts("deliver", ["clean", f"see https://x.example/?{VALUE}"])
    assert (two.seen, trips) == (f"deliver: {PLACE}", [1])

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a/b.txt", "x" * 5000 + VALUE)
    for name, data in {
        "plain.txt": VALUE.encode(),
        "far.bin": b"\0" * ((1 << 20) - 5) + VALUE.encode(),
        "book.xlsx": archive.getvalue(),
        "page.gz": gzip.compress(VALUE.encode()),
        f"{VALUE}.txt": b"",
        f"{VALUE[:5]}/{VALUE[5:]}": b"",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
        three = watch()
        three.files("file", tmp_path, [name])
        assert (three.seen.partition(": ")[2], trips) == (PLACE, [1]), name
    for data in (b"PK\x03\x04 no zip at all", b"\x1f\x8b broken", archive.getvalue()[:60], b""):
        (tmp_path / "odd").write_bytes(data)
        four = watch()
        four.files("file", tmp_path, ["odd"])
        assert (four.seen, trips) == ("", [])
