"""What an attempt says and leaves is searched for its decoys: lines, claims, files, names."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from services.executor.egress.decoys import Decoy, StreamSearch, Tripwire

_CHUNK = 1 << 20
# Of one archive: more is taken for a bomb and left unread.
_UNPACKED_BYTES = 64 << 20


class DecoyWatch:
    """One per attempt. The first decoy seen counts; `on_trip` is called for it, once, from whichever thread
    saw it, and must not block."""

    def __init__(self, decoys: tuple[Decoy, ...], on_trip: Callable[[], None]) -> None:
        self.decoys = decoys
        self._tripwire = Tripwire(decoys)
        self._on_trip = on_trip
        self._streams = {name: StreamSearch(self._tripwire) for name in ("stdout", "stderr")}
        self._lock = threading.Lock()
        # "where: which decoy"; empty while none was seen.
        self.seen = ""

    @property
    def tails(self) -> dict[str, bytes]:
        """By stream: its end, in which a decoy may have begun."""
        return {name: stream.tail for name, stream in self._streams.items()}

    def go_on(self, seen: str, tails: Mapping[str, bytes]) -> None:
        """From where another process was. A stream that is compressed as a whole is no longer looked into."""
        self.seen = seen
        for name, tail in tails.items():
            self._streams[name] = StreamSearch(self._tripwire, tail)

    def trip(self, where: str, place: str) -> None:
        """Nothing happens without a `place`."""
        with self._lock:
            if not place or self.seen:
                return
            self.seen = f"{where}: {place}"
        self._on_trip()

    def output(self, stream: str, data: bytes) -> None:
        """Pieces of one stream in their order."""
        self.trip(stream, self._streams[stream].feed(data))

    def texts(self, where: str, texts: Iterable[str]) -> None:
        for text in texts:
            self.trip(where, self._tripwire.found_in_text(text))

    def files(self, where: str, folder: Path, names: Iterable[str]) -> None:
        """Names and contents of collected files; also what is inside zip files, and formats made of them."""
        for name in names:
            if not self._tripwire or self.seen:
                return
            self.texts(f"{where} name", (name, name.replace("/", "")))
            self.trip(where, self._in_file(folder / name))

    def _in_file(self, path: Path) -> str:
        search = StreamSearch(self._tripwire)
        with path.open("rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
            file.seek(0)
            while data := file.read(_CHUNK):
                if found := search.feed(data):
                    return found
        return self._in_zip(path) if zipped else ""

    def _in_zip(self, path: Path) -> str:
        left = _UNPACKED_BYTES
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if found := self._tripwire.found_in_text(member.filename):
                        return found
                    search = StreamSearch(self._tripwire)
                    with archive.open(member) as content:
                        while left > 0 and (data := content.read(min(_CHUNK, left))):
                            left -= len(data)
                            if found := search.feed(data):
                                return found
        except Exception:  # noqa: BLE001  hostile bytes: whatever the module makes of them, they are not a zip
            return ""
        return ""
