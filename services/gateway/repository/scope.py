"""One workspace's view of any database: what belongs to another workspace is not there."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.errors import BadRequest, NotFound
from shared.records import Record
from shared.store.port import Document, Query, Reader, Where

R = TypeVar("R", bound=Record)


class Readable(Protocol):
    """A Reader or a Tx."""

    def get(self, collection: str, id: str) -> Document | None: ...

    def query(self, query: Query) -> list[Document]: ...


_PAGES = 20
_FEW = 2


@dataclass(frozen=True)
class Paging:
    """limit 1…200. cursor: what the last page gave, or "" for the first."""

    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True)
class Scope:
    workspace_id: str

    def find(self, reader: Readable, collection: str, id: str, kind: type[R]) -> R | None:
        found = reader.get(collection, id)
        if found is None or found.data.get("workspace_id") != self.workspace_id:
            return None
        return kind.from_doc(found.data)

    def get(
        self, reader: Readable, collection: str, id: str, kind: type[R], *, missing: str = "not_found"
    ) -> R:
        """Raises: NotFound with `missing` as its code; the same for another workspace's id."""
        record = self.find(reader, collection, id, kind)
        if record is None:
            raise NotFound(missing, code=missing)
        return record

    def all(
        self,
        reader: Readable,
        collection: str,
        kind: type[R],
        *where: Where,
        order_by: str,
        descending: bool = True,
        limit: int = 200,
        after: tuple[str, str] | None = None,
    ) -> list[R]:
        conditions = (Where("workspace_id", "==", self.workspace_id), *where)
        query = Query(collection, conditions, order_by, descending, limit, after)
        return [kind.from_doc(document.data) for document in reader.query(query)]

    def newest(
        self,
        reader: Reader,
        collection: str,
        kind: type[R],
        *where: Where,
        order_by: str,
        wanted: Callable[[R], bool],
    ) -> R | None:
        """The newest that is wanted, among the newest thousand. It mostly is the very newest: few are read first."""
        paging: Paging | None = Paging(limit=_FEW)
        for _ in range(_PAGES):
            if paging is None:
                return None
            found, cursor = self.page(reader, collection, kind, *where, order_by=order_by, paging=paging)
            if (one := next(filter(wanted, found), None)) is not None:
                return one
            paging = Paging(cursor=cursor) if cursor is not None else None
        return None

    def page_of(
        self,
        reader: Reader,
        collection: str,
        kind: type[R],
        *where: Where,
        order_by: str,
        paging: Paging,
        wanted: Callable[[R], bool],
    ) -> tuple[list[R], str | None]:
        """As `page`, of those that are wanted. Shorter than asked for only where hundreds in a row are not."""
        shown: list[R] = []
        cursor: str | None = paging.cursor
        for _ in range(_PAGES):
            here = Paging(max(paging.limit, Paging.limit), cursor or "")
            found, cursor = self.page(reader, collection, kind, *where, order_by=order_by, paging=here)
            shown += filter(wanted, found)
            if len(shown) > paging.limit:
                last = shown[paging.limit - 1]
                return shown[: paging.limit], _closed(str(getattr(last, order_by)), last.id)
            if cursor is None:
                break
        return shown, cursor

    def page(
        self, reader: Reader, collection: str, kind: type[R], *where: Where, order_by: str, paging: Paging
    ) -> tuple[list[R], str | None]:
        """Newest first, and the cursor of the next page or None."""
        found = self.all(
            reader,
            collection,
            kind,
            *where,
            order_by=order_by,
            limit=paging.limit + 1,
            after=_opened(paging.cursor),
        )
        if len(found) <= paging.limit:
            return found, None
        last = found[paging.limit - 1]
        return found[: paging.limit], _closed(str(getattr(last, order_by)), last.id)


def _closed(value: str, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, id]).encode()).decode().rstrip("=")


def _opened(cursor: str) -> tuple[str, str] | None:
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        value, id = json.loads(raw)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise BadRequest("bad cursor", code="bad_cursor") from error
    if not isinstance(value, str) or not isinstance(id, str):
        raise BadRequest("bad cursor", code="bad_cursor")
    return value, id
