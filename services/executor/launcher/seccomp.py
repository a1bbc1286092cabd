"""The seccomp program of a sandbox as classic BPF, made without libseccomp.

A denial list with a ceiling: calls newer than the table are refused too, so a kernel upgrade never opens
a door by itself. tests/unit/executor/test_seccomp.py runs the program in a small BPF machine.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from services.executor.launcher.syscall_numbers import NEWEST_KNOWN, NUMBERS

# linux/audit.h
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# linux/seccomp.h
KILL_PROCESS = 0x80000000
ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_X32_BIT = 0x40000000

_LOAD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h, 32-bit forms
_NR, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data; arguments are little-endian u64

# every CLONE_NEW* flag that clone() itself takes (linux/sched.h)
_CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_INTERNET_PROTOCOLS = (0, 6, 17)  # default, TCP, UDP: no SCTP, MPTCP, DCCP, raw …

# glibc and libuv fall back when these are "not there"; a permission error would not make them
_ABSENT = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register")
# memory nobody is charged for; refused where no memory cgroup watches (the launcher polls processes there)
_UNCHARGED_MEMORY = ("memfd_create", "shmget")
_SPECIAL = frozenset({"clone", "socket", "ioctl", *_ABSENT, *_UNCHARGED_MEMORY})


@dataclass
class _Line:
    op: int
    value: int
    yes: str = ""
    no: str = ""


class _Program:
    """Instructions with named jump targets; an empty target is the next instruction."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._labels: dict[str, int] = {}

    def load(self, offset: int) -> None:
        self._lines.append(_Line(_LOAD, offset))

    def test(self, op: int, value: int, yes: str = "", no: str = "") -> None:
        self._lines.append(_Line(op, value, yes, no))

    def give(self, value: int, label: str = "") -> None:
        if label:
            self.mark(label)
        self._lines.append(_Line(_RET, value))

    def mark(self, label: str) -> None:
        self._labels[label] = len(self._lines)

    def assemble(self) -> bytes:
        raw = b""
        for at, line in enumerate(self._lines):
            yes, no = (self._labels[t] - at - 1 if t else 0 for t in (line.yes, line.no))
            if not (0 <= yes < 256 and 0 <= no < 256):
                raise ValueError(f"jump too far at instruction {at}")
            raw += struct.pack("<HBBI", line.op, yes, no, line.value)
        return raw


def program(machine: str, *, memory_is_charged: bool) -> bytes:
    """The filter for `machine` ("x86_64" or "aarch64") as an array of struct sock_filter.

    memory_is_charged: a kernel memory limit covers memfd and System V segments, so they may be allowed.
    KeyError for other machines: there is no sandbox without a filter.
    """
    numbers = NUMBERS[machine]
    p = _Program()
    p.load(_ARCH)
    p.test(_JEQ, AUDIT_ARCH[machine], no="kill")
    p.load(_NR)
    if machine == "x86_64":
        p.test(_JGE, _X32_BIT, yes="kill")
    p.test(_JGE, NEWEST_KNOWN + 1, yes="absent")
    for name in ("clone", "socket", "ioctl"):
        p.test(_JEQ, numbers[name], yes=name)
    absent = _ABSENT if memory_is_charged else _ABSENT + _UNCHARGED_MEMORY
    for name in absent:
        p.test(_JEQ, numbers[name], yes="absent")
    for name, number in sorted(numbers.items(), key=lambda pair: pair[1]):
        if name not in _SPECIAL:
            p.test(_JEQ, number, yes="refuse")
    p.give(ALLOW, "allow")
    p.give(_ERRNO | errno.EPERM, "refuse")
    p.give(_ERRNO | errno.ENOSYS, "absent")
    p.give(KILL_PROCESS, "kill")
    _arguments(p)
    return p.assemble()


def _arguments(p: _Program) -> None:
    """Calls judged by argument. They return for themselves: jumps only go forward."""
    p.mark("clone")
    p.load(_ARGS)
    p.test(_JSET, _CLONE_NEW, yes="clone-no")
    p.give(ALLOW)
    p.give(_ERRNO | errno.EPERM, "clone-no")

    p.mark("ioctl")
    p.load(_ARGS + 8)
    for request in _TERMINAL_INJECTION:
        p.test(_JEQ, request, yes="ioctl-no")
    p.give(ALLOW)
    p.give(_ERRNO | errno.EPERM, "ioctl-no")

    p.mark("socket")
    p.load(_ARGS)
    p.test(_JEQ, _AF_UNIX, yes="socket-ok")
    p.test(_JEQ, _AF_INET, yes="internet")
    p.test(_JEQ, _AF_INET6, yes="internet")
    p.test(_JEQ, _AF_NETLINK, no="socket-no")
    p.load(_ARGS + 16)
    p.test(_JEQ, _NETLINK_ROUTE, yes="socket-ok", no="socket-no")
    p.mark("internet")
    p.load(_ARGS + 16)
    for protocol in _INTERNET_PROTOCOLS:
        p.test(_JEQ, protocol, yes="socket-ok")
    p.give(_ERRNO | errno.EAFNOSUPPORT, "socket-no")
    p.give(ALLOW, "socket-ok")
