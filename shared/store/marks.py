"""Marks of events that a service has had (its inbox): what a store has to know of them to be rid of them."""

from __future__ import annotations

from datetime import timedelta

from shared.store.port import Query, Where

INBOX = "_inbox"
KEEP_MARKS = timedelta(days=7)  # far beyond the ten minutes in which a bus may deliver again
OLD_MARKS = Query(INBOX, (Where("at", "<", ""),), order_by="at", limit=500)
