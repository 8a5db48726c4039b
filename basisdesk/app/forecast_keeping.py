"""What of the forecast is not on the disk yet, and how it gets there beside the loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basisdesk.app.forecast_disk import SampleStore
from basisdesk.app.forecast_life import Heard, Life
from basisdesk.app.forecast_signals import SignalFile
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.signals import Overridden, Row, SignalBook, rows_of
from basisdesk.forecast.table import Feature

if TYPE_CHECKING:
    from basisdesk.forecast.forecaster import Taken

WAITING_MAX = 100_000  # rows of either kind while nothing can be written


async def in_thread(act: Callable[..., Any], *given: Any) -> Any:
    """Run something beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, act, *given)


class Keeping:
    """Samples and signals between the beat and the disk. One of its coroutines runs at a time.

    book: the signals of this model. size_mb: of the files. told: hears each candidate and label.
    """

    def __init__(
        self, folder: Path, rules: LabelRules, margin: float, extras: tuple[Feature, ...] = ()
    ) -> None:
        self.book = SignalBook()
        self.size_mb = 0.0
        self.told: Callable[[Taken], None] | None = None
        self._rules, self._margin, self._extras = rules, margin, extras
        self._store = SampleStore(folder)
        self._file = SignalFile(folder)
        self._set_back = ""
        self._heard: list[Heard] = []
        self._rows: list[Row] = []

    @property
    def problem(self) -> str:
        """What went wrong last, in words; "" while all is well."""
        return self._store.problem or self._file.problem or self._set_back

    @property
    def full(self) -> bool:
        """The samples are so large that a new dump should be written."""
        return self._store.full

    def put(self, heard: Heard) -> None:
        """Something that the life hears, in its order; written with the next append."""
        self._heard.append(heard)

    def take(self, life: Life) -> None:
        """The candidates and labels since, into the book and to be written."""
        if life.set_back:
            self._set_back = (
                "The clock of this computer was ahead and has been set back. What lay in the "
                f"future is dropped; pairs that learn anew: {life.set_back}."
            )
        new, regimes = life.taken()
        if self.told is not None:
            self.told(new)
        self._rows += [row for row in rows_of(new, regimes) if self.book.take(row)]

    def say(self, row: Overridden) -> bool:
        """A person's word on a candidate, into the book and to be written; False if known."""
        taken = self.book.take(row)
        if taken:
            self._rows.append(row)
        return taken

    async def restore(self, now_ns: int) -> Life:
        """The life that the disk tells of, else a new one; pairs of a clock ahead are forgotten."""
        life: Life = await in_thread(self._restored)
        for pair in life.ahead(now_ns):
            life.hear(pair, None)
            self.put((pair, None))
            life.set_back += 1
        self.take(life)  # what the samples told anew and the signal journal may not have
        return life

    async def append(self) -> None:
        """Write what waits."""
        heard, self._heard = self._heard, []
        if heard and not await in_thread(self._store.append, heard):
            self._heard = (heard + self._heard)[-WAITING_MAX:]
        await self._append_rows()

    async def checkpoint(self, life: Life) -> None:
        """Write what waits and all that is remembered. Nobody may touch the life meanwhile.

        What was put until now is what the life has heard.
        """
        heard, self._heard = self._heard, []
        if not await in_thread(self._store.checkpoint, life, heard):
            self._heard = (heard + self._heard)[-WAITING_MAX:]

    async def finish(self, life: Life) -> None:
        """The last checkpoint."""
        self.take(life)
        await self.checkpoint(life)
        await self._append_rows()

    def _restored(self) -> Life:
        # in a thread
        self.book = self._file.restore()
        margin, extras = self._margin, self._extras
        return self._store.restore(
            lambda: Life(self._rules, margin, extras),
            lambda kept: Life.restored(kept, margin, extras),
        )

    async def _append_rows(self) -> None:
        rows, self._rows = self._rows, []
        if rows and not await in_thread(self._file.append, rows):
            self._rows = (rows + self._rows)[-WAITING_MAX:]
        self.size_mb = await in_thread(lambda: self._store.size_mb)
