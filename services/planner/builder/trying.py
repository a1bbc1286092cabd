"""From files to a candidate that may be rehearsed, and from a rehearsal to what the model is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.planner.builder.quoting import quoted
from services.planner.bundles import Draft, stored
from services.planner.review import review
from shared.agentfile import toml
from shared.agentfile.model import AgentFile, Language
from shared.blobs.port import Blobs
from shared.errors import BadRequest
from shared.events.conversation import SeenExchange
from shared.records.executor import Run, RunEntry
from shared.records.planner import Plan

_LOG = 6_000
_REPORT = 3_000
_FILE = 24_000
_EXCHANGE = 6_000


@dataclass(frozen=True)
class Candidate:
    """doubts: what the reviewer could not tell, as sentences for the person."""

    draft: Draft
    doubts: tuple[str, ...]


def bundle_files(files: Mapping[str, bytes], file: AgentFile, summary: str) -> dict[str, bytes]:
    """With what every version carries."""
    readme = files.get("README.md") or f"# {file.agent.name}\n\n{summary}\n".encode()
    return {**files, "README.md": readme, "agent.toml": toml.dump(file).encode()}


def candidate(files: Mapping[str, bytes], plan: Plan, language: Language, blobs: Blobs) -> Candidate:
    """Raises BadRequest, for the model, when there is nothing to run or the code does what the plan does not say."""
    if "main.py" not in files:
        raise BadRequest("There is no main.py yet.")
    seen = review(files, plan.agent_file, language=language)
    if seen.refusals or seen.differences:
        raise BadRequest(
            "Not tested: the code and the plan do not agree. Mend the code, or propose a plan that says it.\n"
            + seen.for_model,
            code="differs",
        )
    whole = bundle_files(files, plan.agent_file, plan.summary)
    key, digest = stored(whole, blobs)
    draft = Draft(
        agent_file=plan.agent_file,
        bundle_key=key,
        bundle_sha256=digest,
        files=tuple(sorted(whole)),
        lock=None,
        summary=plan.summary,
        steps=plan.steps,
        packages=plan.packages,
        found=plan.found,
        wont=plan.wont,
        seconds=plan.estimate.seconds_per_run,
        findings=seen.doubts,
    )
    return Candidate(draft, seen.doubts)


def passed(run: Run) -> bool:
    """It came to its end and kept every promise."""
    return run.status == "succeeded" and run.outcome == "pending"


def told(run: Run, entries: Sequence[RunEntry], files: Sequence[tuple[str, int]]) -> str:
    """The tool result of a rehearsal. What the program printed and delivered is quoted: pages speak through it."""
    lines = [f"The rehearsal {'kept every promise' if passed(run) else 'did not pass'}: status {run.status}."]
    if run.reason is not None:
        lines.append(f"Why: {run.reason.text}")
    if run.checks:
        lines.append("Promises:")
        lines += [
            f"- {'held' if check.held else 'BROKEN'}: {check.says} ({check.text})" for check in run.checks
        ]
    if run.would_send:
        lines.append("It would have written: " + "; ".join(_write(write) for write in run.would_send[:10]))
    if run.hosts:
        lines.append(
            "Contacted: "
            + "; ".join(f"{host.host} {host.verdict} x{host.requests}" for host in run.hosts[:20])
        )
    lines.append(
        "Files: " + (", ".join(f"outputs/{name} ({size} bytes)" for name, size in files[:30]) or "none")
    )
    for delivery in run.deliveries[:3]:
        lines.append(f"Report for {delivery.channel}:\n{quoted('report', delivery.text, _REPORT)}")
    if printed := _printed(entries):
        lines.append(f"Printed at the end:\n{quoted('log', printed, _LOG)}")
    lines.append(f"It took {run.usage.wall_ms} ms and {run.usage.memory_peak_bytes >> 20} MB.")
    return "\n".join(lines)


def read(exchanges: Sequence[SeenExchange]) -> list[str]:
    """What pages answered a broken run, and a good one before it: anybody may have written it, so it is quoted."""
    lines = []
    for seen in exchanges:
        when = "The broken run" if seen.run == "broken" else "The last good run"
        where = f", from character {seen.start} of {seen.length}" if seen.start else ""
        lines.append(f"{when} was answered {seen.status or 'nothing'}{where}:")
        lines.append(quoted(f"{seen.run} run", f"{seen.request}\n\n{seen.text}", _EXCHANGE))
    return lines


def _write(write: Mapping[str, object]) -> str:
    return f"{str(write.get('method', ''))[:10]} {str(write.get('url', ''))[:200]}"


def _printed(entries: Sequence[RunEntry]) -> str:
    """The end of what was printed: a traceback stands last."""
    text = "".join(str(entry.data.get("text", "")) for entry in entries if entry.kind == "log")
    return text[-_LOG:].strip()


def shown_file(path: str, text: str, lines: int, first: int) -> str:
    head = f"{path}, {lines} lines, from line {first}:\n"
    if path.startswith("outputs/"):
        return head + quoted(path, text, _FILE)
    return head + (text if len(text) <= _FILE * 3 else text[: _FILE * 3] + "\n… (cut here)")
