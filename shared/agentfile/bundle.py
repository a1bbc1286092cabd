"""The agent as a folder in one zip. Reading trusts nothing the archive says about itself: sizes are counted
while unpacking, names are checked before a byte is read, links and encryption are refused.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
import zlib

from shared.agentfile.model import Language
from shared.errors import BadRequest, TooLarge

MAX_BYTES = 20 * 1024 * 1024
MAX_FILES = 500
MAX_NAME_BYTES = 255
MAX_DEPTH = 12
REQUIRED = ("agent.toml", "main.py")

_CHUNK = 64 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
# What file managers add by themselves and nobody means to send.
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def pack(files: dict[str, bytes]) -> bytes:
    """A zip of `files` (path with '/' -> bytes). Equal files give equal bytes on every machine, which is why
    nothing is compressed: compressors differ. The same limits as `unpack` hold."""
    names = [_checked_name(name, "en") for name in files]
    _refuse_twins(names, "en")
    _refuse_incomplete(set(names), "en")
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise _too_large("en")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(unicodedata.normalize("NFC", name), _EPOCH)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[name])
    return out.getvalue()


def unpack(data: bytes, language: Language = "ko") -> dict[str, bytes]:
    """Path -> bytes of every file; names in NFC, '/' between parts. One folder around everything is taken
    off (people zip the folder itself). Raises BadRequest or TooLarge with what to do about it."""
    if len(data) > MAX_BYTES:
        raise _too_large(language)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _read_all(archive, language)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise BadRequest(
            "zip 파일로 읽을 수 없어요. 폴더를 다시 압축해서 올려 주세요."
            if language == "ko"
            else "This is not a readable zip. Compress the folder again and send it.",
            code="bad_bundle",
        ) from error
    files = _without_wrapper(files)
    _refuse_incomplete(set(files), language)
    return files


def _read_all(archive: zipfile.ZipFile, language: Language) -> dict[str, bytes]:
    entries = [e for e in archive.infolist() if not e.is_dir() and not _is_litter(e.filename)]
    if len(archive.infolist()) > 2 * MAX_FILES or len(entries) > MAX_FILES:
        raise _too_large(language)
    names = []
    for entry in entries:
        # orig_filename: zipfile cuts `filename` at NUL and turns the platform's separator into '/'.
        names.append(_checked_name(entry.orig_filename, language))
        _refuse_odd_entry(entry, language)
    _refuse_twins(names, language)
    files: dict[str, bytes] = {}
    left = MAX_BYTES
    for name, entry in zip(names, entries, strict=True):
        files[name] = _read(archive, entry, left, language)
        left -= len(files[name])
    return files


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, language: Language) -> bytes:
    parts, size = [], 0
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise _too_large(language)
            parts.append(chunk)
    return b"".join(parts)


def _is_litter(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1] in _LITTER


def _checked_name(name: str, language: Language) -> str:
    """The name in NFC, or a refusal that shows it."""
    parts = name.split("/")
    bad = (
        not name
        or name.startswith("/")
        or "\\" in name
        or ":" in parts[0]
        or len(name.encode(errors="replace")) > MAX_NAME_BYTES
        or len(parts) > MAX_DEPTH
        or any(part in ("", ".", "..") or part != part.strip() or part.endswith(".") for part in parts)
        or any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in name)
    )
    if bad:
        raise _bad_name(name, language)
    return unicodedata.normalize("NFC", name)


def _refuse_odd_entry(entry: zipfile.ZipInfo, language: Language) -> None:
    mode = entry.external_attr >> 16
    kind = stat.S_IFMT(mode)
    shown = ascii(entry.filename)[:80]
    if kind not in (0, stat.S_IFREG):
        raise BadRequest(
            f"{shown}은(는) 보통 파일이 아니라 링크나 장치예요. 빼고 다시 압축해 주세요."
            if language == "ko"
            else f"{shown} is a link or a device, not a file. Leave it out and compress again.",
            code="bad_bundle",
        )
    if entry.flag_bits & 0x1:
        raise BadRequest(
            "암호가 걸린 zip이에요. 암호 없이 다시 압축해 주세요."
            if language == "ko"
            else "This zip is encrypted. Compress it again without a password.",
            code="bad_bundle",
        )
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError("compression other than deflate")


def _refuse_twins(names: list[str], language: Language) -> None:
    """Two names that one disk keeps apart and another does not; also a file where a folder must be."""
    spelled: dict[str, str] = {}
    files = {_folded(name) for name in names}
    if len(files) != len(names):
        twin = next(n for n in names if [_folded(m) for m in names].count(_folded(n)) > 1)
        raise _twin(twin, language)
    for name in names:
        parts = name.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if _folded(folder) in files or spelled.setdefault(_folded(folder), folder) != folder:
                raise _twin(folder, language)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _without_wrapper(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {name.split("/", 1)[0] for name in files}
    if len(tops) != 1 or not all("/" in name for name in files):
        return files
    return {name.split("/", 1)[1]: data for name, data in files.items()}


def _refuse_incomplete(names: set[str], language: Language) -> None:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        listed = ", ".join(missing)
        raise BadRequest(
            f"폴더에 {listed} 파일이 없어요. 폴더 맨 위에 넣고 다시 압축해 주세요."
            if language == "ko"
            else f"The folder has no {listed}. Put it at the top of the folder and compress again.",
            code="bad_bundle",
            fields=dict.fromkeys(missing, "required"),
        )


def _too_large(language: Language) -> TooLarge:
    return TooLarge(
        f"풀었을 때 20 MB, 파일 {MAX_FILES}개까지만 받을 수 있어요. 큰 파일을 빼고 다시 올려 주세요."
        if language == "ko"
        else f"At most 20 MB unpacked and {MAX_FILES} files. Leave out large files and send it again."
    )


def _bad_name(name: str, language: Language) -> BadRequest:
    shown = ascii(name[:80])
    return BadRequest(
        f"파일 이름 {shown}은(는) 쓸 수 없어요. 폴더 안의 보통 이름으로 바꿔 주세요."
        if language == "ko"
        else f"The file name {shown} cannot be used. Give it a plain name inside the folder.",
        code="bad_bundle",
    )


def _twin(name: str, language: Language) -> BadRequest:
    return BadRequest(
        f"'{name[:80]}'와(과) 이름이 겹치는 것이 있어요(대소문자만 다른 이름). 하나의 이름을 바꿔 주세요."
        if language == "ko"
        else f"Something else has the same name as '{name[:80]}' (or differs only in case). Rename one.",
        code="bad_bundle",
    )
