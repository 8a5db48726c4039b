"""The line over the chart: its title, the quick ranges, which colour is what, and Follow."""

from collections.abc import Iterable

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from basisdesk.ui.legend import Legend, Sample
from basisdesk.ui.theme import PlainLabel, Theme


def samples(theme: Theme) -> list[Sample]:
    """What the legend explains, in the order in which it matters."""
    return [
        Sample("spot", theme.qcolor("spot")),
        Sample("perp", theme.qcolor("perp")),
        Sample("open", theme.qcolor("basis")),
        Sample("close", theme.qcolor("close")),
        Sample("mid", theme.blend("basis", 0.38)),
        Sample("±2 sd", theme.blend("basis", 0.25), "band"),
        Sample("fair", theme.qcolor("muted"), "dashed"),
        Sample("combo", theme.blend("text", 0.55)),
        Sample("cost zone", theme.blend("text", 0.14), "band"),
    ]


class ChartHead(QWidget):
    """Holds the parts in a row. In a narrow chart the legend gives way first, then the title.

    The buttons never do: without them the chart cannot be used.
    """

    def __init__(
        self,
        title: PlainLabel,
        ranges: Iterable[QPushButton],
        legend: Legend,
        follow: QPushButton,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        px = theme.px
        self._title = title
        self._gap = px(12)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(10), px(4), px(6), 0)
        row.setSpacing(px(2))
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        title.setContentsMargins(0, 0, self._gap, 0)
        row.addWidget(title)
        for button in ranges:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(legend)
        row.addSpacing(px(8))
        row.addWidget(follow)
        self._row = row
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _bare_px(self) -> int:
        """Width of everything that stays, px: the row without the title."""
        whole = self._row.minimumSize().width()
        return whole if self._title.isHidden() else whole - self._title.minimumSizeHint().width()

    # Qt

    def minimumSizeHint(self) -> QSize:
        """The buttons; the title is a name and may be missed."""
        return QSize(self._bare_px(), super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the title where it stands whole."""
        super().resizeEvent(event)
        fits = self._bare_px() + self._title.minimumSizeHint().width() <= self.width()
        if self._title.isHidden() == fits:
            self._title.setVisible(fits)
