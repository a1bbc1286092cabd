"""Files of a replay are compared by what they show; a hostile file is at worst compared by its bytes."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from services.executor.checker.compare import compared


def png(points: bytes, level: int, note: bytes = b"") -> bytes:
    """12 by 10 points, by another library, so that the filters are its own choice."""
    out = io.BytesIO()
    Image.frombytes("RGB", (12, 10), points).save(out, "PNG", compress_level=level)
    data = out.getvalue()
    if note:
        chunk = struct.pack(">I", len(note)) + b"tEXt" + note + struct.pack(">I", zlib.crc32(b"tEXt" + note))
        data = data[:33] + chunk + data[33:]
    return data


def unfiltered_png(points: bytes) -> bytes:
    raw = b"".join(b"\0" + points[row * 36 : row * 36 + 36] for row in range(10))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 10, 8, 2, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(raw)
    )
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_is_the_same_however_it_was_packed(seed: int) -> None:
    chance = random.Random(seed)
    smooth = bytes(min(255, 3 * n // 4 + chance.randrange(4)) for n in range(360))

    found = compared(png(smooth, 9, b"Software\0x"), unfiltered_png(smooth))
    assert (found["same"], found["how"]) == (True, "pixels")
    other = bytearray(smooth)
    other[200] ^= 1
    found = compared(png(smooth, 9), png(bytes(other), 9))
    assert (found["same"], found["how"]) == (False, "pixels")


def zipped(year: int, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def test_an_archive_is_compared_by_what_is_in_it() -> None:
    assert compared(zipped(2026, a=b"1"), zipped(2027, a=b"1"))["same"] is True
    found = compared(zipped(2026, a=b"1", b=b"2"), zipped(2026, a=b"1", b=b"3"))
    assert (found["same"], found["how"]) == (False, "contents")
    assert found["before"].startswith("b 1 ")
    made = b"<dcterms:created xsi:type=x>2026</dcterms:created>"
    assert compared(zipped(2026, a=made), zipped(2026, a=made.replace(b"2026", b"2027")))["same"] is True
    assert compared(gzip.compress(b"x" * 99, mtime=1), gzip.compress(b"x" * 99, mtime=2))["same"] is True
    assert compared(gzip.compress(b"x", mtime=1), gzip.compress(b"y", mtime=1))["same"] is False


def test_a_pdf_is_compared_without_its_dates() -> None:
    one = b"%PDF-1.4\n/CreationDate (D:2026) /ID [<ab><cd>] (text)"
    assert compared(one, one.replace(b"2026", b"2027").replace(b"ab", b"ef"))["same"] is True
    assert compared(one, one.replace(b"text", b"next"))["same"] is False


def test_text_shows_the_lines_that_differ() -> None:
    before, after = "가\n나\n다\n라", "가\n나나\n다\n라"
    found = compared(before.encode(), after.encode())

    assert found == {"same": False, "how": "text", "before": "나", "after": "나나"}
    long = compared(b"x" * 10_000 + b"\n" * 50, b"y" * 10_000)
    assert len(long["before"]) < 2000


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31) + b"IHDR",
        b"\x89PNG\r\n\x1a\n",
        b"PK\3\4 no archive",
        b"\x1f\x8b no gzip",
        zipped(2026, a=b"1")[:-10],
        b"\xff\xfe\0",
        b"",
    ],
)
def test_what_cannot_be_understood_is_compared_by_its_bytes(hostile: bytes) -> None:
    assert compared(hostile, hostile)["same"] is True
    assert compared(hostile, hostile + b"\xff\0")["same"] is False


def test_a_bomb_is_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * (70 << 20))
    bomb = out.getvalue()

    assert compared(bomb, bomb + b"\0")["how"] == "bytes"


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        ("made 2026-11-22T09:00:01.5", "made 2026-11-22T09:00:03.25", "clock"),
        ("at 09:00:01, 3 found", "at 09:00:02, 3 found", "clock"),
        ("1795391789.782298", "1795391790.1", "clock"),
        ("20261122_090001.png", "20261122_090003.png", "clock"),
        ("at 09:00:01, 3 found", "at 09:00:02, 4 found", "text"),
        ("39000원", "41000원", "text"),
        ("010-1234-5678", "010-1234-5679", "text"),
    ],
)
def test_text_that_differs_in_times_alone_is_called_so(before: str, after: str, how: str) -> None:
    found = compared(before.encode(), after.encode())

    assert (found["same"], found["how"]) == (False, how)
