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
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._go(partial(coroutine.send, None))

    def _go(self, step: Callable[[], Any]) -> None:
        try:
            self._waits_for = step()
        except StopIteration as end:
            # Not the exception itself: its traceback knows us, and the result would outlive both.
            self._result.append(end.value)
        except BaseException as error:  # whoever awaits it is told
            self._error = error

    def __await__(self) -> Generator[Any, None, T]:
        """Go on until the coroutine has returned or raised."""
        while not self._result and self._error is None:
            try:
                yield self._waits_for
            except BaseException as thrown:  # such as a cancellation: the coroutine's to deal with
                self._go(partial(self._coroutine.throw, thrown))
            else:
                self._go(partial(self._coroutine.send, None))
        if self._error is not None:
            raise self._error
        return self._result.pop()

    def close(self) -> None:
        """Give up what it still waits for."""
        self._coroutine.close()
