"""Bytes to text. Older Korean pages are EUC-KR, say so badly or not at all; CP949 reads all of them."""

from __future__ import annotations

import codecs
import re

_META = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_\-]+)""", re.IGNORECASE)
_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w\-]+)", re.IGNORECASE)
_KOREAN = {
    "euc-kr",
    "euckr",
    "ks_c_5601-1987",
    "ksc5601",
    "ks_c_5601",
    "cp949",
    "uhc",
    "x-windows-949",
    "ms949",
}
_OTHERS = {"shift_jis", "euc-jp", "gb2312", "gbk", "gb18030", "big5", "windows-1252", "utf-16", "utf-16le"}
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(body: bytes, content_type: str = "") -> str:
    """Never fails: an unreadable byte becomes "�".

    A byte-order mark is believed first. Then UTF-8 is tried strictly, since text in another charset hardly
    ever passes for it; then the charset that the header or the page names, then CP949. Labels come late, for
    many servers say UTF-8 over EUC-KR files, and the other way round.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, errors="replace")
    named = [match.group(1) for match in [_HEADER.search(content_type)] if match]
    named += [match.group(1).decode("ascii") for match in [_META.search(body[:4096])] if match]
    for name in ["utf-8", *named, "cp949"]:
        try:
            return body.decode(_python_name(name))
        except UnicodeDecodeError:
            continue
    # A few broken bytes in a long page: keep the reading that breaks least.
    readings = [body.decode(_python_name(name), errors="replace") for name in ("utf-8", "cp949")]
    return min(readings, key=lambda text: text.count("\ufffd"))


def _python_name(charset: str) -> str:
    """The codec to try. A latin-1 label is never believed: it would accept Korean bytes as nonsense."""
    name = charset.strip().lower()
    if name in _KOREAN:
        return "cp949"
    return name if name in _OTHERS else "utf-8"
