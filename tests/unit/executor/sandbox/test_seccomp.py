"""The seccomp program, run instruction by instruction in a small BPF machine."""

from __future__ import annotations

import errno
import struct

import pytest

from services.executor.launcher import seccomp
from services.executor.launcher.syscall_numbers import NEWEST_KNOWN, NUMBERS

_REFUSED = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS
_NO_FAMILY = 0x00050000 | errno.EAFNOSUPPORT
_MACHINES = ["x86_64", "aarch64"]


def _judge(program: bytes, number: int, arguments: tuple[int, ...] = (), arch: int | None = None) -> int:
    """What the kernel would be told about one call; raises on an instruction the kernel would not accept."""
    assert arch is not None
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, arch, 0, *(value & (2**64 - 1) for value in padded))
    lines = list(struct.iter_unpack("<HBBI", program))
    accumulator = at = 0
    while True:
        op, yes, no, value = lines[at]
        at += 1
        if op == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif op == 0x06:
            return int(value)
        else:
            test = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[
                op
            ]
            at += yes if test else no


class _Filter:
    def __init__(self, machine: str, *, charged: bool = True) -> None:
        self._program = seccomp.program(machine, memory_is_charged=charged)
        self._arch = seccomp.AUDIT_ARCH[machine]
        self.numbers = NUMBERS[machine]
        self.length = len(self._program) // 8

    def __call__(self, call: str | int, *arguments: int, arch: int | None = None) -> int:
        number = self.numbers[call] if isinstance(call, str) else call
        return _judge(self._program, number, arguments, arch or self._arch)


@pytest.fixture(params=_MACHINES)
def judge(request: pytest.FixtureRequest) -> _Filter:
    return _Filter(request.param)


def test_program_fits_the_kernels_bound_when_assembled(judge: _Filter) -> None:
    assert judge.length < 4096  # BPF_MAXINSNS


@pytest.mark.parametrize(
    "call",
    [
        *("mount", "umount2", "pivot_root", "ptrace", "process_vm_readv", "bpf", "perf_event_open"),
        *("keyctl", "setns", "unshare", "open_by_handle_at", "finit_module", "kexec_load", "userfaultfd"),
        *("fsopen", "open_tree", "move_mount", "mount_setattr", "pidfd_getfd", "memfd_secret", "syslog"),
    ],
)
def test_call_is_refused_when_it_could_change_the_machine(judge: _Filter, call: str) -> None:
    assert judge(call) == _REFUSED


def test_every_listed_call_is_judged_when_made_without_arguments(judge: _Filter) -> None:
    """No number of the table falls through to "allow" by a slip in the order of tests."""
    by_argument = {"clone", "ioctl", "memfd_create", "shmget"}
    allowed = {call for call in judge.numbers if judge(call) == seccomp.ALLOW}
    assert allowed == by_argument


@pytest.mark.parametrize("call", ["clone3", "io_uring_setup", "io_uring_enter"])
def test_call_looks_absent_when_libraries_have_another_way(judge: _Filter, call: str) -> None:
    assert judge(call) == _ABSENT


@pytest.mark.parametrize("number", [NEWEST_KNOWN + 1, 1000, 0x3FFFFFFF])
def test_call_looks_absent_when_it_is_newer_than_the_table(judge: _Filter, number: int) -> None:
    assert judge(number) == _ABSENT


def test_ordinary_calls_are_allowed_when_made(judge: _Filter) -> None:
    ordinary = [n for n in range(60, 100) if n not in judge.numbers.values()]
    assert ordinary
    assert {judge(number) for number in ordinary} == {seccomp.ALLOW}


def test_process_dies_when_another_machines_calls_are_used(judge: _Filter) -> None:
    assert judge("ptrace", arch=0x40000003) == seccomp.KILL_PROCESS  # i386


def test_process_dies_when_x32_numbers_are_used() -> None:
    assert _Filter("x86_64")(0x40000000 | 39) == seccomp.KILL_PROCESS


@pytest.mark.parametrize(
    "flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_clone_is_refused_when_it_asks_for_a_namespace(judge: _Filter, flag: int) -> None:
    assert judge("clone", flag | 17) == _REFUSED
    assert judge("clone", 0x3D0F00) == seccomp.ALLOW  # what glibc passes for a thread


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((1, 1, 0), seccomp.ALLOW),  # unix
        ((2, 1, 0), seccomp.ALLOW),  # TCP
        ((10, 2, 17), seccomp.ALLOW),  # UDP over IPv6
        ((16, 3, 0), seccomp.ALLOW),  # netlink route
        ((16, 3, 9), _NO_FAMILY),  # netlink audit
        ((2, 1, 132), _NO_FAMILY),  # SCTP
        ((2, 3, 255), _NO_FAMILY),  # raw
        ((17, 3, 0), _NO_FAMILY),  # packet
        ((38, 5, 0), _NO_FAMILY),  # kernel crypto
        ((40, 1, 0), _NO_FAMILY),  # to the machine's own host
    ],
)
def test_socket_is_judged_by_family_and_protocol_when_made(
    judge: _Filter, arguments: tuple[int, ...], expected: int
) -> None:
    assert judge("socket", *arguments) == expected


@pytest.mark.parametrize("request_number", [0x5412, 0x541C])
def test_ioctl_is_refused_when_it_types_into_a_terminal(judge: _Filter, request_number: int) -> None:
    assert judge("ioctl", 0, request_number) == _REFUSED
    assert judge("ioctl", 0, request_number | 1 << 32) == _REFUSED  # the kernel reads 32 bits
    assert judge("ioctl", 0, 0x5401) == seccomp.ALLOW


@pytest.mark.parametrize("machine", _MACHINES)
@pytest.mark.parametrize("call", ["memfd_create", "shmget"])
def test_memory_nobody_is_charged_for_is_absent_when_no_group_counts_it(machine: str, call: str) -> None:
    assert _Filter(machine, charged=True)(call) == seccomp.ALLOW
    assert _Filter(machine, charged=False)(call) == _ABSENT


def test_there_is_no_program_when_the_machine_is_unknown() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64", memory_is_charged=True)
