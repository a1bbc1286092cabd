"""Where a wheel's files go below one site folder (binary distribution format specification). Pure.

Used inside the sandbox that unpacks and outside, where the result is checked.
"""

from __future__ import annotations

MAX_NAME = 255
MAX_DEPTH = 32


class Refused(Exception):
    """The wheel holds what no wheel should; the text says what."""


def place(name: str) -> str:
    """The path below the site folder, with slashes. Raises Refused for names that lead elsewhere."""
    parts = name.split("/")
    if len(parts) > MAX_DEPTH or any(_bad(part) for part in parts):
        raise Refused(f"a file named {name[:120]!r}")
    if parts[0].endswith(".data"):
        if len(parts) < 3:
            raise Refused(f"a file named {name[:120]!r}")
        kind, rest = parts[1], parts[2:]
        if kind in ("purelib", "platlib", "data"):
            return "/".join(rest)
        if kind == "scripts":
            return "/".join(["bin", *rest])
        if kind == "headers":
            return "/".join(["include", *rest])
        raise Refused(f"a folder {kind[:40]!r} of unknown kind")
    return name


def is_script(name: str) -> bool:
    """Its first line is rewritten when it is unpacked."""
    parts = name.split("/")
    return parts[0].endswith(".data") and parts[1:2] == ["scripts"]


def _bad(part: str) -> bool:
    odd = any(ord(letter) < 32 or ord(letter) == 127 or letter == "\\" for letter in part)
    return part in ("", ".", "..") or odd or len(part.encode("utf-8", "surrogatepass")) > MAX_NAME
