"""Which of Firestore's errors mean that it gave no answer, so that whoever asked comes again."""

from __future__ import annotations

import pytest
from google.api_core import exceptions

from shared.errors import Unavailable
from shared.store.firestore_documents import answering


@pytest.mark.parametrize(
    "kind",
    [
        exceptions.ServiceUnavailable,
        exceptions.DeadlineExceeded,
        exceptions.ResourceExhausted,
        exceptions.Cancelled,
        exceptions.RetryError,
    ],
)
def test_it_is_unavailable(kind: type[Exception]) -> None:
    with pytest.raises(Unavailable), answering():
        raise kind("away", ())


def test_an_answer_that_says_no_passes() -> None:
    no: type[Exception] = exceptions.AlreadyExists
    with pytest.raises(no), answering():
        raise no("there")
