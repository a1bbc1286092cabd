"""What a Messages API server or the way to it can answer instead, in the terms of the Llm port."""

from __future__ import annotations

from shared.errors import BadRequest, Interrupted, Misconfigured, ProjectError, TooLarge, Unavailable

_SAID_CHARS = 300
_TOO_LONG = ("prompt is too long", "context window", "context limit")
"""The API has no code of its own for these: it says so in the text of a 400."""


def refused(
    status: int, type: str, said: str, *, model: str, retry_after_s: float | None = None
) -> ProjectError:
    """An HTTP status other than 200, before any answer. `type` and `said` come from the body, "" if absent."""
    said = _shortened(said)
    match status:
        case 401 | 403:
            text = f"Claude does not accept the key ({said}): connect another one in the settings."
            return Misconfigured(text, code="key_refused")
        case 402:
            return _no_credit(said)
        case 400 if type == "billing_error" or "credit balance" in said:
            return _no_credit(said)
        case 404:
            text = f"There is no model '{model}' for this key: set AB_MODEL, or check ANTHROPIC_BASE_URL ({said})."
            return Misconfigured(text, code="model_unknown")
        case 413:
            return too_large(said)
        case 400 if any(sign in said for sign in _TOO_LONG):
            return too_large(said)
        case 429:
            text = f"Claude takes no more requests of this key for now{_wait(retry_after_s)}."
            return Unavailable(text, code="rate_limited", retry_after_s=retry_after_s)
        case 503 | 529:
            text = f"Claude is overloaded; try again{_wait(retry_after_s) or ' in a moment'}."
            return Unavailable(text, code="overloaded", retry_after_s=retry_after_s)
        case _ if status in (408, 425) or status >= 500:
            text = f"Claude failed with status {status} ({said}); try again."
            return Interrupted(text, code="failed", retry_after_s=retry_after_s)
        case _ if status < 400:
            text = f"The server answers with status {status}: set ANTHROPIC_BASE_URL to where it sends us."
            return Misconfigured(text, code="server_refused")
        case _:
            return BadRequest(f"Claude refused the request: {said}", code="request_refused")


def too_large(said: str) -> ProjectError:
    return TooLarge(f"That is more than the model can hold at once ({said}).", code="context_window")


def _no_credit(said: str) -> ProjectError:
    text = f"The account of this key has no credit left ({said}): add credit, or connect another key."
    return Misconfigured(text, code="no_credit")


def no_key() -> ProjectError:
    return Misconfigured("No usable key for Claude: connect one in the settings.", code="key_refused")


def unreachable(host: str) -> ProjectError:
    text = f"No connection to {host}: check the network, a proxy, or ANTHROPIC_BASE_URL."
    return Unavailable(text, code="unreachable")


def cut() -> ProjectError:
    return Interrupted(
        "The connection to Claude broke before the answer was complete; try again.", code="cut"
    )


def silent(seconds: float) -> ProjectError:
    text = f"Claude said nothing for {seconds:.0f} s and the call was given up; try again."
    return Interrupted(text, code="silent")


def overdue(limit_s: float) -> ProjectError:
    text = f"Claude was still writing when the {limit_s:.0f} s for this call were over; ask for less at once."
    return Interrupted(text, code="overdue")


def unfinished() -> ProjectError:
    return Interrupted("Claude's answer ended before it was complete; try again.", code="unfinished")


def garbled() -> ProjectError:
    text = "What came back is not how the Messages API answers; try again, or check ANTHROPIC_BASE_URL."
    return Interrupted(text, code="garbled")


def failed_midway(type: str, said: str) -> ProjectError:
    """An error event inside an answer that had begun with status 200."""
    if type == "overloaded_error":
        return Interrupted(
            "Claude became overloaded while answering; try again in a moment.", code="overloaded"
        )
    if type == "rate_limit_error":
        return Interrupted(
            "Claude stopped answering at the limit of this key; wait a minute.", code="rate_limited"
        )
    return Interrupted(
        f"Claude failed while answering ({_shortened(said or type)}); try again.", code="failed"
    )


def _wait(seconds: float | None) -> str:
    return "" if seconds is None else f" in {max(1, round(seconds))} s"


def _shortened(said: str) -> str:
    line = " ".join(said.split()) or "it does not say why"
    return line if len(line) <= _SAID_CHARS else line[: _SAID_CHARS - 1] + "…"
