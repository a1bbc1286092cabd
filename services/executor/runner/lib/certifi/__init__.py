"""Stands before the package of this name in sandboxes: the certificates to trust are the run's, not a shipped list.

Libraries that ask it instead of looking at SSL_CERT_FILE would otherwise refuse the way out.
"""

from __future__ import annotations

import os

__all__ = ["contents", "where"]
__version__ = "2026.01.01"


def where() -> str:
    """A path, as text. The file is there from the run's first line on, not while a sandbox waits for one."""
    return os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")


def contents() -> str:
    with open(where(), encoding="ascii") as file:
        return file.read()
