"""A file of packages is believed when it holds the locked ones and nothing but them."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Mapping

import pytest

from services.executor.environments.packed import check
from services.executor.environments.wheels import read_lock
from shared.errors import BadRequest
from tests.fakes.index import wheel

ZEROS = "0" * 64
LOCK = read_lock(f"lantern==1.0 --hash=sha256:{ZEROS}\nharbor==2.0 --hash=sha256:{ZEROS}\n")


def files(*wheels: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for one in wheels:
        with zipfile.ZipFile(io.BytesIO(one)) as archive:
            found |= {name: archive.read(name) for name in archive.namelist()}
    return found


BOTH = files(wheel("lantern", "1.0"), wheel("harbor", "2.0"))
COMPILED = f"__pycache__/lantern.{sys.implementation.cache_tag}.pyc"


def tar(contents: Mapping[str, bytes], *odd: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
        for info in odd:
            made.addfile(info)
    return out.getvalue()


def test_what_belongs_to_the_locked_packages_is_believed() -> None:
    data = tar({**BOTH, COMPILED: b"compiled", "bin/lantern": b"a start script"})
    assert check(io.BytesIO(data), LOCK) == (len(data), hashlib.sha256(data).hexdigest())


def odd(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


ODD = {
    "a source that is not its package's": tar({**BOTH, "lantern.py": b"HERE = 2\n"}),
    "a file of no package": tar({**BOTH, "sitecustomize.py": b""}),
    "something compiled of nothing": tar({**BOTH, COMPILED.replace("lantern", "json"): b""}),
    "another version": tar(files(wheel("lantern", "1.1"), wheel("harbor", "2.0"))),
    "one too few": tar(files(wheel("lantern", "1.0"))),
    "one too many": tar({**BOTH, **files(wheel("other", "1.0"))}),
    "a package twice": tar({**BOTH, "Lantern-1.0.dist-info/RECORD": b""}),
    "a record in no version": tar({**BOTH, "lantern-x.dist-info/RECORD": b""}),
    "a link": tar(BOTH, odd("bin/harbor", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": tar(BOTH, odd("bin/harbor", tarfile.LNKTYPE, "lantern.py")),
    "a pipe": tar(BOTH, odd("bin/harbor", tarfile.FIFOTYPE)),
    "a path that leads out": tar({**BOTH, "../escaped.py": b""}),
    "one path twice": tar({**BOTH, "bin/lantern": b"one"}, odd("bin/lantern", tarfile.REGTYPE)),
    "no tar": b"nothing of the kind" * 100,
    "half a tar": tar({**BOTH, "lantern.bin": bytes(100_000)})[:50_000],
}


@pytest.mark.parametrize("what", ODD)
def test_a_file_is_refused_when_it_holds(what: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check(io.BytesIO(ODD[what]), LOCK)
    assert refused.value.code in ("not_as_locked", "bad_wheel")
