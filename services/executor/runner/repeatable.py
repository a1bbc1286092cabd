"""Makes what the code takes for chance and for time the same again when a run is replayed.

Python's own sources of chance are fed from one stream per thread and task, keyed with 256 truly random bits of the
attempt: unguessable for anybody who lacks the tape. /dev/urandom, OpenSSL's own generator and programs other
than Python stay as they are. Read by bootstrap.py; built-in and frozen modules only.
"""

from __future__ import annotations

import _thread
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BLOCK = 64  # bytes of one digest
_CLOCK_FOLDER = "/clock"

_key = b""
_epoch = 0
_home = 0
_local = _thread._local()


def _mine() -> list[Any]:
    """This thread's stream: its name (who started it, in which order), how many threads and how many tasks of
    pools it started, the key's epoch, the next block's number, bytes left over.

    No class: making one takes longer than starting most runs may.
    """
    try:
        return _local.stream  # type: ignore[no-any-return]  # set below and nowhere else
    except AttributeError:
        _local.stream = [b"", 0, 0, -1, 0, b""]
        return _local.stream  # type: ignore[no-any-return]  # as above


def _urandom(size: int, /) -> bytes:
    """As os.urandom."""
    size = size.__index__()
    if size < 0:
        raise ValueError("negative argument not allowed")
    mine, pid = _mine(), posix.getpid()
    # A forked child goes on elsewhere: it must not repeat what its parent says.
    epoch = _epoch if pid == _home else -2 - pid
    if mine[3] != epoch:
        mine[3:] = epoch, 0, b""
    data: bytes = mine[5]
    if len(data) < size:
        # Here: most runs never ask, and loading it takes longer than all the rest.
        from _blake2 import blake2b

        parts, have = [data], len(data)
        while have < size:
            place = b"%d/%d/%s" % (mine[4], 0 if pid == _home else pid, mine[0])
            parts.append(blake2b(place, key=_key).digest())
            mine[4] += 1
            have += _BLOCK
        data = b"".join(parts)
    mine[5] = data[size:]
    return data[:size]


def _getrandom(size: int, flags: int = 0) -> bytes:
    return _urandom(size)


def _named(function: Callable[..., Any], *, task: bool) -> Callable[..., Any]:
    """The function of a new thread or task, with a stream named by the one that starts it. Counted apart: how
    many threads a pool starts for its tasks is the machine's choice."""
    mine, kind = _mine(), 2 if task else 1
    mine[kind] += 1
    path = b"%s.%d-%d" % (mine[0], kind, mine[kind])

    def run(*args: Any, **named: Any) -> Any:
        before = _mine()
        _local.stream = [path, 0, 0, -1, 0, b""]
        try:
            return function(*args, **named)
        finally:
            _local.stream = before

    return run


def _starting(start: Callable[..., Any]) -> Callable[..., Any]:
    def started(function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return start(_named(function, task=False), *args, **named)

    return started


def _on_pool(module: Any) -> None:
    """Which worker of a pool gets which task is the machine's choice, so it is the task that has a stream."""
    submit = module.ThreadPoolExecutor.submit

    def named(self: Any, function: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        return submit(self, _named(function, task=True), *args, **more)

    module.ThreadPoolExecutor.submit = named


def _on_random(module: Any) -> None:
    """The generator behind `random` asks the kernel by itself when nobody gives it a seed."""
    base = module.Random

    class Random(base):  # type: ignore[misc, valid-type]  # the class the module has at this moment
        def __new__(cls, *args: Any, **named: Any) -> Any:
            return base.__new__(cls)

        def seed(self, a: Any = None, /) -> None:
            base.seed(self, int.from_bytes(_urandom(32), "big") if a is None else a)

    Random.__module__ = base.__module__
    module.Random = Random


def _on_uuid(module: Any) -> None:
    """uuid1 then takes its node and its time from Python, which knows which time it is."""
    module._generate_time_safe = None


def _on_global(module: Any) -> None:
    """`random` and `numpy.random` keep one generator for everybody. It begins with a seed of its own, whenever it
    was imported: while waiting for a run, or by the run."""
    from _blake2 import blake2b

    seed = int.from_bytes(blake2b(module.__name__.encode(), key=_key, person=b"module").digest(), "big")
    module.seed(seed if module.__name__ == "random" else seed % 2**32)


def _with(loader: Any, then: Callable[[Any], None]) -> Any:
    """A loader that has something to add once the module is there."""

    class Loader:
        def __getattr__(self, name: str) -> Any:
            return getattr(loader, name)

        def create_module(self, spec: Any) -> Any:
            return loader.create_module(spec)

        def exec_module(self, module: Any) -> None:
            # What importing takes from the stream is given back: a run that waited has taken nothing.
            mine, before = _mine(), list(_mine())
            loader.exec_module(module)
            mine[:] = before
            then(module)

    return Loader()


def _find_spec(name: str, path: Any = None, target: Any = None) -> Any:
    """First of the finders; answers for a few names, once each."""
    then = _wanted.pop(name, None)
    if then is None:
        return None
    for finder in sys.meta_path[1:]:
        spec = finder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _with(spec.loader, then)
            return spec
    return None


_wanted = {
    "_random": _on_random,
    "random": _on_global,
    "numpy.random": _on_global,
    "uuid": _on_uuid,
    "concurrent.futures.thread": _on_pool,
}


def install() -> None:
    """From here on chance comes from a stream, until `begin` from one that nobody will hear of again. Before
    anything is imported that keeps the real functions."""
    global _key, _home
    _key, _home = posix.urandom(32), posix.getpid()
    for name, function in (("urandom", _urandom), ("getrandom", _getrandom)):
        for module in ("posix", "os"):  # the latter takes them over when it is imported
            if module in sys.modules:
                setattr(sys.modules[module], name, function)
    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if start := getattr(_thread, name, None):
            setattr(_thread, name, _starting(start))
    sys.meta_path.insert(0, type(sys.implementation)(find_spec=_find_spec))  # type: ignore[call-arg]


def begin(seed: bytes, clock: float | None = None) -> None:
    """The attempt's own stream; what was imported earlier and keeps a generator begins anew with it.

    clock   seconds since 1970 the code is to see, moving on from here; None: the real time
    """
    global _key, _epoch
    if clock is not None:
        _turn_back(clock)
    if seed:
        _key, _epoch = bytes(seed), _epoch + 1
        _mine()[1:3] = 0, 0
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            _on_global(sys.modules[name])


def _turn_back(clock: float) -> None:
    """By a package that is lent to replays alone (services/executor/tapes/taped.py mounts it)."""
    sys.path.insert(0, _CLOCK_FOLDER)
    try:
        import time_machine
    finally:
        sys.path.remove(_CLOCK_FOLDER)
    time_machine.travel(clock, tick=True).start()
