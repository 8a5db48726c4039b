"""What stands beside the model: numbers from outside, and challengers in a process of their own."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.app.challengers import Challengers
from basisdesk.app.forecast_pairs import coin_of
from basisdesk.app.forecast_sources import IndicatorSources
from basisdesk.config import Forecast
from basisdesk.forecast.forecaster import Taken
from basisdesk.forecast.table import Feature
from basisdesk.forecast.view import ForecastView, PairKey
from basisdesk.forecast.words import Tick


class Outside:
    """Reads the indicators at their pace, hands candidates and labels to the challengers.

    folders: of the account's forecasts, and of this model. now_ns: desk time.
    """

    def __init__(
        self,
        settings: Forecast,
        folders: tuple[Path, Path],
        view: ForecastView,
        now_ns: Callable[[], int],
    ) -> None:
        account, own = folders
        self._view = view
        self._asking: asyncio.Task[None] | None = None
        self._now_ns = now_ns
        self._sources = IndicatorSources(settings.indicators, account / "outside")
        self.challengers = Challengers(
            own, settings.horizon_h, on=settings.challengers, extras=self.extras
        )
        self._tell()

    @property
    def extras(self) -> tuple[Feature, ...]:
        """The features that they are, behind the 44."""
        return self._sources.extras

    def start(self) -> None:
        """Start the challengers, where they are wanted."""
        self.challengers.start()
        self._tell()

    def cut(self) -> None:
        """Wait for no answer any more: the desk closes."""
        if self._asking is not None:
            self._asking.cancel()

    async def stop(self) -> None:
        """End their process; it is gone when this returns."""
        await asyncio.get_running_loop().run_in_executor(None, self.challengers.stop)

    def heard(self, new: Taken) -> None:
        """Candidates and labels of the forecaster."""
        self.challengers.offer(new)

    def joined(self, key: PairKey, tick: Tick) -> Tick:
        """The tick with the numbers that are features of its coin now; the same without any."""
        told = self._sources.told(coin_of(key[0]), tick.t_ns)
        return msgspec.structs.replace(tick, outside=told) if told else tick

    def weigh(self, now_s: float, *, busy: bool) -> Coroutine[Any, Any, None] | None:
        """About once a second: what has to be read now, as work to be done; None where nothing.

        busy: the work of before is not done, so none is given.
        """
        self.challengers.tick(now_s)
        self._tell()
        names = () if busy else self._sources.due(now_s)
        return self._read(names) if names else None

    async def _read(self, names: tuple[str, ...]) -> None:
        self._asking = asyncio.current_task()
        try:
            self._sources.found.update(await self._sources.read(names, self._now_ns()))
        finally:
            self._asking = None
        self._tell()

    def _tell(self) -> None:
        self._view.indicators = self._sources.all
        self._view.challenge = self.challengers.now
