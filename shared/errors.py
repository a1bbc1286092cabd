"""The one error tree. `dispatch` reads only `retryable`; `shell` reads only `status`.

ProjectError
├── BadRequest       400  the caller can mend it; the text says how
├── NotAuthenticated 401  no session, an unknown token
├── NotAllowed       403  known, but not permitted
├── NotFound         404  also for another workspace's ids
├── Conflict         409  the world moved on; read again
├── TooLarge         413
├── OverBudget       402  a cap would be passed
├── Misconfigured    500  the operator must change something; the text says what
├── DecodeError      400  bytes from outside that are not what they claim (dead letter)
└── Unavailable      503  retryable: try again later
    └── NotYet       503  retryable: an early fact, its cause is still on the way
"""

from __future__ import annotations


class ProjectError(Exception):
    """Carries a sentence for a person and a stable `code` for programs.

    `fields` names what was wrong, field by field; empty when the error is not about fields.
    """

    status = 500
    retryable = False
    code = "internal"

    def __init__(self, detail: str, *, code: str | None = None, fields: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.fields = fields or {}


class BadRequest(ProjectError):
    status = 400
    code = "bad_request"


class NotAuthenticated(ProjectError):
    status = 401
    code = "not_authenticated"


class NotAllowed(ProjectError):
    status = 403
    code = "not_allowed"


class NotFound(ProjectError):
    status = 404
    code = "not_found"


class Conflict(ProjectError):
    status = 409
    code = "conflict"


class TooLarge(ProjectError):
    status = 413
    code = "too_large"


class OverBudget(ProjectError):
    status = 402
    code = "over_budget"


class Misconfigured(ProjectError):
    status = 500
    code = "misconfigured"


class DecodeError(ProjectError):
    status = 400
    code = "undecodable"


class Unavailable(ProjectError):
    status = 503
    retryable = True
    code = "unavailable"


class NotYet(Unavailable):
    """An event arrived before the fact it depends on; redelivery mends it (10 minutes, then dead letter)."""

    code = "not_yet"
