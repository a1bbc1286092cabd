"""A run's own certificate authority: made when the run opens, gone when it closes; in memory only, unless the run's
code and its way out are on different machines."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from weakref import WeakSet

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.errors import DecodeError
from shared.net.names import address_literal

# Wider than any run, and tolerant of a sandbox whose clock the code was given.
_BEFORE = dt.timedelta(days=2)
_AFTER = dt.timedelta(days=30)

_Callback = Callable[[ssl.SSLObject, str | None, ssl.SSLContext], int | None]


class RunAuthority:
    """ECDSA P-256; a millisecond to make. One leaf key serves all hosts: who could read one could read the
    others. Use from one thread. kept: what `keep` returned, for the same authority in another process."""

    def __init__(self, now: dt.datetime, kept: bytes | None = None) -> None:
        self._now = now
        if kept is None:
            self._key = ec.generate_private_key(ec.SECP256R1())
            self._certificate = self._issue_root()
        else:
            self._key, self._certificate = _read(kept)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._misnamed: WeakSet[ssl.SSLObject] = WeakSet()
        self.ca_pem = self._certificate.public_bytes(Encoding.PEM).decode("ascii")

    @cached_property
    def _leaf_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())  # who speaks to nobody needs none

    def keep(self) -> bytes:
        """Key and certificate: whoever has them can be any host to this run's code."""
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self._certificate.public_bytes(Encoding.PEM)

    def context(self, host: str) -> ssl.SSLContext:
        """A server context that proves to be `host` and ends handshakes that ask for another name. A
        literal address is asked for without a name. Cached."""
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["http/1.1"])
            # Nobody resumes a session with a proxy that lives as long as the run.
            context.num_tickets = 0
            key = self._leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with _as_file(key + self._issue_leaf(host)) as path:
                context.load_cert_chain(path)
            context.sni_callback = self._judging(host)
            self._contexts[host] = context
        return self._contexts[host]

    def misnamed(self, connection: ssl.SSLObject) -> bool:
        """Whether this connection's handshake ended because it asked for another name, or for none."""
        return connection in self._misnamed

    def _judging(self, host: str) -> _Callback:
        expected = None if address_literal(host) else host

        def judge(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if (name.lower() if name else None) == expected:
                return None
            self._misnamed.add(connection)
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

        return judge

    def _issue_root(self) -> x509.Certificate:
        name = _name("Agent Builder run")
        key = self._key.public_key()
        return (
            self._builder(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _issue_leaf(self, host: str) -> bytes:
        literal = address_literal(host)
        shown = x509.IPAddress(ipaddress.ip_address(literal)) if literal else x509.DNSName(host)
        key, issuer = self._leaf_key.public_key(), self._key.public_key()
        certificate = (
            # A common name holds 64 characters at most; clients read the alternative name only.
            self._builder(_name(host[:64]), self._certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([shown]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BEFORE)
            .not_valid_after(self._now + _AFTER)
        )


def _read(kept: bytes) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = load_pem_private_key(kept, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise DecodeError("this is no run's authority", code="authority_unreadable")
    return key, x509.load_pem_x509_certificate(kept)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """The ssl module reads keys from paths only; this one names memory, not a disk, where the system can."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("leaf", os.MFD_CLOEXEC)
        try:
            os.write(fd, data)
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file.name
