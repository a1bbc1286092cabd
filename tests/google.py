"""Names the emulators to Google's clients, which look for them in the environment and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from shared.ids import RandomIds
from tests.emulators import address


@contextmanager
def named(**variables: str) -> Iterator[None]:
    """Sets environment variables and puts back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def emulators() -> dict[str, str]:
    """Where all three answer, by variable; started when they are not. Raises: emulators.NotHere."""
    return {
        "FIRESTORE_EMULATOR_HOST": address("firestore"),
        "PUBSUB_EMULATOR_HOST": address("pubsub"),
        "STORAGE_EMULATOR_HOST": address("storage"),
    }


def fresh_project() -> str:
    """A project id nobody else uses: the emulators know no projects and take any."""
    return "t" + RandomIds().new("t")[2:]
