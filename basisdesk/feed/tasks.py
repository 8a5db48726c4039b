"""One way to start a task, so that none dies unheard; and a sleep that the watchdog ends."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from basisdesk.clock import mono_s

log = logging.getLogger(__name__)
_alive: set[asyncio.Task[Any]] = set()


def spawn(
    work: Coroutine[Any, Any, Any],
    name: str,
    on_dead: Callable[[str, BaseException], None] | None = None,
) -> asyncio.Task[Any]:
    """Start a task and keep it alive. A kept task that raises is otherwise silent everywhere.

    on_dead: told the name and the exception; never for a cancel. Without it, the death is logged.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    _alive.add(task)

    def done(task: asyncio.Task[Any]) -> None:
        _alive.discard(task)
        if task.cancelled() or (exc := task.exception()) is None:
            return
        if on_dead is None:
            log.error("task %s died", name, exc_info=exc)
        else:
            on_dead(name, exc)

    task.add_done_callback(done)
    return task


def alive() -> frozenset[asyncio.Task[Any]]:
    """Tasks started by `spawn` that have not ended."""
    return frozenset(_alive)


class Pause:
    """A sleep without a timer: the watchdog's tick ends it, or `cut`. One waiter at a time.

    Under qasync a cancelled timer lives on until it would have fired; a cool-down is 15 minutes.
    """

    def __init__(self) -> None:
        self._until_s = 0.0
        self._awake: asyncio.Event | None = None

    async def sleep(self, seconds: float) -> None:
        """Return at the first tick that is not before `seconds` from now, or at `cut`."""
        self._until_s = mono_s() + seconds
        self._awake = asyncio.Event()
        try:
            await self._awake.wait()
        finally:
            self._awake = None

    def left_s(self, now_s: float) -> float:
        """Seconds until the sleep ends by itself; 0 when nobody sleeps."""
        return max(0.0, self._until_s - now_s) if self._awake is not None else 0.0

    def tick(self, now_s: float) -> None:
        """The watchdog's call; `now_s` as mono_s gives it."""
        if self._awake is not None and now_s >= self._until_s:
            self._awake.set()

    def cut(self) -> None:
        """End the sleep now."""
        if self._awake is not None:
            self._awake.set()
