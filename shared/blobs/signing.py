"""Credentials that sign links without a key file: the account asks Google to sign in its name (signBlob)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import google.auth
from google.auth import exceptions, iam
from google.auth.transport import Request
from google.auth.transport.requests import Request as RequestsRequest
from google.oauth2 import service_account

from shared.errors import Misconfigured, Unavailable

_TOKENS = "https://oauth2.googleapis.com/token"  # part of what such credentials are; never called


def own_account(
    request: Callable[[], Request] = RequestsRequest,
) -> Callable[[], service_account.Credentials]:
    """Of the account this process runs as, found out at the first link. The account must be allowed to sign for
    itself (terraform/runner.tf). Raises (when called): Misconfigured, Unavailable."""

    @cache
    def credentials() -> service_account.Credentials:
        asking = request()
        try:
            own, _project = google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])
            own.refresh(asking)  # type: ignore[no-untyped-call]  # before, its address is "default"
        except exceptions.DefaultCredentialsError as error:
            raise Misconfigured("There is no Google account here to sign links with.") from error
        except exceptions.GoogleAuthError as error:
            raise Unavailable(f"Google did not say which account this is: {error}") from error
        return signing_as(own, str(getattr(own, "service_account_email", "")), asking)

    return credentials


def signing_as(
    own: google.auth.credentials.Credentials, email: str, request: Request
) -> service_account.Credentials:
    signer = iam.Signer(request, own, email)  # type: ignore[no-untyped-call]  # google-auth has no types
    return service_account.Credentials(signer, email, _TOKENS)  # type: ignore[no-untyped-call]  # as above
