"""Attempts that go on while nobody here hears them: heard again, each by one thread. Why: docs/decisions/0052."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from services.executor import repository
from services.executor.attempts.under_way import Keeping
from services.executor.model import attempt_of
from shared.errors import ProjectError, Unavailable
from shared.records.executor import Run
from shared.store.port import Store

log = logging.getLogger(__name__)


class TakingUp:
    """keeping None: attempts die with their process, and nothing goes on. begin: set before the first question; hears a
    run's attempt from where another process was. give_up: told of those that can never be heard again."""

    def __init__(
        self,
        keeping: Keeping | None,
        store: Store,
        is_live: Callable[[str], bool],
        give_up: Callable[[Run], None],
    ) -> None:
        self._keeping = keeping
        self._store = store
        self._is_live = is_live
        self._give_up = give_up
        self.begin: Callable[[Run], None] = lambda run: None
        self._taking: set[str] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="attempt-again")

    def goes_on(self, run: Run) -> bool:
        """Whether the run's attempt may be under way though nobody here hears it; then that begins soon."""
        attempt_id = attempt_of(run)
        if self._keeping is None or self._keeping.find(attempt_id) is None:
            return False
        with self._lock:
            if not self._closed and attempt_id not in self._taking and not self._is_live(attempt_id):
                self._taking.add(attempt_id)
                self._pool.submit(self._take_up, run)
        return True

    def asked(self, attempt_id: str) -> bool:
        """By a process elsewhere, and nobody here hears it. False: it is over. Raises: Unavailable while it is being
        taken up."""
        known = self._keeping.find(attempt_id) if self._keeping is not None else None
        run = repository.Runs(self._store).find(known.run_id) if known is not None else None
        if run is None or run.attempt_id != attempt_id or run.status not in ("queued", "running"):
            return False
        self.goes_on(run)
        raise Unavailable("This attempt is being taken up.")

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _take_up(self, run: Run) -> None:
        attempt_id = attempt_of(run)
        try:
            self.begin(run)
        except ProjectError as error:
            log.warning("attempt %s is not heard yet: %s", attempt_id, error.detail)
            if not error.retryable:
                self._give_up(run)
        except Exception:
            log.exception("attempt %s cannot be heard again", attempt_id)
            self._give_up(run)
        finally:
            with self._lock:
                self._taking.discard(attempt_id)
