"""Steps, deliveries and files. On the platform steps and deliveries are lines in the report pipe."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OUTPUTS = "outputs"
_REPORT_BYTES = 60_000  # the platform drops longer lines


class AgentError(Exception):
    """The library was asked for something it cannot do; the text says what to do instead. code: the same for
    programs, where there is something to tell apart."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


def step(name: str) -> None:
    """Say what the run is doing now; shown to people as it happens."""
    if not _report({"kind": "step", "name": str(name)}):
        print(f"▶ {name}", flush=True)


def deliver(channel: str, text: str, files: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Ask for a message to be sent after the run has kept its contract. Files are named within ./outputs.

    Offline it is a line in ./outputs/deliveries.jsonl. AgentError for a file that is not there or a text
    too long for one message (put it in a file).
    """
    names = [_name(file) for file in files]
    entry: dict[str, object] = {"kind": "deliver", "channel": channel, "text": text, "files": names}
    if not _report(entry):
        import json
        from pathlib import Path

        Path(OUTPUTS).mkdir(exist_ok=True)
        with Path(OUTPUTS, "deliveries.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def output(path: str | os.PathLike[str]) -> Path:
    """Where to write a result: the path below ./outputs, its folder made. AgentError outside ./outputs."""
    from pathlib import Path

    target = Path(OUTPUTS) / _inside(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _inside(path: str | os.PathLike[str]) -> Path:
    """Relative to ./outputs, whether or not the caller wrote `outputs/` in front."""
    from pathlib import Path

    given = Path(path)
    if given.is_absolute():
        given = Path(os.path.relpath(given, Path(OUTPUTS).absolute()))
    elif given.parts[:1] == (OUTPUTS,):
        given = Path(*given.parts[1:])
    if not given.parts or ".." in given.parts:
        raise AgentError(f"{path}: 결과 파일은 ./outputs 안에 있어야 해요. (Results belong in ./outputs.)")
    return given


def _name(path: str | os.PathLike[str]) -> str:
    from pathlib import Path

    inside = _inside(path)
    if not (Path(OUTPUTS) / inside).is_file():
        raise AgentError(
            f"{inside}: 먼저 ./outputs에 만들어 주세요. (Write this file to ./outputs before delivering it.)"
        )
    return inside.as_posix()


def _report(entry: dict[str, object]) -> bool:
    """False outside the platform."""
    pipe = os.environ.get("AGENT_REPORT_FD")
    if pipe is None:
        return False
    import json

    line = json.dumps(entry).encode() + b"\n"
    if len(line) > _REPORT_BYTES:
        raise AgentError("글이 너무 길어요. 파일로 붙여 주세요. (The text is too long; attach it as a file.)")
    os.write(int(pipe), line)
    return True
