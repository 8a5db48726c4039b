"""Where batches of trials are evaluated: here, in processes of this machine, or on a Dask cluster.

The work is a function and one heavy thing that all batches share (the columns of a series); that
is handed to each worker once. A batch is a block of rows, its answer a block of rows, and what a
row gives hangs on that row alone: so results do not depend on how many workers there are, which of
them was faster, or which one died. A batch whose worker died is done again. Nothing here knows
what a trial is.
"""

import multiprocessing
import os
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing.connection import wait as wait_for_any
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from basisdesk import __version__
from basisdesk.errors import UserError, extra_from
from basisdesk.lab.series import Floats

BEAT_S = 0.2  # how often it is asked whether to go on
AHEAD = 2  # batches handed out a worker, so that none waits for the next
WORKERS_MAX = 256
DEATHS_MAX = 5  # workers that die one after the other with no batch done between
CONNECT_S = 10.0
NOTICE_S = 0.5  # how fast a worker notices that its parent is gone

Answer = Callable[[int, Floats], None]
Beat = Callable[[], None]


class Work(NamedTuple):
    """What is done with each batch. function: importable by name; shared: what all batches need."""

    function: Callable[[Any, Floats], Floats]
    shared: Any


class Pool(Protocol):
    """Something that evaluates batches."""

    workers: int

    def run(self, batches: Mapping[int, Floats], answer: Answer, beat: Beat) -> None:
        """Evaluate all batches and hand each result over as it comes, in any order.

        beat is called several times a second and ends the run by raising; batches that are being
        evaluated then are finished or dropped, never half answered.
        """
        ...

    def __enter__(self) -> Self:
        """Itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the workers."""
        ...


def open_pool(work: Work, workers: int, scheduler: str | None = None) -> Pool:
    """A pool: on the cluster of that scheduler, in so many processes, or with 0 in this one.

    Raises UserError where there is no such scheduler or its workers cannot do the work.
    """
    if scheduler is not None:
        return Cluster(work, scheduler)
    if not 0 <= workers <= WORKERS_MAX:
        raise UserError(f"--workers is {workers}; 0 (in this process) to {WORKERS_MAX}.")
    return Processes(work, workers) if workers else Here(work)


class Here:
    """This process, one batch after the other."""

    def __init__(self, work: Work) -> None:
        self.workers = 1
        self._work = work

    def run(self, batches: Mapping[int, Floats], answer: Answer, beat: Beat) -> None:
        """Evaluate all batches in their order."""
        for number, rows in batches.items():
            beat()
            answer(number, self._work.function(self._work.shared, rows))
        beat()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *why: object) -> None:
        """Nothing is held."""


# --- what all pools with workers of their own do --------------------------------------------------


class _Handing(ABC):
    """Hands batches out, a few ahead of each worker, and again where a worker died."""

    workers = 1

    def run(self, batches: Mapping[int, Floats], answer: Answer, beat: Beat) -> None:
        """See Pool."""
        left, out = deque(batches), dict[Any, int]()
        deaths = 0
        try:
            while left or out:
                try:
                    while left and len(out) < AHEAD * self.workers:
                        out[self._submit(batches[left[0]])] = left[0]
                        left.popleft()
                    done = self._answered(out, answer)
                except self._broken() as exc:
                    deaths += 1
                    if deaths > DEATHS_MAX:
                        raise _dying(exc) from exc
                    left.extendleft(reversed(out.values()))
                    out.clear()
                    self._renew()
                    continue
                deaths = 0 if done else deaths
                beat()
        finally:
            for future in out:
                future.cancel()

    def _answered(self, out: dict[Any, int], answer: Answer) -> int:
        # hand over what is there; a future that broke stays in `out`, to be done again
        done = wait(out, timeout=BEAT_S, return_when=FIRST_COMPLETED).done
        for future in sorted(done, key=_failed):
            result = future.result()
            answer(out.pop(future), np.asarray(result))
        return len(done)

    @abstractmethod
    def _submit(self, rows: Floats) -> Any: ...

    @abstractmethod
    def _broken(self) -> tuple[type[BaseException], ...]: ...

    @abstractmethod
    def _renew(self) -> None: ...


def _failed(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def _dying(exc: BaseException) -> UserError:
    return UserError(
        f"Workers die one after the other ({type(exc).__name__}), most likely for want of memory. "
        "What was finished is kept; use fewer --workers or less data, and the same command again."
    )


# --- processes of this machine --------------------------------------------------------------------


class Processes(_Handing):
    """So many processes of this machine, each with a fresh interpreter (spawn)."""

    def __init__(self, work: Work, workers: int) -> None:
        self.workers = workers
        self._work = work
        self._executor = self._fresh()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, after the batches that they are at."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _fresh(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_settle,
            initargs=(self._work,),
        )

    def _submit(self, rows: Floats) -> Any:
        return self._executor.submit(_evaluate, rows)

    def _broken(self) -> tuple[type[BaseException], ...]:
        return (BrokenProcessPool,)

    def _renew(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = self._fresh()


class _Settled:
    """What a worker process was given once. One per process, set by its initializer."""

    work: Work | None = None


def _settle(work: Work) -> None:
    _Settled.work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's, which then lets us go
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    # A parent that was killed leaves its workers waiting for ever: the queue's other end is theirs.
    parent = multiprocessing.parent_process()
    while parent is not None:
        if wait_for_any([parent.sentinel], timeout=NOTICE_S):
            os._exit(1)


def _evaluate(rows: Floats) -> Floats:
    work = _Settled.work
    if work is None:
        raise RuntimeError("a worker was asked before it was given its work")
    return work.function(work.shared, rows)


# --- a Dask cluster -------------------------------------------------------------------------------


class Cluster(_Handing):
    """The workers of an existing Dask scheduler, `tcp://host:port`."""

    def __init__(self, work: Work, scheduler: str) -> None:
        try:
            self._dask: Any = import_module("distributed")
        except ImportError as exc:
            raise UserError(
                f"--scheduler needs the extra `cluster`: {extra_from('cluster')}; without "
                "it, processes of this machine are used."
            ) from exc
        self._work, self._address = work, scheduler
        try:
            self._client: Any = self._dask.Client(
                scheduler, timeout=CONNECT_S, set_as_default=False, name="basisdesk-sweep"
            )
        except (OSError, ValueError, TimeoutError) as exc:
            raise UserError(
                f"No Dask scheduler answers at {scheduler}: {exc}. Check the address, e.g. "
                "tcp://127.0.0.1:8786."
            ) from exc
        self._closed: type[BaseException] = import_module("distributed.comm").CommClosedError
        try:
            self.workers = self._checked()
            self._shared = self._scattered()
            self._executor: Executor = self._client.get_executor(pure=False)
        except BaseException:
            self._client.close()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *why: object) -> None:
        """Leave the cluster; it goes on for others."""
        self._client.close()

    def _checked(self) -> int:
        mine = versions()
        try:
            found = self._client.run(versions)
        except (ImportError, RuntimeError, AttributeError, OSError) as exc:
            raise UserError(
                f"The workers of {self._address} cannot load basisdesk {__version__}: {exc}. "
                "Install it there, too."
            ) from exc
        if not found:
            raise UserError(f"The scheduler {self._address} has no workers. Start some.")
        for worker, theirs in found.items():
            if theirs != mine:
                raise UserError(
                    f"Worker {worker} has {theirs}, this desk {mine}: results could differ. "
                    "Install the same versions."
                )
        return min(len(found), WORKERS_MAX)

    def _scattered(self) -> Any:
        return self._client.scatter(self._work.shared, broadcast=True, hash=False)

    def _submit(self, rows: Floats) -> Any:
        return self._executor.submit(self._work.function, self._shared, rows)

    def _broken(self) -> tuple[type[BaseException], ...]:
        # what a lost worker, lost shared data or a lost scheduler look like from here
        return (self._dask.KilledWorker, CancelledError, self._closed)

    def _renew(self) -> None:
        try:
            self._shared = self._scattered()
        except (OSError, TimeoutError, ValueError) as exc:
            raise UserError(
                f"The Dask scheduler {self._address} or its workers are gone: {exc}. What was "
                "finished is kept; the same command goes on."
            ) from exc


def versions() -> dict[str, str]:
    """What a result hangs on, of the process that is asked."""
    found = {"python": ".".join(map(str, sys.version_info[:2])), "basisdesk": __version__}
    for name in ("numpy", "numba"):
        try:
            found[name] = str(import_module(name).__version__)
        except ImportError:
            found[name] = "none"
    return found
