"""Sessions per worker, as one of Locust's user dispatchers: fixed before the start, and never moved.

Locust's own dispatcher moves the users of a lost worker to the others, and back. A share of a schedule cannot
be moved: it stays where it is, and what a lost worker leaves undone is counted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from locust.dispatch import UsersDispatcher

Spawned = dict[str, dict[str, int]]


class FixedShares(UsersDispatcher):
    """Every worker gets its sessions at once; ``shares`` are sessions by Locust's client id."""

    def __init__(
        self, *, worker_nodes: list[Any], user_classes: list[type], shares: Mapping[str, int]
    ) -> None:
        super().__init__(worker_nodes=worker_nodes, user_classes=user_classes)
        (user,) = user_classes
        self._spawned: Spawned = {worker: {user.__name__: count} for worker, count in shares.items()}
        self._left: Iterator[Spawned] = iter(())

    @property
    def dispatch_in_progress(self) -> bool:
        """True, which keeps Locust from dispatching again when a worker comes or goes."""
        return True

    def new_dispatch(self, *_: Any, **__: Any) -> None:
        """All sessions, in one step."""
        self._left = iter((self._spawned,))

    def __next__(self) -> Spawned:
        return next(self._left)

    def add_worker(self, worker_node: Any) -> None:
        """A worker that comes late gets nothing."""

    def remove_worker(self, worker_node: Any) -> None:
        """What a lost worker held is not given to others."""
