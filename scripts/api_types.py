"""`pnpm run api-types`: the page's types of the API, written from its description without a running server.

The first line names both by their digests, so that a test without Node or a network knows when the API has moved on
and when somebody wrote into the file. What the API says of itself in words stays where it is said.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from scripts.console import CannotContinue, run_command, say
from scripts.layout import CACHE, ROOT, WEB
from scripts.packages import ensure_node, node_environment
from scripts.tools import Tool

TYPES = WEB / "src" / "api" / "schema.d.ts"
# It needs TypeScript 5, the page is built with 7: so it is no package of the page's own.
_WRITER = "openapi-typescript@7.13.0"


def described() -> bytes:
    from services.gateway.routes import description

    return json.dumps(_wordless(description()), ensure_ascii=False, sort_keys=True, indent=1).encode()


def _wordless(value: object) -> object:
    """A property may be called "description" as well; that one is no text. Answers must have one."""
    if isinstance(value, dict):
        return {
            name: "" if name == "description" and isinstance(inner, str) else _wordless(inner)
            for name, inner in value.items()
        }
    return [_wordless(inner) for inner in value] if isinstance(value, list) else value


def first_line(api: bytes, types: str) -> str:
    api_digest, types_digest = (hashlib.sha256(one).hexdigest()[:16] for one in (api, types.encode()))
    return f"// Written by `pnpm run api-types`: API {api_digest}, types {types_digest}.\n"


def is_current(text: str) -> bool:
    line, _, types = text.partition("\n")
    return f"{line}\n" == first_line(described(), types)


def main() -> int:
    tool = Tool()
    pnpm = ensure_node(tool) / "pnpm"
    api = described()
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "schema.d.ts"
        source.write_bytes(api)
        tool.run("pnpm-api-types", [pnpm, "dlx", _WRITER, source, "-o", target], env=node_environment())
        if not target.exists():
            raise CannotContinue("No types came out: see .cache/pnpm-api-types.log")
        types = target.read_text(encoding="utf-8")
    TYPES.write_text(first_line(api, types) + types, encoding="utf-8")
    say(f"wrote {TYPES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    run_command(main)
