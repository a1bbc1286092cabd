"""The TLS settings of every connection the platform opens."""

from __future__ import annotations

import ssl

import certifi


def client_context() -> ssl.SSLContext:
    """Verifies certificate and name against the system's roots and the ones we ship with (slim container
    images have none). HTTP/1.1 only. Takes some 20 ms to make: make one and keep it; threads may share it.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
