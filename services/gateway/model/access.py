"""Who is at the door: users, sign-in links, sessions, and when they end.

Source of the lifetimes: shared decision on product security (idle 8 hours, absolute 7 days, link 10 minutes).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import moment, stamp
from shared.ids import derived
from shared.records import Record

LINK_LIFE = timedelta(minutes=10)
IDLE_LIFE = timedelta(hours=8)
ABSOLUTE_LIFE = timedelta(days=7)
# A session's last use is written at most this often: reading must not cost a commit each.
SEEN_EVERY = timedelta(minutes=5)

# One machine has one person; their ids are the same after every start.
OWNER_WORKSPACE = derived("wsp", "this machine")
OWNER_USER = derived("usr", "this machine")


class User(Record):
    """id is also what events carry as `user:<id>`."""

    name: str
    created_at: str


class Workspace(Record):
    """id == workspace_id."""

    name: str
    language: str = ""
    timezone: str = ""
    created_at: str


class Link(Record):
    """A sign-in link; id = hash of its secret. Deleted on use."""

    user_id: str
    expires_at: str


class Session(Record):
    """id = hash of the cookie; key_hash = hash of the key the page keeps in its origin's storage."""

    user_id: str
    key_hash: str
    created_at: str
    seen_at: str


@dataclass(frozen=True)
class Person:
    """Who a request is from. session_id is None for a bearer token."""

    workspace_id: str
    user_id: str
    session_id: str | None = None

    @property
    def actor(self) -> str:
        return f"user:{self.user_id}"


def digest(secret: str) -> str:
    """What is stored of an unguessable value: 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(left: str, right: str) -> bool:
    """Equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest(left), digest(right))


def link_holds(link: Link, now: datetime) -> bool:
    return moment(link.expires_at) > now


def session_holds(session: Session, now: datetime) -> bool:
    return now < moment(session.seen_at) + IDLE_LIFE and now < moment(session.created_at) + ABSOLUTE_LIFE


def worth_writing(session: Session, now: datetime) -> bool:
    return now >= moment(session.seen_at) + SEEN_EVERY


def oldest_session(now: datetime) -> str:
    """Sessions last seen before this are over."""
    return stamp(now - IDLE_LIFE)
