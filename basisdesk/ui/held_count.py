"""How many pairs are held, in the name of a tab, whichever tab is in front."""

from PySide6.QtWidgets import QWidget

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.docks import Dock
from basisdesk.ui.halt_rows import held_pairs
from basisdesk.ui.pulse import Panel


class HeldCount(Panel):
    """Names the tab of a dock "Positions  2". Takes no room, and is on the screen with its window.

    A panel of its own: the table behind another tab is not refreshed, and what is held must be
    seen there too.
    """

    urgent = Changed.POSITIONS
    cares_about = Changed.POSITIONS

    def __init__(self, context: Context, dock: Dock, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._dock = dock
        self._name = dock.windowTitle()
        self.setFixedSize(0, 0)

    def refresh(self) -> None:
        """Count what is held."""
        count = len(held_pairs(self._context.engine))
        self._dock.name_tab(f"{self._name}  {count}" if count else self._name)
