"""An imported agent file becomes a proposal like any other; what it says about itself is only quoted."""

from __future__ import annotations

import ast

from services.planner.builder.plan import proves_nothing
from services.planner.bundles import Draft, stored
from services.planner.model import Build, say
from shared.agentfile import bundle, toml
from shared.agentfile.packages import check_packages
from shared.blobs.port import Blobs
from shared.errors import BadRequest
from shared.records.planner import PackageWish


def read_import(data: bytes, build: Build, blobs: Blobs) -> Draft:
    """Raises BadRequest or TooLarge with a sentence that says what to mend. The lock is made anew."""
    language = build.language
    files = bundle.unpack(data, language)
    file = toml.parse(_text(files["agent.toml"], "agent.toml"), language)
    check_packages(file.agent.packages, language)
    vacuous = proves_nothing(file, language) if file.contract else None
    if vacuous:
        raise BadRequest(vacuous, code="vacuous_contract")
    _parses(_text(files["main.py"], "main.py"), language)
    kept = {name: content for name, content in files.items() if name != "requirements.lock"}
    kept["agent.toml"] = toml.dump(file).encode()
    key, digest = stored(kept, blobs)
    return Draft(
        agent_file=file,
        bundle_key=key,
        bundle_sha256=digest,
        files=tuple(sorted(kept)),
        lock=None,
        summary=file.agent.name,
        steps=(),
        packages=tuple(PackageWish(name=name) for name in file.agent.packages),
        author_words=file.agent.summary or None,
        said=say("imported", language),
    )


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"{name} 은(는) UTF-8 글이어야 해요. ({name} must be UTF-8 text.)", code="bad_bundle"
        ) from error


def _parses(source: str, language: str) -> None:
    """Parsed, never executed."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise BadRequest(
            f"main.py {line}번째 줄을 읽을 수 없어요. 고쳐서 다시 올려 주세요."
            if language == "ko"
            else f"main.py cannot be read at line {line}. Mend it and send it again.",
            code="bad_code",
        ) from error
