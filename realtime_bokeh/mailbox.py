"""A one-slot hand-off between two threads, with shutdown in both directions."""

import threading
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The other side has ended; no more items come or are wanted."""


class Policy(Enum):
    """What becomes of a new item while the last one has not been taken."""

    NEWEST_WINS = "it replaces the last one"  # live sources
    EVERY_ITEM = "the writer waits"  # files


class Mailbox(Generic[T]):
    """Holds at most one item, and treats a second one by its policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._changed = threading.Condition()
        self._item: T | None = None
        self._finished = False
        self._closed = False
        self.dropped = 0  # items replaced before they were taken

    def put(self, item: T) -> None:
        """Leave an item.

        Raises:
            Closed: when the reader has gone.
        """
        with self._changed:
            while self._item is not None and self._policy is Policy.EVERY_ITEM and not self._closed:
                self._changed.wait()
            if self._closed:
                raise Closed
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def get(self, timeout: float | None = None) -> T:
        """Take the item, waiting for one.

        Raises:
            Closed: when the writer has finished and nothing is left, or the box was closed.
            TimeoutError: when none came within `timeout` seconds.
        """
        with self._changed:
            ready = self._changed.wait_for(
                lambda: self._item is not None or self._finished or self._closed, timeout
            )
            if not ready:
                raise TimeoutError
            if self._item is None or self._closed:
                raise Closed
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def finish(self) -> None:
        """The writer's last word: what is left may still be taken."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """End both sides at once; an item that was not taken is lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
