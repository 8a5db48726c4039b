"""The ticket's size on its way to the engine: told once nobody has changed it for a while."""

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import QObject, QTimer

QTY_REST_MS = 700  # a size goes to the engine once nobody has changed it for so long


class RestedSize(QObject):
    """Tells a size once it has rested: half typed it would stand in the history as a spike.

    told: called with the size as text. A size in quote moves in steps of a percent.
    """

    def __init__(self, told: Callable[[str], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tell = told
        self._told = ""
        self._next = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QTY_REST_MS)
        self._timer.timeout.connect(self.tell_now)

    @property
    def waiting(self) -> bool:
        """Whether a size rests that has not been told yet."""
        return self._timer.isActive()

    def start_afresh(self) -> None:
        """Another pair: nothing has been told of it."""
        self._told = ""
        self.drop()

    def drop(self) -> None:
        """What is resting is not to be told."""
        self._next = ""
        self._timer.stop()

    def note(self, qty: Decimal, *, typed: bool, in_quote: bool) -> None:
        """This is the size on the screen, base coin. One that was filled in is told at once."""
        told = Decimal(self._told) if self._told else Decimal(0)
        if qty == told or (in_quote and told and abs(qty - told) * 100 < told):
            self.drop()
            return
        wanted = f"{qty.normalize():f}"
        if not self._told and not typed:
            self._next = wanted
            self.tell_now()
        elif not self._same_step(wanted, in_quote=in_quote):
            self._next = wanted
            self._timer.start()

    def tell_now(self) -> None:
        """The size has rested, or an order is about to use it."""
        wanted = self._next
        self.drop()
        if wanted and wanted != self._told:
            self._told = wanted
            self._tell(wanted)

    def _same_step(self, wanted: str, *, in_quote: bool) -> bool:
        """Whether this is the size that is resting; in quote the price may move it a little."""
        if not self._next or not in_quote:
            return wanted == self._next
        resting = Decimal(self._next)
        return abs(Decimal(wanted) - resting) * 100 < resting
