"""Which of Firestore's errors mean that it gave no answer, so that whoever asked comes again."""

from __future__ import annotations

import pytest
from google.api_core import exceptions

from shared.errors import Unavailable
from shared.store.firestore_documents import answering


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ServiceUnavailable("away"),
        exceptions.DeadlineExceeded("late"),
        exceptions.ResourceExhausted("busy"),
        exceptions.Cancelled("the server goes away"),
        exceptions.RetryError("gave up", cause=None),
    ],
    ids=lambda error: type(error).__name__,
)
def test_it_is_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable), answering():
        raise error


def test_an_answer_that_says_no_passes() -> None:
    with pytest.raises(exceptions.AlreadyExists), answering():
        raise exceptions.AlreadyExists("there")
