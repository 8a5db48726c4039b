"""The parts of a desk with a beat of their own: the scanner, the forecast, autopilot and lab.

None is on the way of a trade. A fault of one ends that part and nothing else: it is told over
the window, and exit plans go on. They are imported and made once the window stands: a start does
not wait for them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from basisdesk.app.crash import log
from basisdesk.clock import SystemClock
from basisdesk.events import Command, SetValue
from basisdesk.ui.context import Context
from basisdesk.ui.pulse import Pulse

if TYPE_CHECKING:
    from basisdesk.app.alert_outlets import DesktopOutlets
    from basisdesk.app.autopiloting import Autopiloting
    from basisdesk.app.desk import DeskOptions
    from basisdesk.app.feeding import Feeding
    from basisdesk.app.forecasting import Forecasting
    from basisdesk.app.labs import Labs
    from basisdesk.app.scanning import Scanning


@dataclass(frozen=True)
class BesideParts:
    """What the parts are joined to. submit: takes commands."""

    feeding: "Feeding"
    clock: SystemClock
    pulse: Pulse
    outlets: "DesktopOutlets"
    submit: Callable[[Command], None]


class Beside(QObject):
    """Scanner, forecast, autopilot, lab; None until `start`, and where they are switched off."""

    def __init__(
        self, options: "DeskOptions", context: Context, parts: BesideParts, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._options = options
        self._context = context
        self._parts = parts
        self.scanning: Scanning | None = None
        self.forecasting: Forecasting | None = None
        self.autopiloting: Autopiloting | None = None
        self.labs: Labs | None = None
        self._piloted: tuple[tuple[str, str], ...] = ()  # pairs the autopilot wants watched
        self._charted: tuple[tuple[str, str], ...] = ()  # pairs that chart windows keep

    def start(self) -> None:
        """Make them and let them beat. Needs a running loop."""
        self._start_scanning()
        self._start_forecasting()
        self._start_autopilot()
        self._start_lab()

    def look_no_more(self) -> None:
        """The desk stopped after a fault: the autopilot decides nothing more."""
        if self.autopiloting is not None:
            self.autopiloting.look_no_more()

    async def stop(self, *, orderly: bool) -> None:
        """No more beats; what they keep is on the disk when this returns.

        orderly: the desk is left as a person asked, not after a fault.
        """
        if self.autopiloting is not None:
            await self.autopiloting.stop(orderly=orderly)
        if self.labs is not None:
            await self.labs.close()
        if self.scanning is not None:
            await self.scanning.stop()
        if self.forecasting is not None:
            await self.forecasting.stop()

    @property
    def signals(self) -> tuple[Path, ...]:
        """The parts of the forecast's signal journal, oldest first."""
        return tuple(self.forecasting.signal_files) if self.forecasting is not None else ()

    # --- inside ----------------------------------------------------------------------------------

    def _start_scanning(self) -> None:
        view, context, parts = self._context.scan, self._context, self._parts
        if view is None:
            return
        from basisdesk.app.forecast_alerts import scores_of
        from basisdesk.app.scanning import Scanning, ScanParts

        joined = ScanParts(
            context.engine,
            parts.feeding.supervisor,
            parts.clock,
            parts.pulse.mark,
            parts.submit,
            parts.outlets,
            self._on_failed,
            context.status.speed,
        )
        self.scanning = Scanning(self._options, view, joined, self)
        engine, forecast = context.engine, context.forecast
        read = scores_of(forecast, lambda: engine.now_ns, context.status.speed)
        self.scanning.alerting.reader.scores = read
        context.scan_actions = self.scanning
        self.scanning.start()

    def _start_forecasting(self) -> None:
        view, context, parts = self._context.forecast, self._context, self._parts
        if view is None:
            return
        from basisdesk.app.forecasting import Forecasting, ForecastParts

        joined = ForecastParts(
            context.engine,
            parts.clock,
            parts.pulse.mark,
            lambda: parts.feeding.watching.pairs,
            self._sector_z,
            self._on_failed,
        )
        options, demo = self._options, self._options.settings.demo
        told = f"{demo.seed}-{demo.scenario.lower()}"
        story = "".join(ch if ch.isalnum() else "-" for ch in told)
        if options.mode != "simulated":
            story = ""
        self.forecasting = Forecasting(options.folder, story, view, joined, self)
        self.forecasting.person.speed = context.status.speed
        context.forecast_actions = self.forecasting.person
        self.forecasting.start()

    def _start_autopilot(self) -> None:
        from basisdesk.app.autopiloting import Calls, joined

        parts = self._parts
        calls = Calls(parts.pulse.mark, parts.submit, self._on_failed, self._watch)
        self.autopiloting = joined(self._options.folder, self._context, calls, self)
        self.autopiloting.start()

    def _start_lab(self) -> None:
        from basisdesk.app.lab_commands import STUDIES
        from basisdesk.app.labs import Labs
        from basisdesk.ui.lab_view import LabView

        self._context.lab = LabView(self._options.profile, STUDIES, self)
        self._context.lab_actions = self.labs = Labs(self._context.lab, self)

    def watch_charts(self, pairs: object) -> None:
        """The chart windows keep these pairs (a tuple of leg pairs) on the screen."""
        self._charted = pairs if isinstance(pairs, tuple) else ()
        self._watch_all()

    def _watch(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._piloted = pairs
        self._watch_all()

    def _watch_all(self) -> None:
        """Bring the feeds of these pairs and keep their history, whatever the desk shows."""
        pairs = tuple(dict.fromkeys((*self._charted, *self._piloted)))
        self._parts.feeding.watch(pairs)
        self._parts.submit(SetValue("watch", ", ".join(" ".join(pair) for pair in pairs)))

    def _sector_z(self, coin: str) -> float:
        """How unusual the funding of a coin's sector is; NaN where unknown."""
        scan = self._context.scan
        if scan is None or self.scanning is None:
            return math.nan
        sector = self.scanning.alerting.reader.sector_of.get(coin, "")
        return next((row.z for row in scan.sectors.rows if row.name == sector), math.nan)

    def _on_failed(self, exc: BaseException, where: str, sentence: str) -> None:
        log.error("%s ended by a fault", where, exc_info=exc)
        status = self._context.status
        status.banner, status.banner_level = sentence, "error"
        self._parts.pulse.mark_all()
