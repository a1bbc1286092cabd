"""The sandbox this machine uses: the first that works of those asked for, refused once a case got out of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from services.executor.ports import AttemptSink, Ended, EndReason, Enforcement, Order, Sandbox, Waiting
from services.executor.siege import proof
from shared.errors import Unavailable


class ChosenSandbox:
    """makers: in order of preference. With one it is that one or nothing; of several a later one is taken only
    where the first does not work at all, and `enforcement` says so. folder: where the corpus writes what it found."""

    def __init__(self, makers: Sequence[Callable[[], Sandbox]], folder: Path) -> None:
        self._makers = tuple(makers)
        self._folder = folder
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._backend = ""
        self._passed_over = ("", "")
        self._read: tuple[tuple[int, int], proof.Proof | None] | None = None

    def start(self, order: Order, sink: AttemptSink) -> str:
        sandbox = self._chosen()
        self._demand_clean()
        return sandbox.start(order, sink)

    def observe(self, handle: str) -> Literal["running", "unknown"] | Ended:
        return self._chosen().observe(handle)

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        self._chosen().stop(handle, reason)

    def release(self, handle: str) -> None:
        self._chosen().release(handle)

    def sweep(self, known: Collection[str]) -> None:
        self._chosen().sweep(known)

    def warm(self, order: Order, on_gone: Callable[[str], None]) -> None:
        sandbox = self._chosen()
        self._demand_clean()
        sandbox.warm(order, on_gone)

    def waiting(self) -> tuple[Waiting, ...]:
        return self._chosen().waiting()

    def cool(self, id: str) -> None:
        self._chosen().cool(id)

    def enforcement(self) -> Enforcement:
        chosen = self._chosen()
        preferred, denied = self._passed_over
        found = replace(chosen.enforcement(), preferred=preferred, denied=denied)
        self._backend = found.backend
        try:
            self._demand_clean()
        except Unavailable as error:
            return replace(found, enforced=frozenset(), missing={"all": error.detail})
        return found

    def close(self) -> None:
        with self._lock:
            sandbox = self._sandbox
        if sandbox is not None:
            sandbox.close()

    def _chosen(self) -> Sandbox:
        with self._lock:
            if self._sandbox is None:
                self._sandbox = self._choose()
            return self._sandbox

    def _choose(self) -> Sandbox:
        first = self._makers[0]()
        found = first.enforcement() if len(self._makers) > 1 else None
        if found is None or "all" not in found.missing:
            self._backend = found.backend if found else ""
            return first
        for maker in self._makers[1:]:
            other = maker()
            instead = other.enforcement()
            if "all" not in instead.missing:
                first.close()
                self._backend = instead.backend
                self._passed_over = (found.backend, found.missing["all"])
                return other
            other.close()
        return first  # its cure is the one to tell; it tries again by itself

    def _demand_clean(self) -> None:
        try:
            about = (self._folder / proof.NAME).stat()
        except OSError:
            return
        stamp = (about.st_mtime_ns, about.st_size)
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, proof.read(self._folder))
        written = self._read[1]
        if written is None or not written.escaped:
            return
        self._backend = self._backend or self._chosen().enforcement().backend
        proof.demand_clean(written, self._backend)
