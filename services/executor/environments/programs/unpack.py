"""Unpacks one wheel into /out and compiles it, in a sandbox without any way out: hostile bytes in, files out.

Runs nothing of the wheel. Writes ./outputs/result.json: {"problem": ""} or what kept it from being unpacked.
"""

from __future__ import annotations

import compileall
import configparser
import json
import py_compile
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import agent

if TYPE_CHECKING:
    from services.executor.environments.programs.layout import Refused, is_script, place
else:  # inside the sandbox this folder is all there is
    from layout import Refused, is_script, place

OUT = Path("/out")
_CHUNK = 1 << 20
_START = """#!/usr/bin/env python3
import os, sys
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from {module} import {first}
sys.exit({what}())
"""


def unpack(wheel: str, max_bytes: int, max_files: int) -> None:
    """Raises Refused, or what zipfile raises for what is no archive."""
    left = max_bytes
    with zipfile.ZipFile(wheel) as archive:
        entries = [info for info in archive.infolist() if not info.is_dir()]
        if len(entries) > max_files:
            raise Refused(f"{len(entries)} files")
        for info in entries:
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise Refused(f"a file {info.filename[:120]!r} that is no plain file")
            left -= _write(archive, info, left)


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> int:
    target = OUT / place(info.filename)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(info) as source, target.open("xb") as file:
        while part := source.read(_CHUNK):
            if not size and is_script(info.filename):
                part = _own_first_line(part)
            size += len(part)
            if size > left:
                raise Refused("more than a package may hold")
            file.write(part)
    runs = is_script(info.filename) or (info.external_attr >> 16) & 0o111
    target.chmod(0o755 if runs else 0o644)
    return size


def _own_first_line(part: bytes) -> bytes:
    if part.startswith(b"#!python"):
        return b"#!/usr/bin/env python3" + part[part.find(b"\n") :]
    return part


def start_scripts() -> None:
    """bin/<name> for every console script; one that cannot be read is left out."""
    for listed in OUT.glob("*.dist-info/entry_points.txt"):
        parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep capitals
        try:
            parser.read_string(listed.read_text(encoding="utf-8"))
        except (configparser.Error, UnicodeDecodeError):
            continue
        for name, value in parser.items("console_scripts") if parser.has_section("console_scripts") else ():
            module, _, what = value.partition("[")[0].strip().partition(":")
            whole = [*module.split("."), *what.split(".")]
            if not all(part.isidentifier() for part in whole) or "/" in name or name.startswith("."):
                continue
            script = OUT / "bin" / name
            script.parent.mkdir(exist_ok=True)
            if not script.exists():
                script.write_text(_START.format(module=module, first=what.split(".")[0], what=what))
                script.chmod(0o755)


def compile_all() -> None:
    """Unchecked: nobody changes a source afterwards, and imports need not look."""
    for path in OUT.rglob(
        "__pycache__/*"
    ):  # a wheel's own: another interpreter's, or not what its source says
        path.unlink()
    compileall.compile_dir(
        OUT,
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(OUT),
        prependdir="/site/0",
    )


def main() -> None:
    job = agent.input
    problem = ""
    try:
        unpack(job["wheel"], job["max_bytes"], job["max_files"])
        start_scripts()
        compile_all()
    except Refused as error:
        problem = str(error)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
        problem = f"{type(error).__name__}: {error}"[:300]
    Path("outputs/result.json").write_text(json.dumps({"problem": problem}))


if __name__ == "__main__":
    main()
