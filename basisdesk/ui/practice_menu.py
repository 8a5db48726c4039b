"""Practise ▸ what can go wrong: with the next order, with an open pair, with the exchange.

Drills of execution are commands to the desk; faults are committed by the demo exchange. Both are
for the demo only, and both can be switched off.
"""

from decimal import Decimal
from functools import partial

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from basisdesk.engine import Engine
from basisdesk.events import Drill
from basisdesk.ui.context import Context
from basisdesk.ui.drill_words import drills_text
from basisdesk.ui.leg_words import legs_text
from basisdesk.ui.position_figures import base_of
from basisdesk.ui.theme import safe
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_key, venue_title

LASTS = (("10 seconds", 10.0), ("30 seconds", 30.0), ("2 minutes", 120.0), ("10 minutes", 600.0))
FIRST = "30 seconds"
EVERYWHERE = "*"
LATE_S = 5  # market seconds
LOOK_MS = 40  # how soon a first leg is noticed
_DRILLS = (
    ("reject", "is rejected", "The venue refuses the leg; the other one stands alone."),
    ("half", "fills half", "Half of the leg fills and the rest is cancelled."),
    ("late", f"comes {LATE_S} s late", "The leg arrives late; until then the other stands alone."),
)
_VENUE_DOWN = (
    "The short leg of the next order comes late, and its venue goes down before it is there: the "
    "long leg stands alone while nothing can be hedged."
)


def conn_title(conn: str) -> str:
    """A connection as the menu names it: "Binance public", "Everywhere"."""
    if conn == EVERYWHERE:
        return "Everywhere"
    venue, _, channel = conn.partition(".")
    return f"{venue_title(venue)} {channel}".rstrip()


def one_legged(engine: Engine, after: int) -> str:
    """The leg that is still missing of a pair beyond number `after`, "" where there is none."""
    for position in engine.desk.pairs.values():
        long, short = position.long, position.short
        if position.pair > after and long.qty and not short.entry_qty:
            return short.instrument
    return ""


class VenueDown(QObject):
    """Waits for a pair whose long leg stands alone, then takes the short leg's venue away."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._after = 0
        self._for_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    @property
    def armed(self) -> bool:
        """Whether it waits for a first leg."""
        return self._timer.isActive()

    def arm(self, for_s: float) -> None:
        """Let the next short leg come late, and look for the moment before it does."""
        seconds = Decimal(LATE_S) * max(1, round(self._context.status.speed))
        self._context.actions.submit(Drill("late", "short", seconds=seconds))
        self._after = max(self._context.engine.desk.pairs, default=0)
        self._for_s = for_s
        self._timer.start()

    def disarm(self) -> None:
        """Wait no more."""
        self._timer.stop()

    def look(self) -> None:
        """Take the venue away once one leg stands alone."""
        missing = one_legged(self._context.engine, self._after)
        if not missing:
            return
        self._timer.stop()
        venue = known_venues()[split_key(missing)[0]]
        for conn in venue.topics(missing):
            self._context.actions.practise("disconnect", conn, self._for_s)


class PracticeMenu(QMenu):
    """Built once from the faults and connections of the context."""

    def __init__(self, context: Context) -> None:
        super().__init__("Practise")
        self._context = context
        self._for_s = dict(LASTS)[FIRST]
        self.setToolTipsVisible(True)
        self.venue_down = VenueDown(context, self)
        self._add_drills()
        self.addSeparator()
        self._add_lengths()
        for conn in (EVERYWHERE, *context.conns):
            self._add_conn(conn)
        self.addSeparator()
        stop = self.addAction("Stop all practice")
        stop.triggered.connect(self.stop_all)
        self._explain(stop, "Ends every fault, and nothing more goes wrong with the next order.")

    def stop_all(self) -> None:
        """End every fault and every drill."""
        self.venue_down.disarm()
        self._context.actions.stop_practice()

    def _add_drills(self) -> None:
        drills = self.addMenu("With the next order")
        drills.setToolTipsVisible(True)
        for leg in ("short", "long"):
            for kind, does, about in _DRILLS:
                action = drills.addAction(f"The {leg} leg {does}")
                self._explain(action, about)
                drill = Drill(kind, leg, seconds=Decimal(LATE_S))  # type: ignore[arg-type]
                action.triggered.connect(partial(self._submit, drill))
        drills.addSeparator()
        self.armed = drills.addAction("")
        self.armed.setEnabled(False)
        off = drills.addAction("Nothing goes wrong")
        self._explain(off, "Forgets what was to go wrong with the next order.")
        off.triggered.connect(self._nothing)
        drills.aboutToShow.connect(self.tell_armed)
        self.tell_armed()
        self.adl = self.addMenu("ADL of an open pair")
        self.adl.setToolTipsVisible(True)
        self.adl.aboutToShow.connect(self.fill_adl)
        down = self.addAction("Venue down with one leg open")
        self._explain(down, _VENUE_DOWN)
        down.triggered.connect(self._arm_venue_down)

    def tell_armed(self) -> None:
        """What waits for the next order now."""
        self.armed.setText(drills_text(self._context.engine.desk.drills) or "Nothing is armed")

    def fill_adl(self) -> None:
        """The open pairs with a perpetual, as they are now."""
        self.adl.clear()
        engine = self._context.engine
        for position in engine.open_pairs():
            if not any(leg.qty for leg in position.perps):
                continue
            legs = legs_text(position.long.instrument, position.short.instrument)
            base = base_of(position.long.instrument, engine)
            action = self.adl.addAction(f"{base} #{position.pair}  {legs}")
            self._explain(action, "The venue closes its perpetual at the mark; the rest is naked.")
            drill = Drill("adl", pair=position.pair)
            action.triggered.connect(partial(self._submit, drill))
        if self.adl.isEmpty():
            self.adl.addAction("No pair with a perpetual is open").setEnabled(False)

    def _add_lengths(self) -> None:
        lasts = self.addMenu("A fault lasts")
        group = QActionGroup(self)
        for text, seconds in LASTS:
            action = QAction(text, self, checkable=True)
            action.setChecked(text == FIRST)
            action.triggered.connect(partial(self._set_length, seconds))
            group.addAction(action)
            lasts.addAction(action)

    def _add_conn(self, conn: str) -> None:
        menu = self.addMenu(conn_title(conn))
        menu.setToolTipsVisible(True)
        for fault in self._context.faults:
            if conn != EVERYWHERE and not {"*", conn} & set(fault.on):
                continue
            action = menu.addAction(fault.name.replace("_", " ").capitalize())
            self._explain(action, fault.about)
            action.triggered.connect(partial(self._start, fault.name, conn))

    def _explain(self, action: QAction, about: str) -> None:
        action.setToolTip(safe(about))
        action.setStatusTip(about)

    # --- slots ------------------------------------------------------------------------------------

    def _submit(self, drill: Drill) -> None:
        self._context.actions.submit(drill)

    def _nothing(self) -> None:
        self.venue_down.disarm()
        self._context.actions.submit(Drill("off"))

    def _arm_venue_down(self) -> None:
        self.venue_down.arm(self._for_s)

    def _set_length(self, seconds: float) -> None:
        self._for_s = seconds

    def _start(self, kind: str, conn: str) -> None:
        self._context.actions.practise(kind, conn, self._for_s)
