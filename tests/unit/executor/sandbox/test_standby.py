"""A sandbox that waits, without the sandbox: what its owner does with descriptors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.executor.adapters.attempt import channels
from services.executor.adapters.job import Guest
from services.executor.adapters.standby import Standby
from services.executor.ports import Order

_MORE_THAN_IT_HAD = 16


@pytest.fixture
def standby(tmp_path: Path) -> Standby:
    ours, theirs = channels()
    for fd in theirs:
        os.close(fd)
    guest = Guest("/app", "/lib", "/scratch", (), {})
    return Standby("s1", Order("a1", tmp_path), ours, guest, lambda _reason: None, lambda _why: None)


def test_nothing_is_written_to_whoever_has_its_descriptor_when_it_is_told_of_its_end_again(
    standby: Standby,
) -> None:
    standby.begin()
    standby.over()
    standby.join(10)
    others = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(_MORE_THAN_IT_HAD)]

    standby.over(told=True)
    standby.start()

    try:
        for other in others:
            with pytest.raises(BlockingIOError):
                os.eventfd_read(other)
    finally:
        for other in others:
            os.close(other)
