"""Beginning a coroutine before it is awaited, so that what it waits for comes meanwhile."""

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine that has run up to its first wait. Await it once, or close it.

    Python 3.12 has eager tasks for this; before, a task for each piece of a stream costs as much as
    it saves.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._waits_for: Any = None
        self._end: BaseException | None = None
        self._go(partial(coroutine.send, None))

    def _go(self, step: Callable[[], Any]) -> None:
        try:
            self._waits_for = step()
        except BaseException as end:  # whoever awaits it is told
            self._end = end

    def __await__(self) -> Generator[Any, None, T]:
        """Go on until the coroutine has returned or raised."""
        while self._end is None:
            try:
                yield self._waits_for
            except BaseException as thrown:  # such as a cancellation: the coroutine's to deal with
                self._go(partial(self._coroutine.throw, thrown))
            else:
                self._go(partial(self._coroutine.send, None))
        if isinstance(self._end, StopIteration):
            # Typeshed does not know what a coroutine's StopIteration holds.
            value: T = self._end.value
            return value
        raise self._end

    def close(self) -> None:
        """Give up what it still waits for."""
        self._coroutine.close()
