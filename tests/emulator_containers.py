"""An emulator in a container, where Docker is and no Google Cloud SDK: `python tests/emulator_containers.py KIND PORT`.

The images are those of compose.yaml, and so are the variables that name others. It listens on this machine's loopback
and on no other network, because Pub/Sub's pushes to what a test serves there.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass

_CLOUD_SDK = "google/cloud-sdk:528.0.0-emulators"
_FAKE_GCS = (
    "fsouza/fake-gcs-server:1.56.1@sha256:797ce226d62f947c009dc40246b30cfb456b8473d8241407f9d6f2c04e4d69ef"
)


@dataclass(frozen=True)
class Container:
    """named_by: the variable that names another image. In the words of command {port} is where it listens."""

    image: str
    named_by: str
    command: tuple[str, ...]


CONTAINERS = {
    "firestore": Container(
        _CLOUD_SDK,
        "EMULATORS",
        ("gcloud", "emulators", "firestore", "start", "--host-port=127.0.0.1:{port}"),
    ),
    "pubsub": Container(
        _CLOUD_SDK,
        "EMULATORS",
        ("gcloud", "beta", "emulators", "pubsub", "start", "--host-port=127.0.0.1:{port}", "--project=local"),
    ),
    "storage": Container(
        _FAKE_GCS,
        "BUCKETS",
        (
            *("-scheme", "http", "-host", "127.0.0.1", "-port", "{port}", "-backend", "memory"),
            *("-public-host", "127.0.0.1:{port}", "-external-url", "http://127.0.0.1:{port}"),
        ),
    ),
}


def main(kind: str, port: str) -> None:
    """Until SIGTERM or SIGINT, which take the container along."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = True  # whoever started us ends us, and we the container
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    wanted = CONTAINERS[kind]
    container = DockerContainer(os.environ.get(wanted.named_by) or wanted.image, network_mode="host")
    with container.with_command([word.format(port=port) for word in wanted.command]):
        signal.sigwait(ends)


if __name__ == "__main__":
    main(*sys.argv[1:])
