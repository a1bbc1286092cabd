"""Which sandbox is used, and that one which let an attack out is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.executor import limits
from services.executor.ports import Enforcement, Order, Sandbox
from services.executor.siege import proof
from services.executor.siege.cases import Case
from services.executor.siege.chosen import ChosenSandbox
from services.executor.siege.doctor import proven
from services.executor.siege.judge import Found
from shared.errors import Unavailable
from tests.contract.sandbox_runs import RecordingSink
from tests.fakes.sandbox import FakeSandbox


class _Named(FakeSandbox):
    """Says that it is another backend; `cure` when it does not work here."""

    def __init__(self, root: Path, name: str, cure: str = "") -> None:
        super().__init__(root)
        self._found = Enforcement(
            name, frozenset() if cure else frozenset({"wall"}), {"all": cure} if cure else {}
        )

    def enforcement(self) -> Enforcement:
        return self._found


def _maker(root: Path, name: str, cure: str = "") -> Callable[[], Sandbox]:
    return lambda: _Named(root / name, name, cure)


def _proof(verdict: str, backend: str = "bubblewrap") -> proof.Proof:
    case = Case(id="fs-out", category="fs", code="", expect=frozenset({"BLOCKED"}))
    found = Found(case, verdict, verdict == "BLOCKED", "")  # type: ignore[arg-type]
    return proven(backend, [found], "2026-11-22T00:00:00.000000Z")


def _start(sandbox: ChosenSandbox, folder: Path) -> RecordingSink:
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / "main.py").write_text("print('ran')")
    sink = RecordingSink()
    sandbox.start(Order("att_1", code), sink)
    sink.wait()
    sandbox.release("att_1")
    return sink


def test_the_first_is_used_when_it_works(tmp_path: Path) -> None:
    sandbox = ChosenSandbox([_maker(tmp_path, "bubblewrap"), _maker(tmp_path, "docker")], tmp_path)

    assert (sandbox.enforcement().backend, limits.note(sandbox.enforcement(), "en")) == ("bubblewrap", "")


def test_the_next_is_used_and_the_reason_told_when_the_first_is_denied(tmp_path: Path) -> None:
    sandbox = ChosenSandbox(
        [_maker(tmp_path, "bubblewrap", "denied here"), _maker(tmp_path, "docker")], tmp_path
    )

    found = sandbox.enforcement()

    assert found.backend == "docker"
    said = [limits.note(found, language) for language in ("ko", "en")]
    assert said == [
        "bubblewrap이(가) 여기서 되지 않아 docker을(를) 써요: denied here",
        "bubblewrap does not work here, so docker is used: denied here",
    ]


def test_no_other_is_used_when_one_is_named_and_denied(tmp_path: Path) -> None:
    sandbox = ChosenSandbox([_maker(tmp_path, "gvisor", "install it")], tmp_path)

    assert sandbox.enforcement().missing == {"all": "install it"}
    assert sandbox.enforcement().backend == "gvisor"


def test_the_cure_of_the_first_is_told_when_none_works(tmp_path: Path) -> None:
    sandbox = ChosenSandbox(
        [_maker(tmp_path, "bubblewrap", "allow it"), _maker(tmp_path, "docker", "no")], tmp_path
    )

    assert sandbox.enforcement().missing == {"all": "allow it"}


def test_runs_are_refused_with_the_cure_when_an_attack_got_out(tmp_path: Path) -> None:
    sandbox = ChosenSandbox([_maker(tmp_path, "bubblewrap")], tmp_path)
    proof.write(tmp_path, _proof("ESCAPED"))

    with pytest.raises(Unavailable, match=r"fs-out.*make doctor"):
        _start(sandbox, tmp_path)
    assert "fs-out" in sandbox.enforcement().missing["all"]
    assert sandbox.enforcement().enforced == frozenset()


def test_runs_start_again_when_a_later_doctor_finds_everything_held(tmp_path: Path) -> None:
    sandbox = ChosenSandbox([_maker(tmp_path, "bubblewrap")], tmp_path)
    proof.write(tmp_path, _proof("ESCAPED"))
    with pytest.raises(Unavailable):
        _start(sandbox, tmp_path)

    proof.write(tmp_path, _proof("BLOCKED"))

    assert _start(sandbox, tmp_path).text == "ran\n"
    sandbox.close()


@pytest.mark.parametrize("change", [{"backend": "docker"}, {"kernel": "other"}, {"version": "older"}])
def test_nothing_is_refused_when_the_proof_is_of_another_sandbox(
    tmp_path: Path, change: dict[str, str]
) -> None:
    sandbox = ChosenSandbox([_maker(tmp_path, "bubblewrap")], tmp_path)
    proof.write(tmp_path, _proof("ESCAPED").model_copy(update=change))

    assert _start(sandbox, tmp_path).text == "ran\n"
    sandbox.close()


def test_a_proof_that_cannot_be_read_counts_as_none_when_it_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / proof.NAME).write_text("{")

    assert proof.read(tmp_path) is None
