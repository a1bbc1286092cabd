"""`python -m scripts.contents NAME VENV LOCK…`: what an image holds, as CycloneDX 1.6 in JSON. Part of the Dockerfile.

The packages of Python's environment are listed by cyclonedx-py, Debian's by dpkg; Python itself is in neither where the
base image brings a build of its own. Refuses what no lock names, and what its library does not find valid.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scripts.console import CannotContinue, run_command

_SPECIFICATION = "1.6"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_FIELDS = ("binary:Package", "Version", "Architecture", "source:Package", "source:Version")
_RELEASE = Path("/etc/os-release")

Component = dict[str, Any]


def debian(listed: str, release: str) -> list[Component]:
    """listed: dpkg's lines of `_FIELDS`, tab-separated. release: VERSION_ID of os-release, as "12".

    Source: packageurl.org/types/deb-definition.json (read November 2026); `upstream`, the source package, for which
    Debian's advisories are written, is syft's and no part of it."""
    found = []
    for line in listed.splitlines():
        name, version, architecture, source, source_version = line.split("\t")
        name = name.partition(":")[0]
        qualifiers = {"arch": architecture, "distro": f"debian-{release}"}
        if (source, source_version) != (name, version):
            qualifiers["upstream"] = f"{source}@{source_version}"
        said = "&".join(f"{key}={quote(text, safe='')}" for key, text in sorted(qualifiers.items()))
        purl = f"pkg:deb/debian/{quote(name, safe='')}@{quote(version, safe='')}?{said}"
        found.append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    return found


def python(version: str) -> Component:
    """Python itself, under the names that lists of vulnerabilities know it by."""
    return {
        "type": "application",
        "bom-ref": "python",
        "name": "python",
        "version": version,
        "purl": f"pkg:generic/python@{version}",
        "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
    }


def unlocked(components: Iterable[Component], locks: Iterable[str]) -> list[str]:
    """Packages of Python's, as name==version, that no lock pins so. locks: their texts."""
    pinned = {(_normal(name), version) for lock in locks for name, version in _PINNED.findall(lock)}
    held = {
        (_normal(one["name"]), one["version"]) for one in components if "pkg:pypi/" in one.get("purl", "")
    }
    return sorted(f"{name}=={version}" for name, version in held - pinned)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _said(command: Sequence[str | Path]) -> str:
    """Raises: CannotContinue with what it wrote."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise CannotContinue(f"{command[0]}: {ended.stderr.strip()}")
    return ended.stdout


def _of_debian(program: str) -> bool:
    return subprocess.run(["dpkg-query", "-S", program], capture_output=True, check=False).returncode == 0


def listed(name: str, environment: Path) -> dict[str, Any]:
    """The whole document. Raises: CannotContinue."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    options = ["environment", "--sv", _SPECIFICATION, "--output-reproducible"]
    document: dict[str, Any] = json.loads(_said([tool, *options, environment / "bin" / "python"]))
    document["metadata"]["component"] = {"type": "container", "bom-ref": "image", "name": name}
    form = "\t".join(f"${{{field}}}" for field in _FIELDS)
    release = re.findall(r'^VERSION_ID="?([^"\n]+)', _RELEASE.read_text(encoding="utf-8"), re.MULTILINE)
    document["components"] += debian(_said(["dpkg-query", "-W", "-f", f"{form}\n"]), release[0])
    interpreter = (environment / "bin" / "python").resolve()
    if not _of_debian(str(interpreter)):
        version = _said([interpreter, "-c", "import platform; print(platform.python_version())"])
        document["components"].append(python(version.strip()))
    return document


def _refuse_invalid(text: str) -> None:
    """Raises: CannotContinue."""
    schema: Any = import_module("cyclonedx.schema")  # only where images are built
    checked: Any = import_module("cyclonedx.validation.json").JsonStrictValidator(schema.SchemaVersion.V1_6)
    if wrong := checked.validate_str(text):
        raise CannotContinue(f"This is no CycloneDX {_SPECIFICATION}: {wrong}")


def main() -> int:
    name, environment, *locks = sys.argv[1:]
    document = listed(name, Path(environment))
    if stray := unlocked(document["components"], [Path(lock).read_text(encoding="utf-8") for lock in locks]):
        raise CannotContinue(f"No lock names {', '.join(stray)}.")
    text = json.dumps(document, indent=1)
    _refuse_invalid(text)
    print(text)
    return 0


if __name__ == "__main__":
    run_command(main)
