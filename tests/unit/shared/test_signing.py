"""Links that an account signs without having its key: Google is asked to, and what it says stands in the address."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.transport import Request, Response

from shared.blobs.gcs import GcsBlobs
from shared.blobs.signing import signing_as
from shared.errors import BadRequest

NOBODY = AnonymousCredentials()  # type: ignore[no-untyped-call]


@dataclass
class Answer(Response):
    body: bytes

    @property
    def status(self) -> int:
        return 200

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    @property
    def data(self) -> bytes:
        return self.body


@dataclass
class Iam(Request):
    """Google's part: signs whatever it is asked to with the same bytes."""

    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: int | None = None,
        **more: object,
    ) -> Answer:
        payload = base64.b64decode(json.loads(body or b"{}")["payload"])
        self.asked.append((url, payload))
        return Answer(
            json.dumps({"keyId": "k", "signedBlob": base64.b64encode(b"\x01\x02").decode()}).encode()
        )


def test_a_link_lasts_as_long_as_it_says_and_carries_the_signature() -> None:
    iam = Iam()
    signing = signing_as(NOBODY, "executor@p.example", iam)
    blobs = GcsBlobs("p", "p-files", credentials=NOBODY, signing=lambda: signing)

    address = urlsplit(blobs.link("executor/packages/env_1.tar", 1200))
    said = parse_qs(address.query)

    assert (address.scheme, address.path) == ("https", "/p-files/executor/packages/env_1.tar")
    assert said["X-Goog-Expires"] == ["1200"]
    assert said["X-Goog-Signature"] == ["0102"]
    assert said["X-Goog-Credential"][0].startswith("executor@p.example/")
    (url, payload) = iam.asked[0]
    assert url.endswith("/serviceAccounts/executor@p.example:signBlob")
    assert payload.startswith(b"GOOG4-RSA-SHA256")
    with pytest.raises(BadRequest):
        blobs.link("../other", 1200)


def test_a_link_to_put_a_file_binds_its_length_and_that_there_is_none_yet() -> None:
    iam = Iam()
    signing = signing_as(NOBODY, "executor@p.example", iam)
    blobs = GcsBlobs("p", "p-files", credentials=NOBODY, signing=lambda: signing)

    link = blobs.upload_link("executor/incoming/bld_1.tar", 600, 7 << 30)

    assert link is not None
    said = parse_qs(urlsplit(link.url).query)
    assert urlsplit(link.url).path == "/p-files/executor/incoming/bld_1.tar"
    assert said["X-Goog-Expires"] == ["600"]
    assert set(said["X-Goog-SignedHeaders"][0].split(";")) == {"host", *link.headers}
    assert link.headers["x-goog-content-length-range"] == f"0,{7 << 30}"
    assert link.headers["x-goog-if-generation-match"] == "0"


def test_there_is_none_where_nobody_signs() -> None:
    assert GcsBlobs("p", "p-files", credentials=NOBODY).upload_link("a/b", 60, 1) is None
    assert GcsBlobs("p", "p-files", credentials=NOBODY).link("a/b", 60) == ""
