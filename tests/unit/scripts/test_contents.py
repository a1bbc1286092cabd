"""The list of what an image holds names Debian's packages, Python, and nothing that no lock names."""

from __future__ import annotations

from scripts.contents import debian, python, unlocked

_DPKG = (
    "libc6:amd64\t2.36-9+deb12u13\tamd64\tglibc\t2.36-9+deb12u13\n"
    "tzdata\t2026a-0+deb12u1\tall\ttzdata\t2026a-0+deb12u1\n"
)
_LOCK = "flask==3.1.3 \\\n    --hash=sha256:00\ntyping-extensions==4.16.0 ; python_full_version < '3.13' \\\n"


def held(name: str, version: str) -> dict[str, object]:
    return {"name": name, "version": version, "purl": f"pkg:pypi/{name.lower()}@{version}"}


def test_a_package_of_debian_is_named_with_its_source() -> None:
    libc, tzdata = debian(_DPKG, "12")

    assert (libc["name"], libc["version"]) == ("libc6", "2.36-9+deb12u13")
    assert libc["purl"] == (
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12&upstream=glibc%402.36-9%2Bdeb12u13"
    )
    assert tzdata["purl"] == "pkg:deb/debian/tzdata@2026a-0%2Bdeb12u1?arch=all&distro=debian-12"


def test_python_is_named_as_lists_of_vulnerabilities_name_it() -> None:
    assert python("3.11.16")["cpe"] == "cpe:2.3:a:python:python:3.11.16:*:*:*:*:*:*:*"


def test_what_no_lock_pins_is_found() -> None:
    components = [
        held("Flask", "3.1.3"),
        held("typing_extensions", "4.15.0"),
        held("pip", "23.2"),
        python("3.11.16"),
    ]

    assert unlocked(components, [_LOCK]) == ["pip==23.2", "typing-extensions==4.15.0"]
    assert unlocked([held("Flask", "3.1.3"), held("typing_extensions", "4.16.0")], ["", _LOCK]) == []
