"""Users, sign-in links and sessions in the store; only hashes of what opens the door."""

from __future__ import annotations

from datetime import datetime

from services.gateway.model.access import (
    LINK_LIFE,
    OWNER_USER,
    OWNER_WORKSPACE,
    Link,
    Person,
    Session,
    User,
    Workspace,
    digest,
    link_holds,
    same,
    session_holds,
    worth_writing,
)
from services.gateway.repository.shapes import LINKS, SESSIONS, USERS, WORKSPACES
from shared.clock import Clock, stamp
from shared.errors import Conflict, NotAuthenticated
from shared.ids import Ids
from shared.store.port import Cause, Store, Tx

_DOOR = Cause("", "service:gateway")


def ensure_owner(store: Store, clock: Clock) -> None:
    """The one person and workspace of this machine. Idempotent."""
    if store.get(USERS, OWNER_USER) is not None:
        return
    now = stamp(clock.now())
    user = User(id=OWNER_USER, workspace_id=OWNER_WORKSPACE, name="", created_at=now)
    workspace = Workspace(id=OWNER_WORKSPACE, workspace_id=OWNER_WORKSPACE, name="", created_at=now)

    def write(tx: Tx) -> None:
        tx.put(USERS, user.id, user.to_doc())
        tx.put(WORKSPACES, workspace.id, workspace.to_doc())

    store.transact(write, cause=Cause(OWNER_WORKSPACE, "service:gateway"))


def mint_link(store: Store, clock: Clock, ids: Ids, *, workspace_id: str, user_id: str) -> str:
    """The secret of a new sign-in link: once, ten minutes."""
    secret = ids.token()
    link = Link(
        id=digest(secret),
        workspace_id=workspace_id,
        user_id=user_id,
        expires_at=stamp(clock.now() + LINK_LIFE),
    )
    store.transact(lambda tx: tx.create(LINKS, link.id, link.to_doc()), cause=_DOOR)
    return secret


def open_session(store: Store, clock: Clock, ids: Ids, secret: str) -> tuple[Person, str, str]:
    """Uses a link up. Returns the person, the cookie and the key. Raises: NotAuthenticated `link_used`."""
    now = clock.now()
    cookie, key = ids.token(), ids.token()

    def use(tx: Tx) -> Session | None:
        found = tx.get(LINKS, digest(secret))
        if found is None:
            return None
        tx.delete(LINKS, found.id)
        link = Link.from_doc(found.data)
        if not link_holds(link, now):
            return None
        session = Session(
            id=digest(cookie),
            workspace_id=link.workspace_id,
            user_id=link.user_id,
            key_hash=digest(key),
            created_at=stamp(now),
            seen_at=stamp(now),
        )
        tx.create(SESSIONS, session.id, session.to_doc())
        return session

    session = store.transact(use, cause=_DOOR)
    if session is None:
        raise NotAuthenticated("link used", code="link_used")
    return Person(session.workspace_id, session.user_id, session.id), cookie, key


def find_session(store: Store, clock: Clock, cookie: str, key: str) -> Person | None:
    """The session's person when cookie and key fit each other and neither is too old."""
    found = store.get(SESSIONS, digest(cookie))
    session = Session.from_doc(found.data) if found else None
    now = clock.now()
    if session is None or not session_holds(session, now) or not same(digest(key), session.key_hash):
        return None
    if worth_writing(session, now):
        _touch(store, session.id, now)
    return Person(session.workspace_id, session.user_id, session.id)


def end_session(store: Store, session_id: str) -> None:
    store.transact(lambda tx: tx.delete(SESSIONS, session_id), cause=_DOOR)


def _touch(store: Store, session_id: str, now: datetime) -> None:
    def touch(tx: Tx) -> None:
        found = tx.get(SESSIONS, session_id)
        if found is not None:
            tx.put(SESSIONS, session_id, {**found.data, "seen_at": stamp(now)})

    try:
        store.transact(touch, cause=_DOOR)
    except Conflict:
        return  # another request of the same session just did it
