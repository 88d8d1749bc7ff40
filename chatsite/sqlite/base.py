"""SQLite where the writers of one process wait for each other in a queue.

SQLite itself lets a writer that finds the database locked sleep and try again, longer each time. With a hundred threads
most of the time goes into sleeping past the moment when the lock was free. A lock of the process wakes the next one at
once; other processes, where there are any, are still waited for in SQLite's own way.
"""

import threading
from typing import Any

from django.db.backends.sqlite3 import base

_turn = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose transactions begin when it is their turn to write."""

    has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        _turn.acquire()
        self.has_turn = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self.has_turn:
            self.has_turn = False
            _turn.release()
