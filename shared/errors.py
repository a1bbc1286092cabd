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
    ├── NotYet       503  retryable: an early fact, its cause is still on the way
    └── Interrupted  503  retryable: it had begun, so what was reserved for it counts as spent
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
    """`retry_after_s`: how long the other side asked to be left alone, in seconds; None when it did not say."""

    status = 503
    retryable = True
    code = "unavailable"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        fields: dict[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail, code=code, fields=fields)
        self.retry_after_s = retry_after_s


class NotYet(Unavailable):
    """An event arrived before the fact it depends on; redelivery mends it (10 minutes, then dead letter)."""

    code = "not_yet"


class Interrupted(Unavailable):
    """The other side had begun: nobody knows how much of it was done, or charged. Repeating is safe only
    where the effect is; a meter counts the whole reservation as spent."""

    code = "interrupted"
