"""Which job an attempt is an execution of: one for each shape of memory and network (terraform/runner.tf)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from services.executor.ports import Order
from shared.errors import BadRequest, Misconfigured

Network = Literal["gateway", "none"]
JOB = "ab-run-{}"  # as terraform names it
PACKAGES = "packages"  # no shape: no run is ever an execution of it


@dataclass(frozen=True)
class Shape:
    """memory_mb: the most an attempt in it may be promised; the container has some more, for what stands around."""

    name: str
    memory_mb: int
    network: Network

    @property
    def job(self) -> str:
        return JOB.format(self.name)


def read(setting: str) -> tuple[Shape, ...]:
    """`name:memory_mb:network`, comma-separated; the smallest first. Raises Misconfigured."""
    found = []
    for part in filter(None, (text.strip() for text in setting.split(","))):
        name, _, rest = part.partition(":")
        memory, _, network = rest.partition(":")
        if not name or not memory.isdigit() or network not in get_args(Network):
            raise Misconfigured(
                f"AB_RUN_SHAPES: {part!r} is not name:memory_mb:gateway or name:memory_mb:none."
            )
        found.append(Shape(name, int(memory), "gateway" if network == "gateway" else "none"))
    if not found:
        raise Misconfigured("AB_SANDBOX=cloud_run needs AB_RUN_SHAPES: the jobs that runs are executions of.")
    return tuple(sorted(found, key=lambda shape: shape.memory_mb))


def fitting(shapes: Sequence[Shape], order: Order) -> Shape:
    """The smallest it fits in. Raises BadRequest."""
    network = "none" if order.egress is None else "gateway"
    needed = (order.limits.memory_bytes + (1 << 20) - 1) >> 20
    for shape in shapes:
        if shape.memory_mb >= needed and shape.network == network:
            return shape
    raise BadRequest(f"No run here may have {needed} MB of memory; a smaller limit is needed.")
