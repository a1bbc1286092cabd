"""Does what the model's calls ask for, as far as that can be done at once, and says what is still awaited.

Runs outside any commit: it may read and write blobs and read the stores, and may be done again.
"""

from __future__ import annotations

import ast
import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from services.planner.builder import inputs, looking, plan, trying
from services.planner.builder.tools import (
    ASK,
    FINISH,
    LOOK,
    MAX_ADDRESSES,
    NAMES,
    PLAN,
    READ,
    SEARCH,
    TEST,
    WRITE,
)
from services.planner.bundles import Draft, file_stored, stored
from services.planner.model import Build, Done, Pending, Work
from services.planner.ports import LlmAnswer, ToolCall
from shared.agentfile.model import AgentFile
from shared.blobs.port import Blobs
from shared.errors import BadRequest, NotFound
from shared.records.planner import PackageWish, Plan

MAX_FILES = 40
_UNWRITTEN = b'raise SystemExit("The code is written once the plan was allowed.")\n'
_RESERVED = frozenset({"agent.toml", "requirements.lock"})


@dataclass
class Acted:
    """What came of one answer. At most one of ask, draft, test and finish is for the person or a sandbox.

    lookups: package names the index must be asked about. draft: a plan to show under the call `draft_call`.
    test: a candidate whose code is stored, to be rehearsed with `test_input`. doubts: what the reviewer could
    not tell. wrote: (path, characters, lines) of each file written.
    """

    work: Work
    ask: inputs.AskInput | None = None
    addresses: tuple[str, ...] = ()
    look_bundle_key: str = ""
    lookups: tuple[str, ...] = ()
    draft: Draft | None = None
    draft_call: str = ""
    test: Draft | None = None
    test_call: str = ""
    test_input: object = None
    finish: str | None = None
    doubts: tuple[str, ...] = ()
    wrote: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """What calls are done with. plan: the one that was allowed last, if any. outputs: reads a file that the last
    test left, by its path below outputs/; raises NotFound."""

    build: Build
    plan: Plan | None
    blobs: Blobs
    outputs: Callable[[str], bytes]


def act(answer: LlmAnswer, bench: Bench) -> Acted:
    """All calls in order. Every call has a result or is pending afterwards."""
    acted = Acted(bench.build.work)
    for call in answer.calls:
        try:
            tool = _TOOLS.get(call.name)
            if tool is None:
                raise BadRequest(f"There is no tool {call.name!r}. There are: {', '.join(NAMES)}.")
            tool(acted, call, bench)
        except BadRequest as error:
            acted.work = acted.work.done(Done(call_id=call.id, text=error.detail, failed=True))
    return acted


def _done(acted: Acted, call: ToolCall, text: str) -> None:
    acted.work = acted.work.done(Done(call_id=call.id, text=text))


def _await(acted: Acted, call: ToolCall, ref: str = "") -> None:
    waiting = Pending(call_id=call.id, tool=call.name, ref=ref)
    acted.work = acted.work.but(pending=(*acted.work.pending, waiting))


def _one_thing(acted: Acted) -> None:
    """Raises BadRequest when the answer asks for a second thing that must be waited for."""
    if acted.ask or acted.draft or acted.test or acted.finish is not None:
        raise BadRequest(
            "One of ask_user, propose_plan, run_test and finish at a time; this one was not done."
        )


def _ask(acted: Acted, call: ToolCall, bench: Bench) -> None:
    _one_thing(acted)
    asked = inputs.read(call, inputs.AskInput)
    if words := inputs.asks_for_secret(asked):
        raise BadRequest(
            f"The question was not shown: it asks for something nobody should type into a chat ({words!r}). Name a "
            "secret in the plan instead; the person types it into the permission sheet."
        )
    acted.ask = asked
    _await(acted, call)


def _search(acted: Acted, call: ToolCall, bench: Bench) -> None:
    names = tuple(name.strip() for name in inputs.read(call, inputs.SearchInput).names if name.strip())
    acted.lookups = tuple(dict.fromkeys((*acted.lookups, *names)))
    _await(acted, call, "\n".join(names))


def _look(acted: Acted, call: ToolCall, bench: Bench) -> None:
    asked = inputs.read(call, inputs.LookInput).addresses
    build = bench.build
    hosts = looking.named_hosts((*build.messages, *build.answers.values()))
    if bench.plan is not None:
        hosts |= {rule.host for rule in bench.plan.agent_file.manifest.hosts}
    if refused := [why for address in asked if (why := looking.refusal_of(address, hosts))]:
        raise BadRequest("Nothing was read:\n- " + "\n- ".join(refused))
    together = tuple(dict.fromkeys((*acted.addresses, *asked)))
    if len(together) > MAX_ADDRESSES:
        raise BadRequest(f"At most {MAX_ADDRESSES} addresses at once; look at these in the next step.")
    acted.addresses = together
    acted.look_bundle_key = looking.read_program_stored(bench.blobs)
    _await(acted, call, "\n".join(asked))


def _propose(acted: Acted, call: ToolCall, bench: Bench) -> None:
    _one_thing(acted)
    said = inputs.read(call, inputs.PlanInput)
    file = plan.agent_file(said, bench.build.language)
    unknown = [
        name for name in map(plan.package_name, file.agent.packages) if name not in acted.work.packages
    ]
    doubted = [
        text
        for name in map(plan.package_name, file.agent.packages)
        if (text := acted.work.packages.get(name))
    ]
    if doubted:
        raise BadRequest("The plan was not shown. Mend these and propose again:\n- " + "\n- ".join(doubted))
    acted.lookups = tuple(dict.fromkeys((*acted.lookups, *unknown)))
    acted.draft, acted.draft_call = _draft(said, file, bench), call.id
    _await(acted, call)


def _draft(said: inputs.PlanInput, file: AgentFile, bench: Bench) -> Draft:
    """Of a plan without code: it is written when the plan was allowed. Weaker promises are said."""
    files = trying.bundle_files({"main.py": _UNWRITTEN}, file, said.summary)
    key, digest = stored(files, bench.blobs)
    return Draft(
        agent_file=file,
        bundle_key=key,
        bundle_sha256=digest,
        files=tuple(sorted(files)),
        lock=None,
        summary=said.summary,
        steps=said.steps,
        packages=tuple(PackageWish(name=package.name, why=package.why) for package in said.packages),
        found=said.found,
        wont=said.wont,
        seconds=said.seconds_per_run,
        findings=plan.weaker_than(bench.plan, file, bench.build.language),
    )


def _write(acted: Acted, call: ToolCall, bench: Bench) -> None:
    given = inputs.read(call, inputs.WriteInput)
    if acted.work.phase != "code":
        raise BadRequest("Files are written after the person allowed the plan. Propose it first.")
    path = _file_path(given.path)
    if path not in acted.work.files and len(acted.work.files) >= MAX_FILES:
        raise BadRequest(f"At most {MAX_FILES} files.")
    key = file_stored(given.content.encode(), bench.blobs)
    acted.work = acted.work.but(files={**acted.work.files, path: key})
    lines = given.content.count("\n") + 1
    acted.wrote.append((path, len(given.content), lines))
    _done(acted, call, f"Written: {path}, {lines} lines.{_syntax(path, given.content)}")


def _file_path(text: str) -> str:
    path = text.strip().removeprefix("./")
    parts = path.split("/")
    odd = any(unicodedata.category(c)[0] == "C" or c in '\\:*?"<>|' for c in path)
    if not path or len(path) > 120 or odd or any(part in ("", ".", "..") for part in parts) or len(parts) > 4:
        raise BadRequest(
            f"{text[:120]!r} is not a path inside the agent's folder, such as main.py or lib/page.py."
        )
    if parts[0] in ("outputs", "state") or path in _RESERVED:
        raise BadRequest(f"{path} is made by the platform; write another file.")
    return unicodedata.normalize("NFC", path)


def _syntax(path: str, content: str) -> str:
    if not path.endswith(".py"):
        return ""
    try:
        ast.parse(content)
    except (SyntaxError, ValueError, RecursionError) as error:
        where = getattr(error, "lineno", None)
        return (
            f" But it does not parse at line {where}: {getattr(error, 'msg', 'unreadable')}. Write it again."
        )
    return ""


def _read(acted: Acted, call: ToolCall, bench: Bench) -> None:
    given = inputs.read(call, inputs.ReadInput)
    path = given.path.strip().removeprefix("./")
    try:
        if path.startswith("outputs/"):
            data = bench.outputs(path.removeprefix("outputs/"))
        elif path in acted.work.files:
            data = bench.blobs.get(acted.work.files[path])
        else:
            there = ", ".join(sorted(acted.work.files)) or "none yet"
            raise BadRequest(f"There is no file {path[:120]!r}. Files: {there}.")
    except NotFound as error:
        raise BadRequest(f"The last test left no such file: {path[:120]!r}.") from error
    lines = data.decode("utf-8", errors="replace").splitlines()
    first = max(1, given.first_line)
    shown = "\n".join(lines[first - 1 : first - 1 + (given.lines or len(lines))])
    _done(acted, call, trying.shown_file(path, shown, len(lines), first))


def _test(acted: Acted, call: ToolCall, bench: Bench) -> None:
    _one_thing(acted)
    given = inputs.read(call, inputs.TestInput)
    if acted.work.phase != "code" or bench.plan is None:
        raise BadRequest("There is nothing to test yet: the person has not allowed a plan.")
    files = {path: bench.blobs.get(key) for path, key in acted.work.files.items()}
    made = trying.candidate(files, bench.plan, bench.build.language, bench.blobs)
    acted.test, acted.doubts = made.draft, made.doubts
    acted.test_call, acted.test_input = call.id, given.input
    _await(acted, call)


def _finish(acted: Acted, call: ToolCall, bench: Bench) -> None:
    _one_thing(acted)
    given = inputs.read(call, inputs.FinishInput)
    if not acted.work.tested or acted.work.tested != files_digest(acted.work):
        raise BadRequest("Not yet: the files as they stand have passed no test. Run run_test, then finish.")
    acted.finish = given.summary
    _done(acted, call, "Handed over to the person.")


def files_digest(work: Work) -> str:
    """Equal for equal files: their keys say what is in them."""
    text = "\n".join(f"{path}={key}" for path, key in sorted(work.files.items()))
    return hashlib.sha256(text.encode()).hexdigest()


_TOOLS: dict[str, Callable[[Acted, ToolCall, Bench], None]] = {
    ASK: _ask,
    SEARCH: _search,
    LOOK: _look,
    PLAN: _propose,
    WRITE: _write,
    READ: _read,
    TEST: _test,
    FINISH: _finish,
}
